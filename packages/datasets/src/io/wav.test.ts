import { describe, expect, it } from 'vitest';
import { decodeWav } from './wav.js';

function chunk(name: string, content: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length);
  return Buffer.concat([Buffer.from(name), size, content, Buffer.alloc(content.length % 2)]);
}

function format({
  encoding = 1,
  channels = 1,
  rate = 8000,
  bits = 16,
  extra = Buffer.alloc(0),
} = {}): Buffer {
  const fmt = Buffer.alloc(16);
  fmt.writeUInt16LE(encoding, 0);
  fmt.writeUInt16LE(channels, 2);
  fmt.writeUInt32LE(rate, 4);
  fmt.writeUInt32LE((rate * channels * bits) / 8, 8);
  fmt.writeUInt16LE((channels * bits) / 8, 12);
  fmt.writeUInt16LE(bits, 14);
  return chunk('fmt ', Buffer.concat([fmt, extra]));
}

function wav(...chunks: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WAVE'), ...chunks]);
  return chunk('RIFF', body);
}

const samples = (...values: readonly number[]): Buffer => Buffer.from(Int16Array.from(values).buffer);
const data = chunk('data', samples(0, 16384, -32768, 32767));
const EXPECTED = [0, 0.5, -1, 32767 / 32768];

describe('decodeWav', () => {
  it('reads 16-bit samples as value / 32768', () => {
    const { sampleRate, channels } = decodeWav(wav(format(), data), 'a.wav');
    expect(sampleRate).toBe(8000);
    expect(channels.map((channel) => Array.from(channel))).toEqual([EXPECTED]);
  });

  it.each([
    ['an odd unknown chunk before the data', wav(format(), chunk('LIST', Buffer.alloc(3)), data)],
    ['the data before the format', wav(data, format())],
    ['a tail', Buffer.concat([wav(format(), data), Buffer.from([1, 2, 3])])],
    [
      'the extensible form',
      wav(format({ encoding: 0xfffe, extra: Buffer.from([22, 0, 16, 0, 0, 0, 0, 0, 1, 0]) }), data),
    ],
    ['sizes left open', openSizes(wav(format(), data))],
  ])('reads a file with %s', (_, bytes) => {
    expect(Array.from(decodeWav(bytes, 'a.wav').channels[0] as Float32Array)).toEqual(EXPECTED);
  });

  it('separates channels', () => {
    const { channels } = decodeWav(wav(format({ channels: 2 }), data), 'a.wav');
    expect(channels.map((channel) => Array.from(channel))).toEqual([
      [0, -1],
      [0.5, 32767 / 32768],
    ]);
  });

  it.each([
    ['another file', Buffer.from('version https://git-lfs.github.com/spec/v1'), /a\.wav: not a WAV file/],
    ['no format', wav(data), /without a fmt chunk/],
    ['no data', wav(format()), /without a data chunk/],
    ['no samples', wav(format(), chunk('data', Buffer.alloc(0))), /without samples/],
    ['cut data', wav(format(), data).subarray(0, -1), /a\.wav: truncated WAV file/],
    ['ADPCM', wav(format({ encoding: 2, bits: 4 }), data), /format 2 with 4 bits/],
    ['24 bits', wav(format({ bits: 24 }), data), /24 bits/],
    ['no channels', wav(format({ channels: 0 }), data), /0 channels/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeWav(bytes, 'a.wav')).toThrow(message);
  });
});

function openSizes(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(0xffffffff, 4);
  bytes.writeUInt32LE(0xffffffff, bytes.length - 12);
  return bytes;
}
