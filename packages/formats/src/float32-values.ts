/** How an element is stored, by the names of the safetensors format. */
export type ElementType = keyof typeof ELEMENT_BYTES;

/** Bytes of one element. */
export const ELEMENT_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

const hostIsLittleEndian = (): boolean => new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * The float32 values of stored elements.
 *
 * float16 and bfloat16 are exact. Integers above 2²⁴ and float64 are rounded to the nearest float32; booleans become
 * 0 and 1.
 *
 * @param bytes A whole number of elements. Copied, never viewed, so any alignment will do.
 * @param type What they are.
 * @param littleEndian Their byte order. Default true.
 */
export function float32Values(bytes: Uint8Array, type: ElementType, littleEndian = true): Float32Array {
  const { buffer } = inHostOrder(bytes, ELEMENT_BYTES[type], littleEndian);
  return READERS[type](buffer);
}

/** The bytes of float32 values, little-endian: a view where the host stores them so. */
export function littleEndianBytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return hostIsLittleEndian() ? bytes : inHostOrder(bytes, 4, true);
}

/** A copy, reversed element by element where the host's byte order is the other one. */
function inHostOrder(bytes: Uint8Array, size: number, littleEndian: boolean): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  if (size > 1 && littleEndian !== hostIsLittleEndian()) {
    for (let i = 0; i < copy.length; i += size) copy.subarray(i, i + size).reverse();
  }
  return copy;
}

const READERS: Readonly<Record<ElementType, (bytes: ArrayBuffer) => Float32Array>> = {
  BOOL: (bytes) => Float32Array.from(new Uint8Array(bytes), (byte) => (byte === 0 ? 0 : 1)),
  U8: (bytes) => new Float32Array(new Uint8Array(bytes)),
  I8: (bytes) => new Float32Array(new Int8Array(bytes)),
  U16: (bytes) => new Float32Array(new Uint16Array(bytes)),
  I16: (bytes) => new Float32Array(new Int16Array(bytes)),
  F16: fromFloat16,
  BF16: fromBfloat16,
  U32: (bytes) => new Float32Array(new Uint32Array(bytes)),
  I32: (bytes) => new Float32Array(new Int32Array(bytes)),
  F32: (bytes) => new Float32Array(bytes),
  U64: (bytes) => Float32Array.from(new BigUint64Array(bytes), Number),
  I64: (bytes) => Float32Array.from(new BigInt64Array(bytes), Number),
  F64: (bytes) => new Float32Array(new Float64Array(bytes)),
};

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(bytes: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(bytes);
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16;
  return new Float32Array(bits.buffer);
}

function fromFloat16(bytes: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(bytes);
  const bits = new Uint32Array(halves.length);
  const values = new Float32Array(bits.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] as number;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    // Subnormal halves are whole multiples of 2⁻²⁴, which float32 holds as normal numbers.
    if (exponent === 0) values[i] = (sign === 0 ? 1 : -1) * fraction * 2 ** -24;
    else if (exponent === 0x1f) bits[i] = sign | 0x7f800000 | (fraction << 13);
    else bits[i] = sign | ((exponent + 112) << 23) | (fraction << 13);
  }
  return values;
}
