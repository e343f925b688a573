import { describe, expect, it } from 'vitest';
import { logPowerSpectrogram } from './log-power-spectrogram.js';

const options = { frames: 4, frameLength: 8, bins: 4, rangeDecibels: 60 };

/** Column t of `[F, T]`. */
const column = (picture: Uint8Array, t: number): number[] =>
  [0, 1, 2, 3].map((bin) => picture[bin * 4 + t] as number);

describe('logPowerSpectrogram', () => {
  it('puts a tone into its bin, and −6 dB into the neighbours, as the Hann window does', () => {
    // cos(2π 2 i / 8): periodic Hann gives amplitudes N/4 in bin 2 and N/8 in bins 1 and 3, nothing in bin 0.
    const tone = Float32Array.from({ length: 8 }, (_, i) => Math.cos((2 * Math.PI * 2 * i) / 8));
    const half = Math.round(((60 - 20 * Math.log10(2)) / 60) * 255);
    for (let t = 0; t < 4; t++) {
      expect(column(logPowerSpectrogram(tone, options), t)).toEqual([0, half, 255, half]);
    }
  });

  it('spreads frames from the first to the last sample', () => {
    // N = 15: frames start at round(0, 2.33, 4.67, 7) = 0, 2, 5, 7. An impulse at 9 is sample 9, 7, 4, 2 of them, where
    // the window is 0 (outside), 0.146447, 1, 0.5; an impulse's spectrum is flat.
    const impulse = new Float32Array(15);
    impulse[9] = 1;
    const picture = logPowerSpectrogram(impulse, options);
    const level = (weight: number): number => Math.round((255 * (60 + 20 * Math.log10(weight))) / 60);
    expect(column(picture, 0)).toEqual([0, 0, 0, 0]);
    expect(column(picture, 1)).toEqual(Array.from({ length: 4 }, () => level((1 - Math.SQRT1_2) / 2)));
    expect(column(picture, 2)).toEqual([255, 255, 255, 255]);
    expect(column(picture, 3)).toEqual(Array.from({ length: 4 }, () => level(0.5)));
  });

  it('does not depend on loudness', () => {
    const sound = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i * i));
    const picture = logPowerSpectrogram(sound, options);
    expect(
      logPowerSpectrogram(
        sound.map((x) => x / 4),
        options,
      ),
    ).toEqual(picture);
    expect(picture.length).toBe(16);
  });

  it('makes silence one flat picture', () => {
    expect(new Set(logPowerSpectrogram(new Float32Array(20), options))).toEqual(new Set([255]));
  });

  it('refuses a sound shorter than a frame', () => {
    expect(() => logPowerSpectrogram(new Float32Array(7), options)).toThrow(
      /7 samples are fewer than one frame of 8/,
    );
  });
});
