import { describe, expect, it } from 'vitest';
import { randomWords } from './random-words.js';

describe('randomWords', () => {
  it('are Threefry2x32 with 13 rounds', () => {
    // Known answer of the generator's authors for zeros; the others found in Python.
    const zero = randomWords(0, 16);
    expect([zero[0], zero[8]]).toEqual([0x9d1c5ec6, 0x8bd50731]);
    const seven = randomWords(7, 17);
    expect([seven[0], seven[1], seven[2], seven[8], seven[16]]).toEqual([
      0x9898d4e4, 0xd47524f9, 0x6e2f5305, 0x037e03e5, 0x2c15eb11,
    ]);
  });

  it('belong to their places, however many are asked for', () => {
    const all = randomWords(0xfedcba98, 100);
    for (const count of [0, 1, 8, 15, 16, 33]) {
      expect(randomWords(0xfedcba98, count)).toEqual(all.slice(0, count));
    }
    expect(randomWords(-19088744, 100)).toEqual(all);
    for (const from of [0, 1, 15, 16, 40])
      expect(randomWords(0xfedcba98, 60, from)).toEqual(all.slice(from, from + 60));
    // Beyond what 32 bits count.
    expect(randomWords(7, 3, 2 ** 36 + 21)).toEqual(randomWords(7, 8, 2 ** 36 + 16).slice(5));
    expect(randomWords(7, 16, 2 ** 36)).not.toEqual(randomWords(7, 16));
  });

  it('have every bit set half of the time, by itself', () => {
    const count = 100_000;
    const [words, others] = [randomWords(1, count), randomWords(2, count)];
    const share = (of: (i: number) => number) => {
      let ones = 0;
      for (let i = 0; i < count; i++) ones += of(i) & 1;
      return Math.abs(ones / count - 0.5);
    };
    // Five standard deviations.
    const limit = (5 * 0.5) / Math.sqrt(count);
    for (let bit = 0; bit < 32; bit++) {
      expect(share((i) => words[i]! >>> bit)).toBeLessThan(limit);
      expect(share((i) => (words[i]! ^ others[i]!) >>> bit)).toBeLessThan(limit);
      for (const lag of [1, 8, 16]) {
        expect(share((i) => (words[i]! ^ words[(i + lag) % count]!) >>> bit)).toBeLessThan(limit);
      }
    }
  });
});
