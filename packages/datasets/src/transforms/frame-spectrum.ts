import { OptionError } from '@g2d/core';
import FFT from 'fft.js';

/** Spectra of the frames of a sound. */
interface FrameSpectrum {
  /** F = frameLength / 2 + 1. */
  readonly bins: number;
  /**
   * |FFT|² of a frame under the window.
   *
   * @param samples The frame is `samples[start]` … `samples[start + frameLength − 1]`.
   * @returns `[F]`, the same array for every frame.
   */
  powers(samples: Float32Array | Float64Array, start: number): Float64Array;
}

/**
 * Power spectra under a periodic Hann window, w_i = ½ − ½ cos(2π i / frameLength), in double precision: in single precision
 * nearly empty bins would be off by up to 1.5 after the logarithm.
 *
 * @param frameLength Samples of a frame, a power of two, at least 2.
 * @throws {OptionError} If it is not.
 */
export function frameSpectrum(frameLength: number): FrameSpectrum {
  if (!(Number.isInteger(Math.log2(frameLength)) && frameLength >= 2 && frameLength <= MOST)) {
    throw new OptionError(`\`frameLength\` is ${frameLength}; it must be a power of two from 2 to ${MOST}.`, {
      option: 'frameLength',
      value: frameLength,
      accepted: `a power of two from 2 to ${MOST}`,
    });
  }
  const fft = new FFT(frameLength);
  const spectrum = fft.createComplexArray() as number[];
  const windowed = Array.from<number>({ length: frameLength }).fill(0);
  const hann = Float64Array.from(
    { length: frameLength },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / frameLength),
  );
  const bins = frameLength / 2 + 1;
  const powers = new Float64Array(bins);
  return {
    bins,
    powers(samples, start) {
      for (let i = 0; i < frameLength; i++) {
        windowed[i] = (samples[start + i] as number) * (hann[i] as number);
      }
      fft.realTransform(spectrum, windowed);
      for (let bin = 0; bin < bins; bin++) {
        const real = spectrum[2 * bin] as number;
        const imaginary = spectrum[2 * bin + 1] as number;
        powers[bin] = real * real + imaginary * imaginary;
      }
      return powers;
    },
  };
}

const MOST = 2 ** 20;
