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
  const file = new Uint8Array(8 + padded + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.fill(0x20, 8, 8 + padded);
  file.set(text, 8);
  let position = 8 + padded;
  for (const name of names) {
    const bytes = littleEndianBytes((arrays[name] as NamedArray).values);
    file.set(bytes, position);
    position += bytes.length;
  }
  return file;
}

/**
 * Decodes a safetensors file to float32.
 *
 * Reads bool, integers of 8 to 64 bits, float16, bfloat16, float32 and float64; see `float32Values` for the rounding.
 *
 * @param file The bytes of the file.
 * @param path Used in error messages.
 * @throws {FileFormatError} If the file is truncated, is no safetensors file, or holds elements of another type.
 */
export function decodeSafetensors(file: Uint8Array, path: string): Record<string, NamedArray> {
  const { entries, dataStart } = readHeader(file, path);
  const arrays = entries.map(({ name, type, shape, begin, end }): [string, NamedArray] => {
    const bytes = file.subarray(dataStart + begin, dataStart + end);
    return [name, { shape, values: float32Values(bytes, type) }];
  });
  return Object.fromEntries(arrays);
}

interface Entry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
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
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, 8 + headerLength)));
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
        `the data of tensor "${name}" start at byte ${begin}, expected ${expected}: tensors follow one another without overlaps and gaps.`,
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
  if (typeof type !== 'string' || !Object.hasOwn(ELEMENT_BYTES, type)) {
    throw new FileFormatError(
      path,
      `tensor "${name}" has elements of type ${shown(type)}; read are ${Object.keys(ELEMENT_BYTES).join(', ')}.`,
    );
  }
  if (!isListOfSizes(shape) || !isListOfSizes(offsets) || offsets.length !== 2) {
    throw new FileFormatError(path, `tensor "${name}" has no valid shape and data_offsets in the header.`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product, axis) => product * axis, ELEMENT_BYTES[type as ElementType]);
  if (end - begin !== bytes) {
    throw new FileFormatError(
      path,
      `tensor "${name}" has ${end - begin} bytes; ${type} [${shape.join(', ')}] takes ${bytes}.`,
    );
  }
  if (end > dataBytes) {
    throw new FileFormatError(
      path,
      `truncated: the data of tensor "${name}" lie outside of the file (they end at byte ${end} of ${dataBytes}). Copy or download it again.`,
    );
  }
  return { name, type: type as ElementType, shape, begin, end };
}

const isListOfSizes = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
