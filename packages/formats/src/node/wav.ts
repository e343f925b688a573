import { FileFormatError, OptionError } from '@g2d/core';
import { sourceOf, withFile, type BufferSource } from './byte-source.js';
import { refuseGitLfsPointer } from './git-lfs.js';

/** What a WAV file says about its samples. */
export interface WavInfo {
  /** Hz. */
  readonly sampleRate: number;
  readonly channelCount: number;
  /** Samples of each channel. */
  readonly frames: number;
  readonly encoding: 'integer' | 'float';
  /** Of one sample: 8, 16, 24 or 32 for integers, 32 or 64 for floats. */
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
  /** Where the samples start in the file. */
  readonly dataStart: number;
}

const PCM = 1;
const IEEE_FLOAT = 3;
const EXTENSIBLE = 0xfffe;
/** The rest of the extensible format's identifier, whose first two bytes are the encoding. */
const SUBFORMAT = Buffer.from('000000001000800000aa00389b71', 'hex');
/** A writer that could not seek back leaves this as the size: the data go on to the end of the file. */
const UNKNOWN_SIZE = 0xffffffff;
/** Sound files have a handful; a damaged one could have millions of empty ones. */
const MOST_CHUNKS = 10_000;

/** Reads one sample, given the offset of its first byte. Integers become value / 2^(bits − 1); 8 bits are unsigned. */
const READERS: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  integer8: (view, at) => (view.getUint8(at) - 128) / 128,
  integer16: (view, at) => view.getInt16(at, true) / 32768,
  integer24: (view, at) => (view.getUint16(at, true) + 65536 * view.getInt8(at + 2)) / 8388608,
  integer32: (view, at) => view.getInt32(at, true) / 2147483648,
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
};

/**
 * Reads a RIFF/WAVE file: PCM of 8, 16, 24 or 32 bits or float of 32 or 64 bits, plain or extensible header, any number
 * of channels. Chunks may come in any order, unknown ones are skipped, and the size that RIFF states is not trusted.
 *
 * @param path The file.
 * @param range Only this part is read from the disk. Default: all.
 * @throws {FileFormatError} If it is not such a file, is cut off, holds no samples, or samples that are no numbers.
 * @throws {OptionError} If the sound is shorter than `range` asks for.
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
  const { sampleRate, channelCount, frames, encoding, bits, dataStart } = layoutOf(source);
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
  const sample = READERS[`${encoding}${bits}`] as (view: DataView, at: number) => number;
  const channels = Array.from({ length: channelCount }, (_, channel) => {
    const samples = new Float32Array(count);
    for (let i = 0, at = channel * sampleBytes; i < count; i++, at += frameBytes) {
      samples[i] = sample(view, at);
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

interface Chunk {
  readonly start: number;
  readonly size: number;
}

function layoutOf(source: BufferSource): Layout {
  const { path } = source;
  const head = source.read(0, Math.min(32, source.size));
  refuseGitLfsPointer(head, path);
  if (head.length < 12 || tag(head, 0) !== 'RIFF' || tag(head, 8) !== 'WAVE') {
    throw new FileFormatError(path, 'not a WAV file: it does not start with RIFF … WAVE.', { offset: 0 });
  }
  const { format, data } = findChunks(source);
  const fmt = source.read(format.start, Math.min(format.size, 40));
  const channelCount = fmt.readUInt16LE(2);
  const sampleRate = fmt.readUInt32LE(4);
  const bits = fmt.readUInt16LE(14);
  const encoding = encodingOf(fmt);
  if (encoding === undefined || !Object.hasOwn(READERS, `${encoding}${bits}`)) {
    throw new FileFormatError(
      path,
      `WAV format ${fmt.readUInt16LE(0)} with ${bits} bits; PCM of 8, 16, 24 or 32 bits and float of 32 or 64 bits ` +
        'can be read. Convert it, for example with: ffmpeg -i in.wav -acodec pcm_s16le out.wav',
      { offset: format.start },
    );
  }
  if (channelCount < 1 || sampleRate < 1) {
    throw new FileFormatError(path, `WAV file with ${channelCount} channels at ${sampleRate} Hz.`, {
      offset: format.start,
    });
  }
  const frameBytes = (channelCount * bits) / 8;
  if (fmt.readUInt16LE(12) !== frameBytes) {
    throw new FileFormatError(
      path,
      `the WAV format gives ${fmt.readUInt16LE(12)} bytes to a sample of ${channelCount} channels with ${bits} bits; ` +
        `expected ${frameBytes}. Make the file again.`,
      { offset: format.start },
    );
  }
  const frames = Math.floor(data.size / frameBytes);
  if (frames === 0) {
    throw new FileFormatError(path, 'WAV file without samples: its data chunk is empty.', {
      offset: data.start,
    });
  }
  return { sampleRate, channelCount, frames, encoding, bits, dataStart: data.start };
}

/** The first format and the first data chunk. */
function findChunks(source: BufferSource): { readonly format: Chunk; readonly data: Chunk } {
  const { path, size: fileBytes } = source;
  let format: Chunk | undefined;
  let data: Chunk | undefined;
  let count = 0;
  for (let at = 12; at + 8 <= fileBytes && (format === undefined || data === undefined);) {
    if (++count > MOST_CHUNKS) {
      throw new FileFormatError(path, `no WAV sound among the first ${MOST_CHUNKS} chunks.`, { offset: at });
    }
    const header = source.read(at, 8);
    const name = tag(header, 0);
    const start = at + 8;
    const left = fileBytes - start;
    const stated = header.readUInt32LE(4);
    const size = name === 'data' && stated === UNKNOWN_SIZE ? left : stated;
    if ((name === 'fmt ' || name === 'data') && size > left) {
      throw new FileFormatError(
        path,
        `truncated WAV file: chunk "${name.trim()}" should hold ${size} bytes, ${left} are left. ` +
          'Copy or download the file again.',
        { offset: at, expectedBytes: size, actualBytes: left },
      );
    }
    if (name === 'fmt ') format ??= { start, size };
    if (name === 'data') data ??= { start, size };
    at = start + size + (size % 2);
  }
  if (format === undefined || format.size < 16) {
    throw new FileFormatError(path, 'WAV file without a fmt chunk.');
  }
  if (data === undefined) throw new FileFormatError(path, 'WAV file without a data chunk.');
  return { format, data };
}

function encodingOf(fmt: Buffer): WavInfo['encoding'] | undefined {
  let code = fmt.readUInt16LE(0);
  if (code === EXTENSIBLE && fmt.length >= 40 && fmt.subarray(26, 40).equals(SUBFORMAT)) {
    code = fmt.readUInt16LE(24);
  }
  return code === PCM ? 'integer' : code === IEEE_FLOAT ? 'float' : undefined;
}

const tag = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, at + 4);
