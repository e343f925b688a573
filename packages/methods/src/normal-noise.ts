import { randomWords } from '@g2d/tensor-ops';

/**
 * Standard normal numbers by Box-Muller, of the words that belong to their places: in a group of 16 words the first eight give the radii, the
 * others the angles. All arithmetic is float32, step by step as in `@g2d/native`'s kernel, whose numbers these are to the bit: at plain
 * speed, for where that is not.
 */
export function normalNumbers(count: number, seed: number): Float32Array {
  const words = randomWords(seed, Math.ceil(count / 16) * 16);
  const numbers = new Float32Array(words.length);
  for (let group = 0; group < words.length; group += 16) {
    for (let i = group; i < group + 8; i++) {
      const length = radius(words[i] as number);
      const angle = words[i + 8] as number;
      const quadrant = angle >>> 30;
      // What is left of the angle, from −π/4 to π/4.
      const t = f32(f32(angle << 2) * QUARTER);
      const z = f32(t * t);
      const sine = f32(f32(f32(polynomial(SINE, z) * z) * t) + t);
      const cosine = f32(f32(f32(polynomial(COSINE, z) * f32(z * z)) - f32(z * 0.5)) + 1);
      const odd = quadrant % 2 === 1;
      const across = ((quadrant + 1) & 2) === 2 ? -length : length;
      const up = quadrant > 1 ? -length : length;
      numbers[i] = across * (odd ? sine : cosine);
      numbers[i + 8] = up * (odd ? cosine : sine);
    }
  }
  return numbers.subarray(0, count);
}

const f32 = Math.fround;
const QUARTER = f32(3.6572952e-10);
const SINE = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1].map(f32);
const COSINE = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2].map(f32);
const LOGARITHM = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
].map(f32);
const [LOW, HIGH] = [f32(-2.1219444e-4), f32(0.693359375)];
const HALF_ROOT = f32(Math.SQRT1_2);

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = coefficients[0] as number;
  for (let i = 1; i < coefficients.length; i++) sum = f32(f32(sum * x) + (coefficients[i] as number));
  return sum;
}

const value = new Float32Array(1);
const bits = new Int32Array(value.buffer);

/** √(−2 ln u), u = (word or 1) / 2³²: the logarithm is that of Cephes. */
function radius(word: number): number {
  value[0] = f32((word | 1) >>> 0) / 2 ** 32;
  let exponent = (bits[0]! >> 23) - 126;
  bits[0] = (bits[0]! & 0x7fffff) | 0x3f000000;
  let m = value[0];
  if (m < HALF_ROOT) {
    exponent -= 1;
    m = f32(f32(m - 1) + m);
  } else {
    m = f32(m - 1);
  }
  const z = f32(m * m);
  const inner = f32(f32(f32(polynomial(LOGARITHM, m) * m) * z) + f32(exponent * LOW));
  const p = f32(inner + f32(z * -0.5));
  const squared = f32(f32(f32(m + p) + f32(exponent * HIGH)) * -2);
  return f32(Math.sqrt(squared > 0 ? squared : 0));
}
