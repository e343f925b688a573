import { OptionError } from '@g2d/core';
import { mersenneTwister } from './mersenne-twister.js';

/**
 * The released G2D code's choice of frames: pseudo-random but fixed, since it seeds numpy anew for every sample. It depends
 * on the number of frames alone.
 *
 * As `numpy.random.seed(seed); numpy.random.choice(n, size, replace=False)`: positions 0 … n − 1 are shuffled from the last
 * one down, each swapped with a position j ≤ i; j is the next random number cut to as many bits as i has, drawn again
 * while it is above i. The first `size` are taken, in this order.
 *
 * @param n How many frames there are, sorted by name.
 * @param size How many are wanted, at most n.
 * @param seed Default 999, as the released code has it.
 * @returns Indices in [0, n).
 * @throws {OptionError} If there are fewer frames than are wanted, or none is wanted.
 * @example
 * fixedFrames(10, 3); // [6, 2, 8]
 */
export function fixedFrames(n: number, size: number, seed = 999): number[] {
  checkCounts(n, size);
  if (size > n) {
    throw new OptionError(
      `${size} different frames are wanted but there are ${n}. Take fewer, or choose them with \`evenFrames\`.`,
      { option: 'size', value: size, accepted: `1 to ${n}` },
    );
  }
  const draw = mersenneTwister(seed);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const mask = 0xffffffff >>> Math.clz32(i);
    let j = (draw() & mask) >>> 0;
    while (j > i) j = (draw() & mask) >>> 0;
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order.slice(0, size);
}

/**
 * Frames spread evenly over the clip, in order; a single one is the middle frame.
 *
 * Frame i is ⌊(2 i + 1) n / (2 size)⌋: the middle of the i-th of `size` equal parts. With fewer frames than wanted some come
 * more than once.
 *
 * @param n How many frames there are, sorted by name.
 * @param size How many are wanted.
 * @returns Indices in [0, n).
 * @throws {OptionError} If there is no frame, or none is wanted.
 * @example
 * evenFrames(10, 3); // [1, 5, 8]
 */
export function evenFrames(n: number, size: number): number[] {
  checkCounts(n, size);
  return Array.from({ length: size }, (_, i) => Math.floor(((2 * i + 1) * n) / (2 * size)));
}

function checkCounts(n: number, size: number): void {
  for (const [option, value] of [
    ['n', n],
    ['size', size],
  ] as const) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new OptionError(`\`${option}\` is ${value}; it must be a whole number of frames, at least 1.`, {
        option,
        value,
        accepted: 'a whole number ≥ 1',
      });
    }
  }
}
