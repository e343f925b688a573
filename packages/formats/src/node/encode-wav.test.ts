import { describe, expect, it } from 'vitest';
import { encodeWav } from './encode-wav.js';

describe('encodeWav', () => {
  it('writes a 16 bit PCM file of one channel and clips what is too loud', () => {
    const bytes = encodeWav(Float32Array.of(0, 1, -1, 2, Number.NaN), 8000);
    expect(bytes).toHaveLength(54);
    expect(bytes.toString('latin1', 0, 4)).toBe('RIFF');
    expect(bytes.readUInt32LE(4)).toBe(46);
    expect([bytes.readUInt16LE(20), bytes.readUInt16LE(22), bytes.readUInt32LE(24)]).toEqual([1, 1, 8000]);
    expect(bytes.readUInt32LE(40)).toBe(10);
    expect([0, 1, 2, 3, 4].map((index) => bytes.readInt16LE(44 + index * 2))).toEqual([
      0, 32767, -32767, 32767, 0,
    ]);
  });
});
