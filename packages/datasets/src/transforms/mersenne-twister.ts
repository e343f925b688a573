const LENGTH = 624;
const MIDDLE = 397;

/**
 * The random numbers of numpy's legacy generator after `numpy.random.seed(seed)`: MT19937 (Matsumoto and Nishimura 1998)
 * with its plain 32-bit initialization.
 *
 * Only to repeat what others drew: our own numbers come from `randomStream`.
 *
 * @param seed An unsigned 32-bit integer.
 * @returns Gives the next unsigned 32-bit integer.
 * @example
 * mersenneTwister(5489)(); // 3499211612
 */
export function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(LENGTH);
  state[0] = seed;
  for (let i = 1; i < LENGTH; i++) {
    const previous = state[i - 1] as number;
    state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
  }
  let next = LENGTH;
  const renew = (): void => {
    for (let i = 0; i < LENGTH; i++) {
      const word = ((state[i] as number) & 0x80000000) | ((state[(i + 1) % LENGTH] as number) & 0x7fffffff);
      state[i] = (state[(i + MIDDLE) % LENGTH] as number) ^ (word >>> 1) ^ (word & 1 ? 0x9908b0df : 0);
    }
    next = 0;
  };
  return () => {
    if (next === LENGTH) renew();
    let word = state[next++] as number;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  };
}
