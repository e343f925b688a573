import { OptionError } from '@g2d/core';
import { frameSpectrum } from './frame-spectrum.js';

interface LogPowerSpectrogramOptions {
  /** T, number of frames, spread evenly from the first to the last sample. */
  readonly frames: number;
  /** Samples per frame, a power of two; also the FFT's length. */
  readonly frameLength: number;
  /** F, how many frequency bins are kept from bin 0 on; at most frameLength / 2 + 1. */
  readonly bins: number;
  /** Decibels below the loudest point that become 0. */
  readonly rangeDecibels: number;
}

/**
 * A sound of any length as a picture of fixed size.
 *
 * Frame t of T starts at round(t (N − L) / (T − 1)): frames overlap or skip, the sound is stretched to T columns. Each
 * is weighted with a periodic Hann window, P = |FFT|², decibels = 10 log10(P + 1e-10), clipped to
 * [max − range, max] of the sound, mapped linearly to 0 … 255 and rounded.
 *
 * @param samples N samples in [−1, 1], at least one frame.
 * @returns `[F, T]`, row = frequency bin, low first.
 * @throws {OptionError} If the sound is shorter than a frame.
 */
export function logPowerSpectrogram(
  samples: Float32Array,
  { frames, frameLength, bins, rangeDecibels }: LogPowerSpectrogramOptions,
): Uint8Array {
  if (samples.length < frameLength) {
    throw new OptionError(`${samples.length} samples are fewer than one frame of ${frameLength}.`, {
      option: 'samples',
      value: samples.length,
      accepted: `at least ${frameLength} samples`,
    });
  }
  const spectrum = frameSpectrum(frameLength);
  const powers = new Float64Array(bins * frames);
  let loudest = 0;
  for (let t = 0; t < frames; t++) {
    const start = Math.round((t * (samples.length - frameLength)) / (frames - 1));
    const framePowers = spectrum.powers(samples, start);
    for (let bin = 0; bin < bins; bin++) {
      const power = framePowers[bin] as number;
      powers[bin * frames + t] = power;
      if (power > loudest) loudest = power;
    }
  }
  const floor = decibels(loudest) - rangeDecibels;
  const picture = new Uint8Array(powers.length);
  for (let i = 0; i < picture.length; i++) {
    const level = decibels(powers[i] as number) - floor;
    picture[i] = Math.round((255 * Math.max(0, level)) / rangeDecibels);
  }
  return picture;
}

const decibels = (power: number): number => 10 * Math.log10(power + 1e-10);
