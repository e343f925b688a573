import { randomStream } from '../random.js';

/** Half of the distance of neighbours, as a part of the value. */
const UNIT_ROUNDOFF = 2 ** -24;
const DRAWS = 4;

/**
 * What float32 can tell of a result: how far it moves when the numbers that go in are moved by a few units in their last
 * place. Two right implementations that add in another order differ by about as much, on another processor by another
 * amount; next to a kink of ReLU or of a maximum, or behind a batch normalization of nearly equal values, that is
 * thousands of units. A test that allows ten times of it holds on every processor and is sharp where the numbers are.
 *
 * @param differences Computes with every input passed through `rounded`, and says how far each result is from the one
 * that is not. Called four times.
 * @returns The largest difference of each.
 * @example
 * const [allowed] = float32Resolution((rounded) => [distance(f(rounded(values)), f(values))]).map((d) => 10 * d);
 */
export function float32Resolution(
  differences: (rounded: (values: Float32Array) => Float32Array) => readonly number[],
): number[] {
  const draws = Array.from({ length: DRAWS }, (_, draw) => {
    const random = randomStream(draw + 1);
    return differences((values) =>
      values.map((value) => value * (1 + 4 * UNIT_ROUNDOFF * (2 * random.uniform() - 1))),
    );
  });
  return (draws[0] as readonly number[]).map((_, i) => Math.max(...draws.map((draw) => draw[i] as number)));
}
