import { describe, expect, it } from 'vitest';
import { kaimingNormal, xavierNormal } from './initializers.js';
import { accuracy, confusionMatrix } from './metrics.js';
import { randomStream } from './random.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';
import { stepDecay } from './step-decay.js';

describe('stepDecay', () => {
  it('drops after the milestone, not in it', () => {
    const rates = [42, 43, 50, 51].map((epoch) => stepDecay(0.05, epoch, { after: [42, 50] }));
    expect(rates[0]).toBe(0.05);
    expect(rates[1]).toBeCloseTo(0.005, 12);
    expect(rates[2]).toBeCloseTo(0.005, 12);
    expect(rates[3]).toBeCloseTo(0.0005, 12);
  });
});

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

describe('safetensors', () => {
  const arrays = {
    'head/audio/kernel': { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
    bias: { shape: [], values: Float32Array.of(-0.5) },
  };

  it('gives back what was encoded', () => {
    expect(decodeSafetensors(encodeSafetensors(arrays, { epoch: '3' }), 'x')).toEqual(arrays);
  });

  it('has the layout of the format: length, JSON padded to eight bytes, data in the header’s order', () => {
    const file = encodeSafetensors(arrays);
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)))).toEqual({
      bias: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
      'head/audio/kernel': { dtype: 'F32', shape: [2, 3], data_offsets: [4, 28] },
    });
    expect(file.length).toBe(8 + length + 28);
  });

  it('refuses truncated files, other types and data outside of the file', () => {
    const file = encodeSafetensors(arrays);
    expect(() => decodeSafetensors(file.subarray(0, 5), 'a.safetensors')).toThrow(
      /a\.safetensors: .*truncated/,
    );
    expect(() => decodeSafetensors(file.subarray(0, file.length - 1), 'a')).toThrow(/outside of the file/);
    const half = new TextEncoder().encode('{"x":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}');
    const other = new Uint8Array(8 + half.length + 2);
    new DataView(other.buffer).setBigUint64(0, BigInt(half.length), true);
    other.set(half, 8);
    expect(() => decodeSafetensors(other, 'a')).toThrow(/"x" is not float32/);
    expect(() => encodeSafetensors({ x: { shape: [2], values: Float32Array.of(1) } })).toThrow(
      /`x` has shape/,
    );
  });
});
