import type { Fail } from '../fail.js';
import { float32Values } from '../float32-values.js';

/** Numbers in the narrowest array that holds them; see `decodeNumbers`. */
export type NumberArray =
  Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

/** What the elements of a numpy array are. */
export interface ElementType {
  /** Without the byte order: `f8`, `u1`, `b1`, `S19`, `U4`. */
  readonly name: string;
  /** Bytes of text (`S`), characters (`U`), or something to count with. */
  readonly kind: 'number' | 'bytes' | 'text';
  readonly itemBytes: number;
  readonly littleEndian: boolean;
}

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const DECODERS: Readonly<Record<string, (bytes: ArrayBuffer, fail: Fail) => NumberArray>> = {
  b1: (bytes) => new Uint8Array(bytes),
  i1: (bytes) => new Int8Array(bytes),
  u1: (bytes) => new Uint8Array(bytes),
  i2: (bytes) => new Int16Array(bytes),
  u2: (bytes) => new Uint16Array(bytes),
  i4: (bytes) => new Int32Array(bytes),
  u4: (bytes) => new Uint32Array(bytes),
  i8: (bytes, fail) => exactNumbers(new BigInt64Array(bytes), fail),
  u8: (bytes, fail) => exactNumbers(new BigUint64Array(bytes), fail),
  f2: (bytes) => float32Values(new Uint8Array(bytes), 'F16', HOST_IS_LITTLE_ENDIAN),
  f4: (bytes) => new Float32Array(bytes),
  f8: (bytes) => new Float64Array(bytes),
};

/**
 * Reads a numpy type string such as `<f8`, `|u1`, `S19`.
 *
 * @throws {FileFormatError} If it is anything but bool, int, uint, float16 to float64, or text of fixed length.
 */
export function elementType(descr: string, fail: Fail): ElementType {
  const [, order = '', name = ''] = /^([<>|=]?)(.*)$/s.exec(descr) ?? [];
  const littleEndian = order === '<' || (order !== '>' && HOST_IS_LITTLE_ENDIAN);
  if (Object.hasOwn(DECODERS, name)) {
    return { name, kind: 'number', itemBytes: Number(name.slice(1)), littleEndian };
  }
  const text = /^([SU])([1-9][0-9]{0,8})$/.exec(name);
  if (text !== null) {
    const length = Number(text[2]);
    return text[1] === 'S'
      ? { name, kind: 'bytes', itemBytes: length, littleEndian }
      : { name, kind: 'text', itemBytes: 4 * length, littleEndian };
  }
  throw fail(
    `elements of type '${descr.slice(0, 100)}'; only bool, integers, floats of 16 to 64 bits and text of fixed length ` +
      'can be read. Convert the array with .astype in Python and save it again.',
  );
}

/** True if elements need no swapping of bytes. */
export function isHostOrder({ littleEndian }: Pick<ElementType, 'littleEndian'>): boolean {
  return littleEndian === HOST_IS_LITTLE_ENDIAN;
}

/**
 * Decodes numbers: bool as 0 and 1, float16 as float32, 64-bit integers as doubles.
 *
 * @param bytes In memory of its own, which the result may share. Changed if the byte order is not the host's.
 * @throws {FileFormatError} If a 64-bit integer lies beyond ±2⁵³, where doubles have gaps.
 */
export function decodeNumbers(
  bytes: Buffer,
  { name, itemBytes, littleEndian }: ElementType,
  fail: Fail,
): NumberArray {
  if (!isHostOrder({ littleEndian })) {
    if (itemBytes === 2) bytes.swap16();
    else if (itemBytes === 4) bytes.swap32();
    else if (itemBytes === 8) bytes.swap64();
  }
  return (DECODERS[name] as (bytes: ArrayBuffer, fail: Fail) => NumberArray)(
    bytes.buffer as ArrayBuffer,
    fail,
  );
}

/** Decodes text: `S` as UTF-8, `U` as UTF-32; the zeros that fill up are left away. */
export function decodeText(
  bytes: Buffer,
  { kind, itemBytes, littleEndian }: ElementType,
  fail: Fail,
): string[] {
  const count = bytes.length / itemBytes;
  if (kind === 'bytes') {
    const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return Array.from({ length: count }, (_, i) => {
      const item = bytes.subarray(i * itemBytes, (i + 1) * itemBytes);
      try {
        return utf8.decode(item).replace(/\0+$/, '');
      } catch {
        throw fail(`text ${i} is no UTF-8; expected byte strings (numpy S) of ASCII or UTF-8.`);
      }
    });
  }
  return Array.from({ length: count }, (_, i) => {
    let text = '';
    for (let at = i * itemBytes; at < (i + 1) * itemBytes; at += 4) {
      const code = littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
      if (code > 0x10ffff) throw fail(`text ${i} holds the character ${code}; Unicode ends at 1114111.`);
      text += String.fromCodePoint(code);
    }
    return text.replace(/\0+$/, '');
  });
}

/**
 * Brings elements from Fortran order (first axis fastest) into C order (last axis fastest).
 *
 * @returns Memory of its own; `bytes` itself if nothing has to move.
 */
export function toRowMajor(bytes: Buffer, shape: readonly number[], itemBytes: number): Buffer {
  if (bytes.length === 0 || shape.filter((size) => size > 1).length < 2) return bytes;
  const rows = shape[0] as number;
  const position = rowMajorPositions(shape.slice(1));
  const ordered = Buffer.from(new ArrayBuffer(bytes.length));
  const rowBytes = position.length * itemBytes;
  for (let f = 0; f < position.length; f++) {
    scatter(
      bytes.subarray(f * rows * itemBytes, (f + 1) * rows * itemBytes),
      ordered,
      (position[f] as number) * itemBytes,
      {
        itemBytes,
        stride: rowBytes,
      },
    );
  }
  return ordered;
}

/** For each element in Fortran order, its place in C order. */
export function rowMajorPositions(shape: readonly number[]): Uint32Array {
  const length = shape.reduce((product, size) => product * size, 1);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  return Uint32Array.from({ length }, (_, f) => {
    let rest = f;
    let index = 0;
    shape.forEach((size, axis) => {
      index += (rest % size) * (strides[axis] as number);
      rest = Math.floor(rest / size);
    });
    return index;
  });
}

/** Puts neighbouring elements of `from` into `to` at `start`, `start + stride`, … */
export function scatter(
  from: Uint8Array,
  to: Uint8Array,
  start: number,
  { itemBytes, stride }: { readonly itemBytes: number; readonly stride: number },
): void {
  for (let at = 0, place = start; at < from.length; at += itemBytes, place += stride) {
    for (let b = 0; b < itemBytes; b++) to[place + b] = from[at + b] as number;
  }
}

/** 64-bit integers as doubles. @throws {FileFormatError} If one lies beyond ±2⁵³. */
export function exactNumbers(values: BigInt64Array | BigUint64Array, fail: Fail): Float64Array {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = Number(values[i]);
    if (!Number.isSafeInteger(value)) {
      throw fail(
        `element ${i} is the integer ${values[i]}; beyond ±2^53 it cannot be a number. Save smaller integers or floats.`,
      );
    }
    numbers[i] = value;
  }
  return numbers;
}
