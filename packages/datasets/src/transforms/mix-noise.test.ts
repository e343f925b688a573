import { describe, expect, it } from 'vitest';
import { mixNoise, noiseGain, rootMeanSquare } from './mix-noise.js';

const signal = Float32Array.of(0.5, -0.5, 0.5, -0.5);
const noise = Float32Array.of(0.25, 0.25, -0.25, -0.25);

describe('noiseGain', () => {
  it('makes equal powers at 0 dB and ten times the power at −10 dB', () => {
    expect(noiseGain(signal, noise, 0)).toBeCloseTo(2, 12);
    expect(noiseGain(signal, noise, -10)).toBeCloseTo(2 * Math.sqrt(10), 12);
  });

  it('gives the ratio it was asked for', () => {
    const scaled = noise.map((value) => value * noiseGain(signal, noise, -5));
    expect(20 * Math.log10(rootMeanSquare(signal) / rootMeanSquare(scaled))).toBeCloseTo(-5, 5);
  });
});

describe('mixNoise', () => {
  it('adds the scaled noise without clipping', () => {
    expect(Array.from(mixNoise(signal, noise, 4))).toEqual([1.5, 0.5, -0.5, -1.5]);
  });
});
