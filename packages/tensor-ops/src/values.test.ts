import { describe, expect, it } from 'vitest';
import { kaimingNormal, xavierNormal } from './initializers.js';
import { accuracy, confusionMatrix } from './metrics.js';
import { randomStream } from './random.js';

describe('initializers', () => {
  const deviation = (values: Float32Array) =>
    Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);

  it('have the deviations of Kaiming (fan-out) and Xavier, and are not truncated', () => {
    const kernel = kaimingNormal([3, 3, 64, 128], randomStream(1));
    expect(deviation(kernel)).toBeCloseTo(Math.sqrt(2 / (9 * 128)), 3);
    expect(Math.max(...kernel) / deviation(kernel)).toBeGreaterThan(3.5);
    expect(deviation(xavierNormal([300, 100], randomStream(2)))).toBeCloseTo(Math.sqrt(2 / 400), 3);
  });
});

describe('metrics', () => {
  it('counts by true and predicted class', () => {
    const matrix = confusionMatrix([0, 0, 1, 2], [0, 1, 1, 1], 3);
    expect(matrix).toEqual([
      [1, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
    ]);
    expect(accuracy(matrix)).toBe(50);
    expect(() => confusionMatrix([0, 5], [0, 1], 2)).toThrow(/Sample 1 has label 5/);
    expect(() => confusionMatrix([0, 1], [0, 7], 2)).toThrow(/prediction 7; there are 2 classes/);
    expect(() => confusionMatrix([0], [0, 1], 2)).toThrow(/`predictions` has shape \[2\]/);
  });
});
