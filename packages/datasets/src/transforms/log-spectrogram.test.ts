import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { logSpectrogram } from './log-spectrogram.js';

// Made with librosa; see test/fixtures/transforms/NOTICE.txt.
const { cases } = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/transforms/librosa/stft.json', import.meta.url), 'utf8'),
) as {
  readonly cases: readonly {
    readonly samples: readonly number[];
    readonly frameLength: number;
    readonly hop: number;
    readonly padding: 'zeros' | 'reflect';
    readonly shape: readonly number[];
    readonly values: readonly number[];
  }[];
};

describe('logSpectrogram', () => {
  it('puts a tone into its bin, and half of it into the neighbours, as the Hann window does', () => {
    // cos(2π 2 i / 8): amplitude N/4 = 2 in bin 2, N/8 = 1 in bins 1 and 3. Frame 1 is centred on sample 4, so it covers 0 … 7.
    const tone = Float32Array.from({ length: 8 }, (_, i) => Math.cos((2 * Math.PI * 2 * i) / 8));
    const spectrogram = logSpectrogram(tone, { frameLength: 8, hop: 4 });
    expect(spectrogram).toHaveLength(5 * 3);
    const frame = [0, 1, 2, 3, 4].map((bin) => spectrogram[bin * 3 + 1] as number);
    [Math.log(1e-7), 0, Math.log(2), 0, Math.log(1e-7)].forEach((expected, bin) => {
      // Bins 0 and 4 are empty but for the rounding of the samples to float32.
      expect(Math.abs((frame[bin] as number) - expected)).toBeLessThan(expected < -1 ? 0.5 : 1e-6);
    });
  });

  it.each(cases)(
    'equals librosa: frames of $frameLength, hop $hop, $padding, $shape',
    ({ samples, shape, values, ...options }) => {
      const spectrogram = logSpectrogram(Float32Array.from(samples), options);
      expect(spectrogram).toHaveLength((shape[0] as number) * (shape[1] as number));
      values.forEach((expected, i) => {
        expect(Math.abs((spectrogram[i] as number) - expected), `position ${i}`).toBeLessThan(1e-5);
      });
    },
  );

  it('makes silence ln 1e-7', () => {
    const silence = logSpectrogram(new Float32Array(20), { frameLength: 8, hop: 8, padding: 'reflect' });
    expect(new Set(silence)).toEqual(new Set([Math.fround(Math.log(1e-7))]));
  });

  it('mirrors a single sample to a constant', () => {
    // A constant under the Hann window: amplitude 4 in bin 0, 2 in bin 1, 0 in the others.
    const spectrogram = logSpectrogram(Float32Array.of(1), { frameLength: 8, hop: 1, padding: 'reflect' });
    expect(spectrogram[0]).toBeCloseTo(Math.log(4), 5);
    expect(spectrogram[2]).toBeCloseTo(Math.log(2), 5);
  });

  it.each([
    [{ frameLength: 500, hop: 1 }, '`frameLength` is 500; it must be a power of two'],
    [{ frameLength: 1, hop: 1 }, '`frameLength` is 1'],
    [{ frameLength: 2 ** 21, hop: 1 }, '`frameLength` is 2097152'],
    [{ frameLength: 8, hop: 0 }, '`hop` is 0'],
  ])('refuses %o', (options, message) => {
    expect(() => logSpectrogram(new Float32Array(8), options)).toThrow(message);
  });

  it('refuses a sound without samples', () => {
    expect(() => logSpectrogram(new Float32Array(0), { frameLength: 8, hop: 1 })).toThrow('without samples');
  });
});
