import { describe, expect, it } from 'vitest';
import { resample } from './resample.js';

const tone = (hertz: number, rate: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));

/** Largest difference away from the ends, where the sound is cut off. */
function difference(actual: Float32Array, expected: Float32Array, edge: number): number {
  let most = 0;
  for (let i = edge; i < expected.length - edge; i++) {
    most = Math.max(most, Math.abs((actual[i] as number) - (expected[i] as number)));
  }
  return most;
}

describe('resample', () => {
  it.each([
    [16000, 22050, 36363, 50113],
    [16000, 22050, 1, 2],
    [22050, 16000, 3, 3],
    [44100, 16000, 44100, 16000],
    [8000, 16000, 5, 10],
    [16000, 22050, 0, 0],
  ])('from %d to %d Hz makes of %d samples ⌈N · to / from⌉ = %d', (from, to, length, expected) => {
    expect(resample(new Float32Array(length), { from, to })).toHaveLength(expected);
  });

  it.each([
    [16000, 22050, 5000],
    [16000, 22050, 440],
    [44100, 16000, 5000],
    [48000, 22050, 9000],
    [8000, 48000, 3000],
    [11025, 8000, 100],
    [16000, 16001, 1234],
  ])('from %d to %d Hz a tone of %d Hz stays the same tone, without delay', (from, to, hertz) => {
    const resampled = resample(tone(hertz, from, 4000), { from, to });
    const expected = tone(hertz, to, resampled.length);
    expect(difference(resampled, expected, Math.ceil((70 * to) / Math.min(from, to)))).toBeLessThan(2e-5);
  });

  it('removes what the lower rate cannot hold', () => {
    const resampled = resample(tone(8100, 44100, 8000), { from: 44100, to: 16000 });
    expect(difference(resampled, new Float32Array(resampled.length), 70)).toBeLessThan(2e-5);
  });

  it('keeps a constant exactly away from the ends', () => {
    const resampled = resample(new Float32Array(400).fill(0.5), { from: 16000, to: 22050 });
    expect(difference(resampled, new Float32Array(resampled.length).fill(0.5), 90)).toBeLessThan(1e-7);
  });

  it('is linear and shifts with its input', () => {
    // 320 samples at 16,000 Hz are 441 at 22,050 Hz.
    const sound = Float32Array.from({ length: 1500 }, (_, i) => Math.sin(i * i));
    const later = new Float32Array(1820);
    later.set(sound, 320);
    const options = { from: 16000, to: 22050 };
    const resampled = resample(sound, options);
    expect(resample(later, options).subarray(441, 441 + resampled.length)).toEqual(resampled);
    expect(
      resample(
        sound.map((x) => x / 4),
        options,
      ),
    ).toEqual(resampled.map((x) => x / 4));
  });

  it('makes only the first samples if asked: the same ones', () => {
    const sound = tone(440, 16000, 1000);
    expect(resample(sound, { from: 16000, to: 22050, length: 100 })).toEqual(
      resample(sound, { from: 16000, to: 22050 }).slice(0, 100),
    );
  });

  it('copies a sound of the wanted rate', () => {
    const sound = Float32Array.of(1, 2, 3);
    const same = resample(sound, { from: 8000, to: 8000 });
    expect(same).toEqual(sound);
    expect(same.buffer).not.toBe(sound.buffer);
  });

  it.each([
    [{ from: 0, to: 8000 }, '`from` is 0'],
    [{ from: 8000, to: 0.5 }, '`to` is 0.5'],
    [{ from: 4294967295, to: 22050 }, 'at most 256 times'],
    [{ from: 1, to: 22050 }, 'at most 256 times'],
    [{ from: 8000, to: 16000, length: 7 }, '`length` is 7; the resampled sound has 6 samples'],
    [{ from: 8000, to: 16000, length: -1 }, '`length` is -1'],
  ])('refuses %o', (options, message) => {
    expect(() => resample(new Float32Array(3), options)).toThrow(message);
  });
});
