import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileFormatError, OptionError } from '@g2d/core';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeWav, readWav, wavInfo } from './wav.js';

const fixtures = fileURLToPath(new URL('../../../../test/fixtures/io/wav', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'g2d-wav-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Golden {
  readonly file: string;
  readonly sample_rate: number;
  readonly channels: number;
  readonly frames: number;
  /** Interleaved. */
  readonly first: readonly number[];
  readonly mono_mean: number;
  readonly mono_l2: number;
  readonly mono_positions: readonly (readonly [number, number])[];
}
// Made with soundfile (libsndfile); wav.json names what is bad, and NOTICE.txt the licence of the sound.
const golden = JSON.parse(readFileSync(join(fixtures, 'wav.json'), 'utf8')) as {
  readonly good: readonly Golden[];
  readonly bad: readonly { readonly file: string }[];
  readonly tolerance_abs: number;
};

function chunk(name: string, content: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length);
  return Buffer.concat([Buffer.from(name), size, content, Buffer.alloc(content.length % 2)]);
}

interface Format {
  readonly encoding?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly bits?: number;
  readonly blockBytes?: number;
  readonly extra?: Buffer;
}

function format(options: Format = {}): Buffer {
  const { encoding = 1, channels = 1, rate = 8000, bits = 16, extra = Buffer.alloc(0) } = options;
  const { blockBytes = (channels * bits) / 8 } = options;
  const fmt = Buffer.alloc(16);
  fmt.writeUInt16LE(encoding, 0);
  fmt.writeUInt16LE(channels, 2);
  fmt.writeUInt32LE(rate, 4);
  fmt.writeUInt32LE(rate * blockBytes, 8);
  fmt.writeUInt16LE(blockBytes, 12);
  fmt.writeUInt16LE(bits, 14);
  return chunk('fmt ', Buffer.concat([fmt, extra]));
}

const MICROSOFT = '000000001000800000aa00389b71';
const AMBISONIC = '00002107d3118644c8c1ca000000';
const extensible = (encoding: number, identifier = MICROSOFT): Buffer =>
  Buffer.concat([Buffer.from([22, 0, 16, 0, 0, 0, 0, 0, encoding, 0]), Buffer.from(identifier, 'hex')]);

const wav = (...chunks: readonly Buffer[]): Buffer =>
  chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...chunks]));

const samples = (...values: readonly number[]): Buffer => Buffer.from(Int16Array.from(values).buffer);
const data = chunk('data', samples(0, 16384, -32768, 32767));
const EXPECTED = [0, 0.5, -1, 32767 / 32768];

const decoded = (bytes: Buffer): number[][] =>
  decodeWav(bytes, 'a.wav').channels.map((channel) => Array.from(channel));

describe('readWav', () => {
  it.each(golden.good)('equals libsndfile on $file', (expected) => {
    const path = join(fixtures, expected.file);
    const { sampleRate, channels } = readWav(path);
    expect(sampleRate).toBe(expected.sample_rate);
    expect(channels.map(({ length }) => length)).toEqual(
      Array.from({ length: expected.channels }, () => expected.frames),
    );
    const close = (actual: number, wanted: number): void =>
      expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(golden.tolerance_abs);
    expected.first.forEach((value, i) => {
      close(channels[i % channels.length]?.[Math.floor(i / channels.length)] as number, value);
    });
    const mono = Float32Array.from(
      { length: expected.frames },
      (_, i) => channels.reduce((sum, channel) => sum + (channel[i] as number), 0) / channels.length,
    );
    for (const [at, value] of expected.mono_positions) close(mono[at] as number, value);
    close(mono.reduce((sum, value) => sum + value, 0) / mono.length, expected.mono_mean);
    expect(Math.hypot(...mono)).toBeCloseTo(expected.mono_l2, 5);

    const info = wavInfo(path);
    expect([info.sampleRate, info.channelCount, info.frames]).toEqual([
      expected.sample_rate,
      expected.channels,
      expected.frames,
    ]);
  });

  it('reads a part as the whole has it', () => {
    const path = join(fixtures, 'wav/float64_extensible_stereo.wav');
    const whole = readWav(path).channels;
    const part = readWav(path, { start: 700, count: 60 });
    expect(part.channels).toEqual(whole.map((channel) => channel.slice(700, 760)));
    expect(readWav(path, { start: 1490 }).channels[1]).toEqual(whole[1]?.slice(1490));
    expect(readWav(path, { start: 1500 }).channels).toEqual([new Float32Array(0), new Float32Array(0)]);
  });

  it.each([{ start: 1501 }, { start: 1400, count: 101 }, { start: -1 }, { start: 0.5 }, { count: NaN }])(
    'refuses the part %j of 1,500 samples',
    (range) => {
      const path = join(fixtures, 'wav/pcm16_plain.wav');
      expect(() => readWav(path, range)).toThrow(OptionError);
      expect(() => readWav(path, range)).toThrow(/pcm16_plain\.wav/);
    },
  );

  it.each(golden.bad)('refuses $file, naming it', ({ file }) => {
    const path = join(fixtures, file);
    for (const read of [readWav, wavInfo]) {
      expect(() => read(path)).toThrow(FileFormatError);
      expect(() => read(path)).toThrow(path);
    }
  });

  it('has a golden or a verdict for every fixture', () => {
    const listed = [...golden.good, ...golden.bad].map(({ file }) => file).sort();
    const there = ['wav', 'wav_bad'].flatMap((part) =>
      readdirSync(join(fixtures, part)).map((name) => `${part}/${name}`),
    );
    expect(there.sort()).toEqual(listed);
  });
});

describe('wavInfo', () => {
  it('tells encoding and bits', () => {
    expect(wavInfo(join(fixtures, 'wav/float32.wav'))).toEqual({
      sampleRate: 8000,
      channelCount: 1,
      frames: 1500,
      encoding: 'float',
      bits: 32,
    });
    expect(wavInfo(join(fixtures, 'wav/pcm24.wav'))).toMatchObject({ encoding: 'integer', bits: 24 });
  });

  it('reads no samples, and a part of a gigabyte only where it lies', () => {
    const path = join(folder, 'sparse.wav');
    const bytes = wav(format({ channels: 2 }), chunk('data', Buffer.alloc(0)));
    bytes.writeUInt32LE(2 ** 30, bytes.length - 4);
    writeFileSync(path, bytes);
    truncateSync(path, bytes.length + 2 ** 30);
    const before = process.memoryUsage().arrayBuffers;
    expect(wavInfo(path).frames).toBe(2 ** 28);
    expect(readWav(path, { start: 2 ** 28 - 3 }).channels[1]).toEqual(new Float32Array(3));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});

describe('decodeWav', () => {
  it.each([
    ['8 bits', { bits: 8 }, Buffer.from([0, 64, 128, 255]), [-1, -0.5, 0, 127 / 128]],
    ['16 bits', { bits: 16 }, samples(0, 16384, -32768, 32767), EXPECTED],
    ['24 bits', { bits: 24 }, Buffer.from('000040000080ffffff', 'hex'), [0.5, -1, -(2 ** -23)]],
    ['32 bits', { bits: 32 }, Buffer.from(Int32Array.of(2 ** 30, -(2 ** 31)).buffer), [0.5, -1]],
    [
      '32-bit floats',
      { bits: 32, encoding: 3 },
      Buffer.from(Float32Array.of(1.5, -0.25).buffer),
      [1.5, -0.25],
    ],
    [
      '64-bit floats',
      { bits: 64, encoding: 3 },
      Buffer.from(Float64Array.of(0.1, -2).buffer),
      [Math.fround(0.1), -2],
    ],
    [
      '64 bits',
      { bits: 64 },
      Buffer.from(BigInt64Array.of(2n ** 62n, -(2n ** 63n), 0n).buffer),
      [0.5, -1, 0],
    ],
    ['5 bits in 8', { bits: 5, blockBytes: 1 }, Buffer.from([0, 64, 128, 192]), [-1, -0.5, 0, 0.5]],
    // libsndfile: sf_read_float of the codes 0x00, 0x7f, 0x80, 0xff and of 0x2a, 0xd5.
    [
      'mu-law',
      { bits: 8, encoding: 7 },
      Buffer.from([0x00, 0x7f, 0x80, 0xff]),
      [-32124 / 32768, 0, 32124 / 32768, 0],
    ],
    [
      'A-law',
      { bits: 8, encoding: 6 },
      Buffer.from([0x2a, 0xaa, 0x55, 0xd5]),
      [-32256 / 32768, 32256 / 32768, -8 / 32768, 8 / 32768],
    ],
  ])('reads %s', (_, options, content, expected) => {
    expect(decoded(wav(format(options), chunk('data', content)))).toEqual([expected]);
  });

  it.each([
    ['an odd unknown chunk before the data', wav(format(), chunk('LIST', Buffer.alloc(3)), data)],
    ['the data before the format', wav(data, format())],
    ['a tail', Buffer.concat([wav(format(), data), Buffer.from([1, 2, 3])])],
    ['the extensible form', wav(format({ encoding: 0xfffe, extra: extensible(1) }), data)],
    ['sizes left open', openSizes(wav(format(), data))],
    ['a RIFF size of 0', withRiffSize(wav(format(), data), 0)],
    ['a RIFF size that is too large', withRiffSize(wav(format(), data), 123_456_789)],
    ['sizes of 0', withDataSize(withRiffSize(wav(format(), data), 0), 0)],
    // 2^31 - 4096 rounded down to whole samples of 6 bytes, as sox does; 2^31 - 1 less what stands in front of the data.
    ['the size that sox leaves', withDataSize(wav(format(), data), 0x7ffff000 - (0x7ffff000 % 6))],
    ['the largest number, less the header', withDataSize(wav(format(), data), 0x7fffffff - 36)],
    ['64-bit sizes', rf64('RF64', { dataBytes: 8n })],
    ['64-bit sizes under their newer name', rf64('BW64', { dataBytes: 8n })],
    ['64-bit sizes left at 0', rf64('RF64', { dataBytes: 0n })],
    ['64-bit sizes left open', rf64('RF64', { dataBytes: 2n ** 64n - 1n })],
    ['a 64-bit size of another chunk', rf64('RF64', { dataBytes: 8n, junkBytes: 4n })],
    [
      'an odd chunk without its last byte',
      wav(format(), chunk('LIST', Buffer.alloc(3)).subarray(0, -1), data),
    ],
    [
      'an odd chunk with a last byte that is not 0',
      wav(format(), Buffer.concat([chunk('LIST', Buffer.alloc(3)).subarray(0, -1), Buffer.from('x')]), data),
    ],
    ['a list behind the data', wav(format(), data, chunk('LIST', Buffer.from('INFOISFT')))],
    ['an ambisonic identifier', wav(format({ encoding: 0xfffe, extra: extensible(1, AMBISONIC) }), data)],
    [
      'half a sample at the end',
      wav(format(), chunk('data', Buffer.concat([samples(0, 16384, -32768, 32767), Buffer.from([9])]))),
    ],
  ])('reads a file with %s', (_, bytes) => {
    expect(decoded(bytes)).toEqual([EXPECTED]);
  });

  it('separates channels', () => {
    expect(decoded(wav(format({ channels: 2 }), data))).toEqual([
      [0, -1],
      [0.5, 32767 / 32768],
    ]);
  });

  it.each([
    ['another file', Buffer.from('<html>404</html>'), /a\.wav: not a WAV file/],
    ['an empty file', Buffer.alloc(0), /a\.wav: not a WAV file/],
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1'),
      /a\.wav: is a Git LFS pointer/,
    ],
    ['no format', wav(data), /without a fmt chunk/],
    ['half a format', wav(chunk('fmt ', Buffer.alloc(8)), data), /without a fmt chunk/],
    ['no data', wav(format()), /without a data chunk/],
    ['no samples', wav(format(), chunk('data', Buffer.alloc(0))), /without samples/],
    [
      'no samples but another chunk',
      wav(format(), chunk('data', Buffer.alloc(0)), chunk('LIST', Buffer.from('INFOISFT'))),
      /without samples/,
    ],
    [
      'data that are cut, of a size that is possible',
      withDataSize(wav(format(), data), 0x60000000),
      /truncated WAV file: chunk "data" should hold 1610612736/,
    ],
    [
      '64-bit data that are cut',
      rf64('RF64', { dataBytes: 9n }),
      /truncated WAV file: .* should hold 9 bytes/,
    ],
    [
      'cut data',
      wav(format(), data).subarray(0, -1),
      /a\.wav: truncated WAV file: chunk "data" should hold 8/,
    ],
    [
      'ADPCM',
      wav(format({ encoding: 2, bits: 4 }), data),
      /format 2 \(Microsoft ADPCM\) with 4 bits.*ffmpeg/,
    ],
    ['an encoding without a name', wav(format({ encoding: 999 }), data), /format 999 with 16 bits/],
    ['48 bits', wav(format({ bits: 48 }), data), /format 1 \(integer\) with 48 bits/],
    ['16-bit floats', wav(format({ encoding: 3 }), data), /format 3 \(float\) with 16 bits/],
    [
      'another extensible format',
      wav(format({ encoding: 0xfffe, extra: Buffer.alloc(24) }), data),
      /format 65534/,
    ],
    ['no channels', wav(format({ channels: 0 }), data), /0 channels/],
    ['no rate', wav(format({ rate: 0 }), data), /at 0 Hz/],
    [
      'a format that disagrees with itself',
      wav(format({ blockBytes: 4 }), data),
      /gives 4 bytes .* expected 2/,
    ],
    [
      'a NaN',
      wav(format({ bits: 32, encoding: 3 }), chunk('data', Buffer.from(Float32Array.of(0, NaN).buffer))),
      /sample 1 .* NaN/,
    ],
    [
      'a million empty chunks',
      wav(...Array.from({ length: 10_001 }, () => chunk('junk', Buffer.alloc(0)))),
      /no WAV sound among/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeWav(bytes, 'a.wav')).toThrow(message);
    expect(() => decodeWav(bytes, 'a.wav')).toThrow(FileFormatError);
  });
});

describe('what else is called .wav', () => {
  it.each([
    ['aiff', /not a WAV file but an AIFF file.*ffmpeg/],
    ['w64', /a Wave64 file \(W64\).*ffmpeg/],
    ['flac', /a FLAC file.*ffmpeg/],
    ['ogg', /an Ogg file.*ffmpeg/],
  ])('says that %s is that', (name, message) => {
    expect(() => readWav(join(fixtures, `wav_bad/${name}.wav`))).toThrow(message);
  });

  it.each([
    ['ID3\x04\0\0\0\0\0\0', /an MP3 file/],
    ['\xff\xfb\x90\x64\0\0', /an MP3 file/],
    ['\xff\xf1\x50\x80\0\0', /an AAC file/],
    ['\0\0\0\x20ftypM4A ', /an MPEG-4 file/],
    ['RIFF\0\0\0\0AVI LIST', /an AVI video/],
    ['\xff\xfea\0b\0', /does not start with RIFF/],
  ])('knows %j', (start, message) => {
    expect(() => decodeWav(Buffer.from(start, 'latin1'), 'a.wav')).toThrow(message);
  });
});

function withDataSize(bytes: Buffer, size: number): Buffer {
  bytes.writeUInt32LE(size, 40);
  return bytes;
}

function rf64(
  name: string,
  { dataBytes, junkBytes }: { readonly dataBytes: bigint; readonly junkBytes?: bigint },
): Buffer {
  const sizes = Buffer.alloc(junkBytes === undefined ? 28 : 40);
  sizes.writeBigUInt64LE(dataBytes, 8);
  const junk = chunk('junk', Buffer.alloc(4));
  if (junkBytes !== undefined) {
    sizes.writeUInt32LE(1, 24);
    sizes.write('junk', 28);
    sizes.writeBigUInt64LE(junkBytes, 32);
    junk.writeUInt32LE(0xffffffff, 4);
  }
  const bytes = wav(chunk('ds64', sizes), junk, format(), data);
  bytes.write(name, 0);
  bytes.writeUInt32LE(0xffffffff, 4);
  bytes.writeUInt32LE(0xffffffff, bytes.length - 12);
  return bytes;
}

function openSizes(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(0xffffffff, 4);
  bytes.writeUInt32LE(0xffffffff, bytes.length - 12);
  return bytes;
}

function withRiffSize(bytes: Buffer, size: number): Buffer {
  bytes.writeUInt32LE(size, 4);
  return bytes;
}
