import { describe, expect, it } from 'vitest';
import { deriveSeed, randomStream } from './random.js';

/** xoshiro128** as its authors define it, on 64-bit integers: an implementation apart from ours. */
function* reference(state: bigint[]): Generator<number> {
  const mask = 0xffffffffn;
  const rotate = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask;
  for (;;) {
    yield Number((rotate((state[1]! * 5n) & mask, 7n) * 9n) & mask);
    const t = (state[1]! << 9n) & mask;
    state[2]! ^= state[0]!;
    state[3]! ^= state[1]!;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= t;
    state[3] = rotate(state[3]!, 11n);
  }
}

describe('randomStream', () => {
  it('is xoshiro128**', () => {
    // The state that seed 0 expands to, found by running the mixing by hand in 64-bit arithmetic.
    const mix = (word: bigint) => {
      let h = word & 0xffffffffn;
      h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & 0xffffffffn;
      h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & 0xffffffffn;
      return (h ^ (h >> 16n)) & 0xffffffffn;
    };
    const seed = 12345n;
    const expected = reference([1n, 2n, 3n, 4n].map((i) => mix(seed + i * 0x9e3779b9n)));
    const random = randomStream(12345);
    for (let i = 0; i < 1000; i++) expect(random.uniform() * 2 ** 32).toBe(expected.next().value);
  });

  it('gives standard normal numbers', () => {
    const random = randomStream(1);
    const values = Array.from({ length: 20_000 }, () => random.normal());
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });

  it('permutes: every index once', () => {
    const order = randomStream(3).permutation(100);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect([...order]).not.toEqual([...order].sort((a, b) => a - b));
  });

  it('gives integers below the bound', () => {
    const random = randomStream(5);
    expect(new Set(Array.from({ length: 200 }, () => random.integer(4)))).toEqual(new Set([0, 1, 2, 3]));
  });
});

describe('deriveSeed', () => {
  it('gives every name its own seed, never 0', () => {
    const seeds = Array.from({ length: 10_000 }, (_, i) => deriveSeed(0, `order/epoch-${i}`));
    expect(new Set(seeds).size).toBeGreaterThan(9_990);
    expect(seeds).not.toContain(0);
  });

  it('depends on all of the seed', () => {
    const seeds = [0, 1, 2 ** 31, 2 ** 32, 2 ** 40].map((seed) => deriveSeed(seed, 'x'));
    expect(new Set(seeds).size).toBe(5);
  });
});

describe('the state of a stream', () => {
  it('goes on with the numbers that would have followed, through JSON', () => {
    const random = randomStream(9);
    random.permutation(7);
    const saved = JSON.parse(JSON.stringify(random.getState()));
    const expected = [random.uniform(), random.normal(), random.integer(1000)];
    const other = randomStream(1);
    other.setState(saved);
    expect([other.uniform(), other.normal(), other.integer(1000)]).toEqual(expected);
    expect(other.getState()).toEqual(random.getState());
  });

  it('refuses what is none', () => {
    const random = randomStream(9);
    for (const state of [[0, 0, 0, 0], [1, 2, 3], [1, 2, 3, 2 ** 32], [1, 2, 3, 0.5], null]) {
      expect(() => random.setState(state as never)).toThrow(/four words of 32 bits/);
    }
  });
});
