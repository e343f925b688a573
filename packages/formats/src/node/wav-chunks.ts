import { FileFormatError } from '@g2d/core';
import type { BufferSource } from './byte-source.js';
import { refuseGitLfsPointer } from './git-lfs.js';
import { soundFormatOf } from './sound-formats.js';

/** What holds the chunks of a WAV file. */
export interface Container {
  readonly name: 'RIFF' | 'RIFX' | 'RF64' | 'BW64';
  readonly littleEndian: boolean;
}

/** A part of the file, without its name and size. */
export interface Chunk {
  readonly start: number;
  readonly size: number;
}

const CONTAINERS: readonly Container[] = [
  { name: 'RIFF', littleEndian: true },
  { name: 'RIFX', littleEndian: false },
  { name: 'RF64', littleEndian: true },
  { name: 'BW64', littleEndian: true },
];

/** @throws {FileFormatError} If the file begins otherwise; other kinds of sound are told by name. */
export function wavContainer(source: BufferSource): Container {
  const { path } = source;
  const head = source.read(0, Math.min(32, source.size));
  refuseGitLfsPointer(head, path);
  const container = CONTAINERS.find(({ name }) => tag(head, 0) === name && tag(head, 8) === 'WAVE');
  if (container !== undefined) return container;
  const other = soundFormatOf(head);
  throw new FileFormatError(
    path,
    other === undefined
      ? 'not a WAV file: it does not start with RIFF … WAVE.'
      : `not a WAV file but ${other}, whatever its name says. Convert it, for example with: ffmpeg -i in -acodec pcm_s16le out.wav`,
    { offset: 0 },
  );
}

/** In a chunk of 64-bit sizes. */
const MOST_WIDE_SIZES = 1000;
const WIDE = 0xffffffff;

/**
 * The first format and the first data chunk.
 *
 * @throws {FileFormatError} If one is not there or cut off, or if there are more than `most` chunks before.
 */
export function findWavChunks(
  source: BufferSource,
  container: Container,
  most: number,
): { readonly format: Chunk; readonly data: Chunk } {
  const { path, size: fileBytes } = source;
  let format: Chunk | undefined;
  let data: Chunk | undefined;
  let wide: ReadonlyMap<string, number> = new Map();
  let count = 0;
  for (let at = 12; at + 8 <= fileBytes && (format === undefined || data === undefined);) {
    if (++count > most) {
      throw new FileFormatError(path, `no WAV sound among the first ${most} chunks.`, { offset: at });
    }
    const header = source.read(at, 8);
    const name = tag(header, 0);
    const start = at + 8;
    const left = fileBytes - start;
    const stated = container.littleEndian ? header.readUInt32LE(4) : header.readUInt32BE(4);
    let size = stated === WIDE ? (wide.get(name) ?? stated) : stated;
    if (name === 'data' && size !== left && isPlaceholder(source, container, { start, size })) size = left;
    if ((name === 'fmt ' || name === 'data') && size > left) {
      throw new FileFormatError(
        path,
        `truncated WAV file: chunk "${name.trim()}" should hold ${size} bytes, ${left} are left. ` +
          'Copy or download the file again.',
        { offset: at, expectedBytes: size, actualBytes: left },
      );
    }
    if (name === 'ds64')
      wide = wideSizes(source.read(start, Math.min(size, left, 28 + 12 * MOST_WIDE_SIZES)));
    if (name === 'fmt ') format ??= { start, size };
    if (name === 'data') data ??= { start, size };
    at = start + size + (isPadded(source, start + size, size) ? 1 : 0);
  }
  if (format === undefined || format.size < 16) {
    throw new FileFormatError(path, 'WAV file without a fmt chunk.');
  }
  if (data === undefined) throw new FileFormatError(path, 'WAV file without a data chunk.');
  return { format, data };
}

/** Chunks of an odd size have one byte more, but not every writer knows. */
function isPadded(source: BufferSource, end: number, size: number): boolean {
  if (size % 2 === 0) return false;
  const next = source.read(Math.min(end, source.size), Math.max(0, Math.min(5, source.size - end)));
  return !isName(tag(next, 0)) || isName(tag(next, 1));
}

/** Chunk → size: those that 32 bits do not hold. The chunk is always little-endian. */
function wideSizes(ds64: Buffer): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  if (ds64.length < 16) return sizes;
  sizes.set('data', Number(ds64.readBigUInt64LE(8)));
  for (let at = 28; at + 12 <= ds64.length; at += 12) {
    sizes.set(tag(ds64, at), Number(ds64.readBigUInt64LE(at + 4)));
  }
  return sizes;
}

/**
 * Whether the size of the data is what a writer leaves that cannot go back to it, since it writes to a pipe or was stopped:
 * then the data go on to the end of the file. It is 0, or the largest number of 31, 32 or 64 bits, less what stands in
 * front of the data or what makes no whole sample; sox leaves 2³¹ − 4096.
 */
function isPlaceholder(source: BufferSource, container: Container, { start, size }: Chunk): boolean {
  if (size === 0) return !isFollowedByChunks(source, container, start);
  const isLargest = [2 ** 31, 2 ** 32, 2 ** 63, 2 ** 64].some(
    (bound) => size <= bound && size >= bound - 2 ** 16,
  );
  return isLargest && size > source.size - start;
}

/** An empty data chunk has others behind it, or nothing; a placeholder has samples. */
function isFollowedByChunks(source: BufferSource, { littleEndian }: Container, start: number): boolean {
  let at = start;
  for (let count = 0; at < source.size && count < 100; count++) {
    if (at + 8 > source.size) return false;
    const header = source.read(at, 8);
    if (!isName(tag(header, 0))) return false;
    const size = littleEndian ? header.readUInt32LE(4) : header.readUInt32BE(4);
    // A chunk that reaches behind the end is one that was cut off, or samples that look like a name.
    if (size > source.size - at - 8) return false;
    at += 8 + size + (size % 2);
  }
  return true;
}

/** Four printable characters. */
const isName = (name: string): boolean => /^[ -~]{4}$/.test(name);

const tag = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, at + 4);
