import { mersenneTwister } from '../transforms/mersenne-twister.js';

/**
 * The integers of `numpy.random.seed(seed)` and `numpy.random.randint(0, bound)`, one call after another: a word, masked with the
 * smallest 2^n − 1 ≥ bound − 1, drawn again while above bound − 1.
 *
 * @param seed An unsigned 32-bit integer.
 */
export function numpyIntegers(seed: number): (bound: number) => number {
  const word = mersenneTwister(seed);
  return (bound) => {
    const largest = bound - 1;
    if (largest === 0) return 0;
    const mask = 2 ** (32 - Math.clz32(largest)) - 1;
    for (;;) {
      const value = (word() & mask) >>> 0;
      if (value <= largest) return value;
    }
  };
}
