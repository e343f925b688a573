import { FileFormatError, ShapeError, type NamedArray, shown } from '@g2d/core';
import { ELEMENT_BYTES, float32Values, littleEndianBytes, type ElementType } from './float32-values.js';

/** The format's own limit, in bytes: a longer header is an attack or no header. */
const LONGEST_HEADER = 100_000_000;

/**
 * Encodes named float32 arrays in the safetensors format: an 8-byte length, a JSON header, the raw data.
 *
 * @param arrays By name. The order of the file is the order of the names, so equal content gives equal bytes.
 * @param metadata Text entries for the header's `__metadata__`.
 * @returns The bytes of a `.safetensors` file.
 * @throws {ShapeError} If a shape and the number of values disagree.
 */
export function encodeSafetensors(
  arrays: Readonly<Record<string, NamedArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const pieces = safetensorsPieces(arrays, metadata);
  const file = new Uint8Array(pieces.reduce((size, { length }) => size + length, 0));
  let position = 0;
  for (const piece of pieces) {
    file.set(piece, position);
    position += piece.length;
  }
  return file;
}

/**
 * What `encodeSafetensors` gives, in pieces: the header, then the values of each array where they lie. A file of hundreds of
 * megabytes is written and hashed so without a copy of it in memory.
 *
 * @throws {ShapeError} If a shape and the number of values disagree.
 */
export function safetensorsPieces(
  arrays: Readonly<Record<string, NamedArray>>,
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] {
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', metadata]);
  const names = Object.keys(arrays).sort();
  let offset = 0;
  for (const name of names) {
    const { shape, values } = arrays[name] as NamedArray;
    const size = shape.reduce((product, axis) => product * axis, 1);
    if (size !== values.length) {
      throw new ShapeError({
        argument: name,
        expected: `${values.length} elements, as many as its values`,
        actual: shape,
      });
    }
    header.push([name, { dtype: 'F32', shape, data_offsets: [offset, offset + 4 * size] }]);
    offset += 4 * size;
  }
  // Padded with spaces so that the data starts at a multiple of eight, as the format asks. `fromEntries` defines
  // properties, so that a tensor called `__proto__` is only a name.
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = Math.ceil(text.length / 8) * 8;
  const start = new Uint8Array(8 + padded).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true);
  start.set(text, 8);
  return [start, ...names.map((name) => littleEndianBytes((arrays[name] as NamedArray).values))];
}

/** A tensor of a file, as its header describes it. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** Its type in the words of the format. */
  readonly type: string;
  /** Why it cannot be read; `undefined` if it can. */
  readonly problem?: string;
  /**
   * Its values as float32, a fresh array; see `float32Values` for the rounding.
   *
   * @throws {FileFormatError} If it cannot be read.
   */
  values(): Float32Array;
}

/**
 * Lists the tensors of a safetensors file: bool, integers of 8 to 64 bits, floats of 8 to 64 bits. Others (complex numbers,
 * floats of 4 or 6 bits) are listed too, with the problem that they are.
 *
 * @param file The bytes of the file.
 * @param path Used in error messages.
 * @throws {FileFormatError} If the file is truncated, or is no safetensors file.
 */
export function listSafetensors(file: Uint8Array, path: string): ReadonlyMap<string, StoredTensor> {
  const { entries, dataStart } = readHeader(file, path);
  return new Map(
    entries.map(({ name, type, shape, begin, end }): [string, StoredTensor] => {
      if (isReadable(type)) {
        const values = (): Float32Array =>
          float32Values(file.subarray(dataStart + begin, dataStart + end), type);
        return [name, { shape, type, values }];
      }
      const problem = `has elements of type ${shown(type)}; read are ${Object.keys(ELEMENT_BYTES).join(', ')}. Convert it and save the file again`;
      const values = (): never => {
        throw new FileFormatError(path, `tensor ${shown(name)} ${problem}.`);
      };
      return [name, { shape, type, problem, values }];
    }),
  );
}

/**
 * Decodes a whole safetensors file to float32.
 *
 * @param file The bytes of the file.
 * @param path Used in error messages.
 * @throws {FileFormatError} As `listSafetensors`, or if it holds a tensor that cannot be read.
 */
export function decodeSafetensors(file: Uint8Array, path: string): Record<string, NamedArray> {
  const tensors = Array.from(listSafetensors(file, path), ([name, tensor]): [string, NamedArray] => [
    name,
    { shape: tensor.shape, values: tensor.values() },
  ]);
  return Object.fromEntries(tensors);
}

const isReadable = (type: string): type is ElementType => Object.hasOwn(ELEMENT_BYTES, type);

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Of a header, for each `{` and `[`: a tensor has three of them, and takes 51 characters at least. */
const LEAST_PER_BRACKET = 8;

const [QUOTE, BACKSLASH, BRACE, BRACKET] = [0x22, 0x5c, 0x7b, 0x5b];

/**
 * A header of nothing but empty objects would take a hundred times its size in memory, and lists in lists would be as deep as
 * it is long: both are seen before it is parsed.
 */
function assertPlausible(header: Uint8Array, path: string): void {
  let brackets = 0;
  let inText = false;
  for (let at = 0; at < header.length; at++) {
    const byte = header[at];
    if (inText && byte === BACKSLASH) at++;
    else if (byte === QUOTE) inText = !inText;
    else if (!inText && (byte === BRACE || byte === BRACKET)) brackets++;
  }
  if (brackets * LEAST_PER_BRACKET <= header.length + 1024) return;
  throw new FileFormatError(
    path,
    `the header has ${brackets} brackets in ${header.length} bytes, which describe no tensors; not a safetensors file.`,
  );
}

function readHeader(
  file: Uint8Array,
  path: string,
): { readonly entries: readonly Entry[]; readonly dataStart: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerLength = file.length < 8 ? Infinity : Number(view.getBigUint64(0, true));
  if (headerLength > file.length - 8) {
    throw new FileFormatError(path, `not a safetensors file, or truncated (${file.length} bytes).`);
  }
  if (headerLength > LONGEST_HEADER) {
    throw new FileFormatError(
      path,
      `safetensors header of ${headerLength} bytes; the format allows ${LONGEST_HEADER}.`,
    );
  }
  const headerBytes = file.subarray(8, 8 + headerLength);
  assertPlausible(headerBytes, path);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(headerBytes));
  } catch {
    header = undefined;
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new FileFormatError(path, 'the header is no JSON object; not a safetensors file.');
  }
  const dataStart = 8 + headerLength;
  const dataBytes = file.length - dataStart;
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => readEntry(name, entry, dataBytes, path));
  // Tensors lie one after another. Were they allowed to overlap, a small file could unpack to any size.
  let expected = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== expected) {
      throw new FileFormatError(
        path,
        `the data of tensor ${shown(name)} start at byte ${begin}, expected ${expected}: tensors follow one another without overlaps and gaps.`,
      );
    }
    expected = end;
  }
  if (expected !== dataBytes) {
    throw new FileFormatError(path, `has ${dataBytes} bytes of data; its tensors take ${expected}.`);
  }
  return { entries, dataStart };
}

function readEntry(name: string, entry: unknown, dataBytes: number, path: string): Entry {
  const fields = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
  const { dtype: type, shape, data_offsets: offsets } = fields;
  if (typeof type !== 'string') {
    throw new FileFormatError(path, `tensor ${shown(name)} has the type ${shown(type)}; expected a text.`);
  }
  if (!isListOfSizes(shape) || !isListOfSizes(offsets) || offsets.length !== 2) {
    throw new FileFormatError(
      path,
      `tensor ${shown(name)} has no valid shape and data_offsets in the header.`,
    );
  }
  const [begin, end] = offsets as [number, number];
  // The size of other elements is not known.
  const bytes = isReadable(type)
    ? shape.reduce((product, axis) => product * axis, ELEMENT_BYTES[type])
    : Math.max(0, end - begin);
  if (end - begin !== bytes) {
    throw new FileFormatError(
      path,
      `tensor ${shown(name)} has ${end - begin} bytes; ${type} [${shape.join(', ')}] takes ${bytes}.`,
    );
  }
  if (end > dataBytes) {
    throw new FileFormatError(
      path,
      `truncated: the data of tensor ${shown(name)} lie outside of the file (they end at byte ${end} of ${dataBytes}). Copy or download it again.`,
    );
  }
  return { name, type, shape, begin, end };
}

const isListOfSizes = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
