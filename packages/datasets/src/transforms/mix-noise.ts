/**
 * The factor g that puts noise at a signal-to-noise ratio: 10 log10(mean x² / mean (g z)²) = decibels.
 *
 * @param signal x.
 * @param noise z, not silent.
 * @param decibels Negative: the noise is louder than the signal.
 */
export function noiseGain(signal: Float32Array, noise: Float32Array, decibels: number): number {
  return rootMeanSquare(signal) / rootMeanSquare(noise) / 10 ** (decibels / 20);
}

/** x + g z, sample by sample, not clipped; both of one length. */
export function mixNoise(signal: Float32Array, noise: Float32Array, gain: number): Float32Array {
  return signal.map((value, i) => value + gain * (noise[i] as number));
}

/** √(mean x²) */
export function rootMeanSquare(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] as number) ** 2;
  return Math.sqrt(sum / samples.length);
}
