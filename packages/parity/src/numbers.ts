import { tensorValues, type Recipe } from './recipe.js';

/** Any list of numbers. All sums here are formed in double precision. */
type Numbers = ArrayLike<number>;

export function sum(values: Numbers): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] as number;
  return total;
}

export function squaredNorm(values: Numbers): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    total += value * value;
  }
  return total;
}

export const norm = (values: Numbers): number => Math.sqrt(squaredNorm(values));

export function dot(a: Numbers, b: Numbers): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i] as number) * (b[i] as number);
  return total;
}

/**
 * Dot product with a hashed tensor: unlike a norm it notices permuted elements, for example a wrong transposition.
 *
 * @param values In PyTorch's order.
 */
export const projection = (values: Numbers, { seed, name }: Pick<Recipe, 'seed' | 'name'>): number =>
  dot(values, tensorValues({ seed, name: `proj/${name}` }, values.length));

/** a − factor · b in double precision. */
export function difference(a: Numbers, b: Numbers, factor = 1): Float64Array {
  // A loop: `from` with a function takes several times as long for millions of elements.
  const result = new Float64Array(a.length);
  for (let i = 0; i < result.length; i++) result[i] = (a[i] as number) - factor * (b[i] as number);
  return result;
}
