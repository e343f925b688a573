import { describe, expect, it } from 'vitest';
import { clipToUnit, monoMix, repeatedPiece } from './waveform.js';

const of = (...values: readonly number[]): Float32Array => Float32Array.from(values);

describe('monoMix', () => {
  it('takes the mean of the channels', () => {
    expect(monoMix([of(1, 0.5), of(0, -0.5)])).toEqual(of(0.5, 0));
    expect(monoMix([of(1), of(1), of(0.25)])).toEqual(of(0.75));
  });

  it('copies a single channel', () => {
    const channel = of(1, 2);
    const mono = monoMix([channel]);
    expect(mono).toEqual(channel);
    expect(mono.buffer).not.toBe(channel.buffer);
  });

  it('refuses channels of different length, or none', () => {
    expect(() => monoMix([of(1), of(1, 2)])).toThrow('Channels of 1, 2 samples cannot be mixed');
    expect(() => monoMix([])).toThrow('Channels of no samples');
  });
});

describe('repeatedPiece', () => {
  it.each([
    [0, 7, [1, 2, 3, 1, 2, 3, 1]],
    [2, 5, [3, 1, 2, 3, 1]],
    [7, 2, [2, 3]],
    [1, 1, [2]],
    [0, 0, []],
  ])('from %d on, %d samples', (start, length, expected) => {
    expect(Array.from(repeatedPiece(of(1, 2, 3), { start, length }))).toEqual(expected);
  });

  it('equals doubling until it is long enough, then cropping', () => {
    const sound = of(1, 2, 3);
    let doubled = Array.from(sound);
    while (doubled.length < 20) doubled = [...doubled, ...doubled];
    for (let start = 0; start <= 10; start++) {
      expect(Array.from(repeatedPiece(sound, { start, length: 10 }))).toEqual(
        doubled.slice(start, start + 10),
      );
    }
  });

  it('refuses a sound without samples, and pieces that are none', () => {
    expect(() => repeatedPiece(of(), { length: 3 })).toThrow('without samples');
    expect(() => repeatedPiece(of(1), { length: -1 })).toThrow('`length` is -1');
    expect(() => repeatedPiece(of(1), { start: 0.5, length: 1 })).toThrow('`start` is 0.5');
  });
});

describe('clipToUnit', () => {
  it('clips to ±1 and leaves its input alone', () => {
    const sound = of(-1.5, -1, 0.25, 1, 7);
    expect(clipToUnit(sound)).toEqual(of(-1, -1, 0.25, 1, 1));
    expect(sound[0]).toBe(-1.5);
  });
});
