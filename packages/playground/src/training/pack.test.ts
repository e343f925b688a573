import { describe, expect, it } from 'vitest';
import { decodePack, encodePack, partsOf, toInt16, type Pack } from './pack.js';

const picture = (first: number): Uint8Array => Uint8Array.from({ length: 784 }, (_, i) => (first + i) % 256);
const pack: Pack = {
  pairs: [
    { digit: 3, recording: 0, clip: 0, offset: 1 },
    { digit: 9, recording: 1, clip: 0, offset: 0 },
  ],
  pictures: [picture(1), picture(2)],
  recordings: [Int16Array.of(-32768, 0, 32767), Int16Array.of(1)],
  clips: [Int16Array.of(5, -6, 7, 8)],
  componentsOf: picture(9),
};

describe('a file of the data', () => {
  it('comes back as it went', () => {
    expect(decodePack(encodePack(pack), 'train.pack')).toEqual(pack);
  });

  it('has the parts of each pair', () => {
    const [first, second] = partsOf(pack);
    expect(first).toEqual({
      digit: 3,
      picture: picture(1),
      speech: Float32Array.of(-1, 0, 32767 / 32768),
      noise: Float32Array.of(-6 / 32768, 7 / 32768, 8 / 32768),
    });
    expect([second?.speech.length, second?.noise[0]]).toEqual([1, 5 / 32768]);
  });

  it('keeps sounds of 16 bits exactly', () => {
    const values = Int16Array.of(-32768, -1, 0, 1, 32767);
    expect(toInt16(Float32Array.from(values, (value) => value / 32768))).toEqual(values);
  });

  it.each([
    ['cut short', (file: Uint8Array) => file.subarray(0, -1)],
    ['nothing', () => new Uint8Array(0)],
    ['a page', () => new TextEncoder().encode('<!doctype html><title>404</title>')],
  ])('says which one is broken: %s', (_, broken) => {
    expect(() => decodePack(broken(encodePack(pack)), 'test.pack')).toThrow(
      'test.pack is no complete file of the data. Load the page again, or make it again: npm run site.',
    );
  });
});
