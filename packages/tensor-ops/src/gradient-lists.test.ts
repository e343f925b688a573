import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { gradientCosine, gradientDot, gradientNorm, scaleGradients } from './gradient-lists.js';
import { expectNoLeak, expectTensorClose } from './testing.js';

const list = (entries: Readonly<Record<string, readonly number[] | null>>) =>
  Object.entries(entries).map(([name, values]) => ({ name, tensor: values && tf.tensor1d([...values]) }));

const a = list({ 'audio/w': [3, 4], 'audio/b': [1], 'video/w': [2, 0], head: null });
// In another order.
const b = list({ head: [5], 'video/w': null, 'audio/b': [-2], 'audio/w': [1, 2] });

describe('products of lists of gradients', () => {
  it('are sums over variables, paired by name, null as zeros', () => {
    expect(gradientDot(a, b)).toBe(3 + 8 - 2);
    expect(gradientDot(a, b, ['audio/w'])).toBe(11);
    expect(gradientDot(a, b, new Set(['head', 'video/w']))).toBe(0);
    expect(gradientDot([], [])).toBe(0);
    expect(gradientNorm(a)).toBeCloseTo(Math.sqrt(9 + 16 + 1 + 4), 6);
    expect(gradientNorm(a, ['audio/w'])).toBe(5);
    expect(gradientNorm(a, ['head'])).toBe(0);
  });

  it('count a name once', () => {
    expect(gradientDot(a, b, ['audio/w', 'audio/w'])).toBe(11);
  });

  it('have an angle, and none with zero', () => {
    expect(gradientCosine(a, b)).toBeCloseTo(9 / Math.sqrt(30 * 34), 6);
    expect(gradientCosine(a, a)).toBeCloseTo(1, 6);
    expect(gradientCosine(a, a)).toBeLessThanOrEqual(1);
    expect(
      gradientCosine(
        a,
        scaleGradients(a, () => -3),
      ),
    ).toBeCloseTo(-1, 6);
    expect(gradientCosine(a, b, ['head'])).toBe(0);
    expect(gradientCosine(a, b, ['audio/w'].values())).toBeCloseTo(11 / (5 * Math.sqrt(5)), 6);
  });

  it('refuse variables that a list does not know', () => {
    expect(() => gradientDot(a, b, ['audio/v'])).toThrow(
      /no entry for "audio\/v" in a list of gradients of 4/,
    );
    expect(() => gradientDot(a, b.slice(1))).toThrow(/no entry for "head" .* of 3 variables/);
    expect(() => gradientNorm(a, ['tail'])).toThrow(/no entry for "tail"/);
    expect(() => gradientDot(a, list({ 'audio/b': [1, 2] }), ['audio/b'])).toThrow(/audio\/b.* has shape/);
  });

  it('leave no tensor behind', () => {
    expectNoLeak(() => void [gradientDot(a, b), gradientNorm(a), gradientCosine(a, b)]);
  });
});

describe('scaleGradients', () => {
  it('multiplies by a factor of the variable, and leaves null and a factor of 1 alone', () => {
    const scaled = scaleGradients(a, (name) => (name.startsWith('audio/') ? 0.5 : 1));
    expect(scaled.map(({ name }) => name)).toEqual(a.map(({ name }) => name));
    expectTensorClose(scaled[0]!.tensor!, [1.5, 2], {});
    expectTensorClose(scaled[1]!.tensor!, [0.5], {});
    expect(scaled[2]!.tensor).toBe(a[2]!.tensor);
    expect(scaled[3]!.tensor).toBeNull();
  });

  it('makes zeros of anything with a factor of 0', () => {
    const [zeros] = scaleGradients(list({ w: [NaN, Infinity, 2] }), () => 0);
    expectTensorClose(zeros!.tensor!, [0, 0, 0], {});
  });

  it('clips the length of a list', () => {
    const clipped = scaleGradients(a, () => Math.min(1, 2 / gradientNorm(a)));
    expect(gradientNorm(clipped)).toBeCloseTo(2, 6);
  });

  it('refuses factors that are not finite, before it makes anything', () => {
    expectNoLeak(() => {
      expect(() => scaleGradients(a, (name) => (name === 'head' ? NaN : 2))).toThrow(/"head" is NaN/);
    });
  });
});
