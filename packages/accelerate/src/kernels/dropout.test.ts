import { describe, expect, it } from 'vitest';
import { randomWords } from '@g2d/tensor-ops';
import { dropoutFactors, headFactors } from './dropout.js';

const zeros = (factors: Float32Array): number[] => [...factors.keys()].filter((i) => factors[i] === 0);

describe('dropoutFactors', () => {
  it.each([0.02, 0.1, 0.5, 0.8])(
    'of rate %d are 0 where the word is below it, and 1 / (1 − rate) elsewhere',
    (rate) => {
      const factors = dropoutFactors(5000, { rate, seed: 3 });
      const words = randomWords(3, 5000);
      expect(zeros(factors)).toEqual([...words.keys()].filter((i) => words[i]! / 2 ** 32 < rate));
      expect(new Set(factors)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]));
    },
  );

  it('are the same in every process', () => {
    // Found in Python.
    expect(zeros(dropoutFactors(64, { rate: 0.1, seed: 7 }))).toEqual([8, 52, 60]);
  });

  it.each([0.05, 0.1, 0.3, 0.5, 0.7, 0.95])('of rate %d drop that share, each value by itself', (rate) => {
    const length = 1_000_000;
    const factors = dropoutFactors(length, { rate, seed: 11 });
    const dropped = Uint8Array.from(factors, (factor) => Number(factor === 0));
    const mean = (values: number[] | Uint8Array | Float32Array) =>
      (values as number[]).reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt((rate * (1 - rate)) / length);
    // Four standard deviations.
    expect(Math.abs(mean(dropped) - rate)).toBeLessThan(4 * deviation);
    expect(Math.abs(mean(factors) - 1)).toBeLessThan((4 * deviation) / (1 - rate));
    // Neighbours, and neighbours in a row of 768, are both dropped with probability p².
    for (const lag of [1, 2, 768]) {
      const both = mean(dropped.slice(lag).map((value, i) => value * dropped[i]!));
      expect(Math.abs(both - rate ** 2)).toBeLessThan(8 * deviation * rate + 1e-4);
    }
  });

  it('of parts are those of the whole, wherever one ends', () => {
    const all = dropoutFactors(111, { rate: 0.4, seed: 5 });
    for (const length of [1, 16, 37]) {
      const parts = Array.from({ length: 3 }, (_, part) =>
        dropoutFactors(length, { rate: 0.4, seed: 5, part }),
      );
      expect(parts.flatMap((part) => [...part])).toEqual([...all.subarray(0, 3 * length)]);
    }
  });

  it('of different seeds have nothing in common', () => {
    const [a, b] = [
      dropoutFactors(100_000, { rate: 0.5, seed: 1 }),
      dropoutFactors(100_000, { rate: 0.5, seed: 2 }),
    ];
    const same = a.filter((factor, i) => factor === b[i]).length;
    expect(Math.abs(same / 100_000 - 0.5)).toBeLessThan(0.01);
  });
});

describe('headFactors', () => {
  it('are those of each head, batch by batch', () => {
    const [first, second] = [
      dropoutFactors(8, { rate: 0.5, seed: 1 }),
      dropoutFactors(8, { rate: 0.5, seed: 2 }),
    ];
    expect([...headFactors([2, 2, 2, 2], { rate: 0.5, seeds: [1, 2] })]).toEqual([
      ...first.slice(0, 4),
      ...second.slice(0, 4),
      ...first.slice(4),
      ...second.slice(4),
    ]);
  });
});
