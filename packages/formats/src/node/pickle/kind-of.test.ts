import { describe, expect, it } from 'vitest';
import { shown } from './kind-of.js';

describe('shown', () => {
  it.each([
    ['Ses01', '"Ses01"'],
    ['x'.repeat(61), `"${'x'.repeat(60)}…"`],
    [-0.5, '-0.5'],
    [Number.NaN, 'NaN'],
    [true, 'true'],
    [null, 'nothing'],
    [2n ** 70n, 'a bigint'],
    [new Map(), 'a dictionary'],
    [new Set(), 'a set'],
    [Float64Array.of(1), 'a list'],
  ])('writes %o as %s', (value, text) => expect(shown(value)).toBe(text));

  it('does not write out a list that holds itself, or is deep', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    let deep: unknown = 0;
    for (let level = 0; level < 1e5; level++) deep = [deep];
    expect([shown(cyclic), shown(deep)]).toEqual(['a list', 'a list']);
  });
});
