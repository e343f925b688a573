import { endianness } from 'node:os';

const LITTLE_ENDIAN = endianness() === 'LE';

/** The bytes of values, little-endian: a view where the host stores them so. Elements are of one or four bytes. */
export function littleEndian(values: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number }): Buffer {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return LITTLE_ENDIAN || values.BYTES_PER_ELEMENT === 1 ? bytes : Buffer.from(bytes).swap32();
}

/** Float32 values of little-endian bytes that begin at a multiple of four in their buffer. The bytes are given up. */
export function float32LittleEndian(bytes: Buffer): Float32Array {
  if (!LITTLE_ENDIAN) bytes.swap32();
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
