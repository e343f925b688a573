import { OptionError, type RandomState, type RandomStream, shown } from '@g2d/core';

/** Mixes a 32-bit word (the finalizer of MurmurHash3): every input bit changes half of the output bits. */
function mix(word: number): number {
  let h = word >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A seed for the stream called `name`, so that data order, augmentation, initialization and so on never share one
 * stream: changing the method must not change the data order.
 *
 * @param seed The run's seed, an integer.
 * @param name What the stream is for, for example `'order/epoch-3'` or `'audio/conv1/kernel'`.
 * @throws {OptionError} If the seed is no integer: its fraction would be lost silently.
 * @returns An unsigned 32-bit integer, never 0 (tfjs reads seed 0 as "random").
 */
export function deriveSeed(seed: number, name: string): number {
  if (!Number.isSafeInteger(seed)) {
    throw new OptionError(`The seed is ${seed}; it must be an integer.`, {
      option: 'seed',
      value: seed,
      accepted: 'a safe integer',
    });
  }
  let h = mix(seed) ^ mix(Math.floor(seed / 2 ** 32) + 0x9e3779b9);
  for (let i = 0; i < name.length; i++) h = mix(h ^ Math.imul(name.charCodeAt(i) + 1, 0x9e3779b1));
  return h >>> 0 || 1;
}

/**
 * A stream of random numbers: xoshiro128** (Blackman and Vigna 2018), unlike `tf.randomNormal`, whose numbers depend on the backend. `normal` is
 * Box-Muller, second value discarded so that the stream stays easy to reason about; `permutation` is Fisher-Yates.
 *
 * @param seed Any integer; derive it from the run's seed with `deriveSeed`.
 * @example
 * const random = randomStream(deriveSeed(7, 'augmentation'));
 * random.uniform() < 1; // true
 */
export function randomStream(seed: number): RandomStream {
  // SplitMix-like expansion: xoshiro's state must not be all zeros.
  const state = new Uint32Array(4);
  for (let i = 0; i < 4; i++) state[i] = mix((seed >>> 0) + Math.imul(i + 1, 0x9e3779b9)) || i + 1;
  let [a, b, c, d] = state as unknown as [number, number, number, number];

  const word = (): number => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const uniform = (): number => word() / 2 ** 32;
  const integer = (bound: number): number => Math.floor(uniform() * bound);
  return {
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    permutation: (length) => {
      const order = Uint32Array.from({ length }, (_, i) => i);
      for (let i = length - 1; i > 0; i--) {
        const j = integer(i + 1);
        const swapped = order[i] as number;
        order[i] = order[j] as number;
        order[j] = swapped;
      }
      return order;
    },
    getState: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
    setState(saved) {
      assertState(saved);
      [a, b, c, d] = saved;
    },
  };
}

function assertState(state: RandomState): void {
  const isWord = (word: number): boolean => Number.isInteger(word) && word >= 0 && word < 2 ** 32;
  const words: readonly number[] = Array.isArray(state) ? state : [];
  if (words.length === 4 && words.every(isWord) && words.some((word) => word !== 0)) return;
  throw new OptionError(
    `The state of a random stream is ${shown(state)}; it must be four words of 32 bits, not all 0.`,
    { option: 'state', value: state, accepted: 'what `getState` gave' },
  );
}
