import { checkKeys, FileFormatError, OptionError } from '@g2d/core';
import { sourceOf, withFile, type BufferSource } from './byte-source.js';
import { findWavChunks, wavContainer, type Container } from './wav-chunks.js';

/** What a WAV file says about its samples. */
export interface WavInfo {
  /** Hz. */
  readonly sampleRate: number;
  readonly channelCount: number;
  /** Samples of each channel. */
  readonly frames: number;
  readonly encoding: 'integer' | 'float' | 'mu-law' | 'a-law';
  /** Of one sample as stored: 8, 16, 24, 32 or 64 for integers, of which the highest count; 32 or 64 for floats; 8. */
  readonly bits: number;
}

/** Decoded sound. */
export interface Wav {
  /** Hz. */
  readonly sampleRate: number;
  /** One array per channel; integer samples lie in [−1, 1). */
  readonly channels: readonly Float32Array[];
}

/** A piece of the sound, in samples of each channel. */
export interface WavRange {
  /** Default 0. */
  readonly start?: number;
  /** Default: to the end. */
  readonly count?: number;
}

interface Layout extends WavInfo {
  readonly container: Container;
  /** Where the samples start in the file. */
  readonly dataStart: number;
}

/** Reads one sample, given the offset of its first byte. */
type SampleReader = (view: DataView, at: number, littleEndian: boolean) => number;

/** Integers become value / 2^(bits − 1); 8 bits are unsigned. */
const READERS: Readonly<Record<string, SampleReader>> = {
  integer8: (view, at) => (view.getUint8(at) - 128) / 128,
  integer16: (view, at, little) => view.getInt16(at, little) / 32768,
  integer24: (view, at, little) =>
    (view.getUint8(little ? at : at + 2) + 256 * view.getInt16(little ? at + 1 : at, little)) / 8388608,
  integer32: (view, at, little) => view.getInt32(at, little) / 2147483648,
  integer64: (view, at, little) => Number(view.getBigInt64(at, little)) / 2 ** 63,
  float32: (view, at, little) => view.getFloat32(at, little),
  float64: (view, at, little) => view.getFloat64(at, little),
  'mu-law8': (view, at) => muLaw(view.getUint8(at)) / 32768,
  'a-law8': (view, at) => aLaw(view.getUint8(at)) / 32768,
};

/** Sound files have a handful; a damaged one could have millions of empty ones. */
const MOST_CHUNKS = 10_000;

/**
 * Reads a WAV file: RIFF, RIFX (big-endian), RF64 or BW64 (64-bit sizes); PCM of up to 64 bits, float of 32 or 64 bits,
 * mu-law or A-law; plain or extensible header, any number of channels. Chunks may come in any order, unknown ones are
 * skipped. The size that RIFF states is not trusted, and where a writer to a pipe left a placeholder for the size of the
 * data, they go on to the end of the file.
 *
 * @param path The file.
 * @param range Only this part is read from the disk. Default: all.
 * @throws {FileFormatError} If it is not such a file, is cut off, holds no samples, or samples that are no numbers.
 * @throws {OptionError} If the sound is shorter than `range` asks for.
 * @see ITU-R BS.2088 for RF64 and BW64, ITU-T G.711 for mu-law and A-law
 */
export function readWav(path: string, range: WavRange = {}): Wav {
  return withFile(path, (file) => decode(file, range));
}

/** What the headers say; no sample is read. @throws {FileFormatError} As `readWav`. */
export function wavInfo(path: string): WavInfo {
  return withFile(path, (file) => {
    const { sampleRate, channelCount, frames, encoding, bits } = layoutOf(file);
    return { sampleRate, channelCount, frames, encoding, bits };
  });
}

/**
 * As `readWav`, of bytes in memory.
 *
 * @param bytes The file's content.
 * @param path Its name, for error messages.
 */
export function decodeWav(bytes: Uint8Array, path: string): Wav {
  return decode(sourceOf(bytes, path), {});
}

function decode(source: BufferSource, range: WavRange): Wav {
  checkKeys(range, { start: true, count: true }, 'readWav');
  const { sampleRate, channelCount, frames, encoding, bits, dataStart, container } = layoutOf(source);
  const { start = 0, count = frames - start } = range;
  if (!(Number.isInteger(start) && Number.isInteger(count) && start >= 0 && count >= 0)) {
    throw rangeError(`${source.path}: samples ${start} to ${start + count} are no range.`, range, frames);
  }
  if (start + count > frames) {
    throw rangeError(
      `${source.path} has ${frames} samples; ${count} from ${start} on were asked for.`,
      range,
      frames,
    );
  }
  const sampleBytes = bits / 8;
  const frameBytes = channelCount * sampleBytes;
  const bytes = source.read(dataStart + start * frameBytes, count * frameBytes);
  const view = new DataView(bytes.buffer);
  const sample = READERS[`${encoding}${bits}`] as SampleReader;
  const channels = Array.from({ length: channelCount }, (_, channel) => {
    const samples = new Float32Array(count);
    for (let i = 0, at = channel * sampleBytes; i < count; i++, at += frameBytes) {
      samples[i] = sample(view, at, container.littleEndian);
    }
    return samples;
  });
  if (encoding === 'float') refuseNonFinite(channels, start, source.path);
  return { sampleRate, channels };
}

/** One such sample would make every number of a spectrogram NaN. */
function refuseNonFinite(channels: readonly Float32Array[], start: number, path: string): void {
  for (const samples of channels) {
    const at = samples.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) {
      throw new FileFormatError(
        path,
        `sample ${start + at} of the WAV file is ${samples[at]}; make it again.`,
      );
    }
  }
}

function rangeError(message: string, value: WavRange, frames: number): OptionError {
  return new OptionError(message, { option: 'range', value, accepted: `within 0 to ${frames}` });
}

function layoutOf(source: BufferSource): Layout {
  const { path } = source;
  const container = wavContainer(source);
  const numbers = container.littleEndian ? LITTLE : BIG;
  const { format, data } = findWavChunks(source, container, MOST_CHUNKS);
  const fmt = source.read(format.start, Math.min(format.size, EXTENSIBLE_BYTES));
  const channelCount = numbers.uint16(fmt, 2);
  const sampleRate = numbers.uint32(fmt, 4);
  const frameBytes = numbers.uint16(fmt, 12);
  const statedBits = numbers.uint16(fmt, 14);
  const code = encodingCode(fmt, numbers);
  const encoding = ENCODINGS[code];
  // 12 or 20 bits are the highest of 16 or 24.
  const bits = encoding === 'integer' ? 8 * Math.ceil(statedBits / 8) : statedBits;
  if (encoding === undefined || !Object.hasOwn(READERS, `${encoding}${bits}`)) {
    const name = encoding ?? OTHER_ENCODINGS[code];
    throw new FileFormatError(
      path,
      `WAV format ${code}${name === undefined ? '' : ` (${name})`} with ${statedBits} bits; PCM of 1 to 32 or of 64 bits, ` +
        'float of 32 or 64 bits, mu-law and A-law can be read. Convert it, for example with: ' +
        'ffmpeg -i in.wav -acodec pcm_s16le out.wav',
      { offset: format.start },
    );
  }
  if (channelCount < 1 || sampleRate < 1) {
    throw new FileFormatError(path, `WAV file with ${channelCount} channels at ${sampleRate} Hz.`, {
      offset: format.start,
    });
  }
  const expectedBytes = (channelCount * bits) / 8;
  if (frameBytes !== expectedBytes) {
    throw new FileFormatError(
      path,
      `the WAV format gives ${frameBytes} bytes to a sample of ${channelCount} channels with ${statedBits} bits; ` +
        `expected ${expectedBytes}. Make the file again.`,
      { offset: format.start },
    );
  }
  const frames = Math.floor(data.size / frameBytes);
  if (frames === 0) {
    throw new FileFormatError(path, 'WAV file without samples: its data chunk is empty.', {
      offset: data.start,
    });
  }
  return { sampleRate, channelCount, frames, encoding, bits, container, dataStart: data.start };
}

const LITTLE = {
  uint16: (bytes: Buffer, at: number): number => bytes.readUInt16LE(at),
  uint32: (bytes: Buffer, at: number): number => bytes.readUInt32LE(at),
};
const BIG = {
  uint16: (bytes: Buffer, at: number): number => bytes.readUInt16BE(at),
  uint32: (bytes: Buffer, at: number): number => bytes.readUInt32BE(at),
};

/** By the numbers that Microsoft gave them. */
const ENCODINGS: Readonly<Record<number, WavInfo['encoding']>> = {
  1: 'integer',
  3: 'float',
  6: 'a-law',
  7: 'mu-law',
};
/** Frequent ones that need a decoder, for messages. */
const OTHER_ENCODINGS: Readonly<Record<number, string>> = {
  0x02: 'Microsoft ADPCM',
  0x11: 'IMA ADPCM',
  0x31: 'GSM 6.10',
  0x50: 'MPEG audio',
  0x55: 'MP3',
  0xff: 'AAC',
  0x0161: 'Windows Media Audio',
};
const EXTENSIBLE = 0xfffe;
const EXTENSIBLE_BYTES = 40;
/**
 * The rest of the extensible format's identifier, behind the encoding: two numbers of 16 bits and eight bytes. Microsoft's
 * own, and that of ambisonic sound.
 */
const SUBFORMATS: readonly (readonly [number, number, string])[] = [
  [0x0000, 0x0010, '800000aa00389b71'],
  [0x0721, 0x11d3, '8644c8c1ca000000'],
];

function encodingCode(fmt: Buffer, { uint16, uint32 }: typeof LITTLE): number {
  const code = uint16(fmt, 0);
  if (code !== EXTENSIBLE || fmt.length < EXTENSIBLE_BYTES) return code;
  const known = SUBFORMATS.some(
    ([second, third, rest]) =>
      uint16(fmt, 28) === second && uint16(fmt, 30) === third && fmt.toString('hex', 32, 40) === rest,
  );
  return known ? uint32(fmt, 24) : code;
}

/** G.711, as 16-bit samples: sign, three bits of exponent, four of mantissa, all inverted. */
function muLaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84;
  return (code & 0x80) === 0 ? magnitude : 0 - magnitude;
}

/** G.711, as 16-bit samples: every second bit is inverted. */
function aLaw(byte: number): number {
  const code = byte ^ 0x55;
  const exponent = (code & 0x70) >> 4;
  const mantissa = ((code & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (code & 0x80) === 0 ? -magnitude : magnitude;
}
