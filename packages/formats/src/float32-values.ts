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
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  F8_E8M0: 1,
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
 * Floats of 8 and 16 bits are exact. Integers above 2²⁴ and float64 are rounded to the nearest float32; booleans become
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
  F8_E4M3: fromFloat8({ exponentBits: 4, bias: 7, special: 'nan' }),
  F8_E5M2: fromFloat8({ exponentBits: 5, bias: 15, special: 'infinity' }),
  F8_E4M3FNUZ: fromFloat8({ exponentBits: 4, bias: 8, special: 'minus-zero' }),
  F8_E5M2FNUZ: fromFloat8({ exponentBits: 5, bias: 16, special: 'minus-zero' }),
  F8_E8M0: fromPowers,
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

interface Float8 {
  readonly exponentBits: number;
  readonly bias: number;
  /** What is no number: all bits but the sign; the largest exponent as in IEEE 754; or the code of −0 alone. */
  readonly special: 'nan' | 'infinity' | 'minus-zero';
}

/** One of the forms of float8, by a table of its 256 values. @see OCP, 8-bit Floating Point Specification (OFP8) */
function fromFloat8({ exponentBits, bias, special }: Float8): (bytes: ArrayBuffer) => Float32Array {
  const fractionBits = 7 - exponentBits;
  const largest = 2 ** exponentBits - 1;
  const table = Float32Array.from({ length: 256 }, (_, code) => {
    const exponent = (code & 0x7f) >> fractionBits;
    const fraction = (code & (2 ** fractionBits - 1)) / 2 ** fractionBits;
    const sign = code < 128 ? 1 : -1;
    if (special === 'minus-zero' && code === 128) return NaN;
    if (special === 'nan' && (code & 0x7f) === 0x7f) return NaN;
    if (special === 'infinity' && exponent === largest) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
  });
  return (bytes) => Float32Array.from(new Uint8Array(bytes), (code) => table[code] as number);
}

/** The scales of blocks: powers of two without sign and fraction. */
function fromPowers(bytes: ArrayBuffer): Float32Array {
  return Float32Array.from(new Uint8Array(bytes), (code) => (code === 255 ? NaN : 2 ** (code - 127)));
}
