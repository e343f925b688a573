import { OptionError } from '@g2d/core';
import { frameSpectrum } from './frame-spectrum.js';

interface LogSpectrogramOptions {
  /** Samples per frame, a power of two; also the FFT's length. */
  readonly frameLength: number;
  /** Samples from one frame to the next. */
  readonly hop: number;
  /**
   * What is put before and behind the sound, frameLength / 2 samples each: zeros, or the sound mirrored at its first and last
   * sample. Default `'zeros'`, as librosa has it since 0.9; before it was `'reflect'`.
   */
  readonly padding?: 'zeros' | 'reflect';
}

/**
 * The logarithm of a sound's short-time spectrum: ln(|X| + 1e-7), with X as librosa's `stft` gives it.
 *
 * Frame t is centred on sample t · hop, under a periodic Hann window. Silence is −16.118.
 *
 * @param samples N samples, at least one.
 * @returns `[F, T]`, low frequencies first: F = frameLength / 2 + 1, T = 1 + ⌊N / hop⌋. With its single channel `[F, T, 1]`.
 * @throws {OptionError} If there are no samples, or an option is out of range.
 * @example
 * logSpectrogram(new Float32Array(66150), { frameLength: 512, hop: 353 }).length; // 257 · 188
 */
export function logSpectrogram(
  samples: Float32Array,
  { frameLength, hop, padding = 'zeros' }: LogSpectrogramOptions,
): Float32Array {
  if (samples.length === 0) {
    throw new OptionError('A sound without samples has no spectrogram.', {
      option: 'samples',
      value: 0,
      accepted: 'at least one sample',
    });
  }
  if (!(Number.isInteger(hop) && hop >= 1)) {
    throw new OptionError(`\`hop\` is ${hop}; it must be a whole number of samples, at least 1.`, {
      option: 'hop',
      value: hop,
      accepted: 'a whole number ≥ 1',
    });
  }
  const { bins, powers } = frameSpectrum(frameLength);
  const padded = PAD[padding](samples, frameLength / 2);
  const frames = 1 + Math.floor(samples.length / hop);
  const spectrogram = new Float32Array(bins * frames);
  for (let t = 0; t < frames; t++) {
    const spectrum = powers(padded, t * hop);
    for (let bin = 0; bin < bins; bin++) {
      spectrogram[bin * frames + t] = Math.log(Math.sqrt(spectrum[bin] as number) + 1e-7);
    }
  }
  return spectrogram;
}

const PAD = {
  zeros: (samples: Float32Array, width: number): Float32Array => {
    const padded = new Float32Array(samples.length + 2 * width);
    padded.set(samples, width);
    return padded;
  },
  reflect: (samples: Float32Array, width: number): Float32Array => {
    // There and back again, without the ends twice; 1 for a single sample.
    const period = Math.max(1, 2 * (samples.length - 1));
    return Float32Array.from({ length: samples.length + 2 * width }, (_, i) => {
      const phase = (((i - width) % period) + period) % period;
      return samples[Math.min(phase, period - phase)] as number;
    });
  },
} as const;
