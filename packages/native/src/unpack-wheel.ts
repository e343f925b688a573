import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import yauzl from 'yauzl';
import { NativeError, systemCode } from './errors.js';

/** A file that was taken out of a wheel. */
export interface UnpackedFile {
  /** Path below the target folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** Hex SHA-256; equal to the one in the wheel's `RECORD`. */
  readonly sha256: string;
}

/** What {@link unpackWheel} is asked to do. */
export interface UnpackRequest {
  readonly wheel: string;
  readonly into: string;
  /** The path below `into` for a path in the wheel; null leaves the file out. */
  readonly select: (path: string) => string | null;
  /** Paths in the wheel that must be there. */
  readonly required?: readonly string[];
  /** SHA-256 that `RECORD` must have: with it a wheel of which only the wanted entries are there can be trusted. */
  readonly recordSha256?: string | null;
  readonly onStart?: (totalBytes: number) => void;
  readonly onBytes?: (done: number) => void;
  readonly signal?: AbortSignal | undefined;
}

// Large pieces: with the default of 16 kB a library of 788 MB would make 48,000 of them.
const pieceBytes = 1 << 20;

/**
 * Takes files out of a wheel as streams, so that memory does not grow with their size, and checks each one against the
 * wheel's `RECORD`.
 *
 * @throws {NativeError} `G2D_NATIVE_WHEEL_BROKEN` if the wheel is cut short or damaged, a file is missing or differs from
 *   its record, or a path leads out of the target folder; `G2D_NATIVE_DISK_FULL`.
 */
export async function unpackWheel(
  request: UnpackRequest,
): Promise<{ files: UnpackedFile[]; metadata: string }> {
  const zip = await openWheel(request.wheel);
  try {
    const entries = await readEntries(zip, request.wheel);
    const record = await readText(zip, findInfo(entries, 'RECORD', request.wheel), request.wheel);
    if (request.recordSha256) assertRecord(request.wheel, record, request.recordSha256);
    const records = parseRecord(record);
    const metadata = await readText(zip, findInfo(entries, 'METADATA', request.wheel), request.wheel);
    for (const path of request.required ?? []) {
      if (!entries.has(path)) throw broken(request.wheel, `it does not contain ${path}`);
    }
    const jobs = [...entries.values()]
      .map((entry) => ({
        entry,
        target: entry.fileName.endsWith('/') ? null : request.select(entry.fileName),
      }))
      .filter((job): job is { entry: yauzl.Entry; target: string } => job.target !== null);
    request.onStart?.(jobs.reduce((sum, job) => sum + job.entry.uncompressedSize, 0));
    let done = 0;
    const onPiece = (bytes: number) => request.onBytes?.((done += bytes));
    const files: UnpackedFile[] = [];
    for (const { entry, target } of jobs) {
      files.push(await unpackEntry(zip, entry, target, records, request, onPiece));
    }
    return { files, metadata };
  } finally {
    zip.close();
  }
}

function broken(wheel: string, why: string, cause?: unknown): NativeError {
  return new NativeError(
    'G2D_NATIVE_WHEEL_BROKEN',
    `The wheel ${basename(wheel)} cannot be used: ${why}. Nothing was installed. Download it again.`,
    { wheel, why },
    { cause },
  );
}

function assertRecord(wheel: string, record: string, expected: string): void {
  const actual = createHash('sha256').update(record).digest('hex');
  if (actual === expected) return;
  throw new NativeError(
    'G2D_NATIVE_WRONG_HASH',
    `The wheel ${basename(wheel)} is not the tested one: the SHA-256 of its RECORD should be ${expected}, but it is ${actual}. Nothing was installed. ` +
      'Try again; if it stays so, the package index or a proxy in between serves a changed file.',
    { wheel, expected, actual },
  );
}

/** An entry of a wheel's table of contents. */
export type WheelEntry = yauzl.Entry;

/** Opens a wheel, whose table of contents must be there. The caller closes it. */
export async function openWheel(wheel: string): Promise<yauzl.ZipFile> {
  try {
    return await new Promise((resolve, reject) =>
      yauzl.open(wheel, { lazyEntries: true, autoClose: false }, (error, zip) =>
        error ? reject(error) : resolve(zip),
      ),
    );
  } catch (error) {
    throw broken(wheel, `it is not a complete zip file (${(error as Error).message})`, error);
  }
}

/** A wheel's table of contents, by path. */
export function readEntries(zip: yauzl.ZipFile, wheel: string): Promise<Map<string, yauzl.Entry>> {
  const entries = new Map<string, yauzl.Entry>();
  return new Promise((resolve, reject) => {
    // yauzl refuses names with `..`, absolute names and backslashes by itself.
    zip.on('error', (error: Error) =>
      reject(broken(wheel, `its table of contents is damaged (${error.message})`, error)),
    );
    zip.on('end', () => resolve(entries));
    zip.on('entry', (entry: yauzl.Entry) => {
      entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}

function findInfo(entries: Map<string, yauzl.Entry>, name: string, wheel: string): yauzl.Entry {
  const found = [...entries.keys()].find((path) => new RegExp(`^[^/]+\\.dist-info/${name}$`).test(path));
  if (!found) throw broken(wheel, `it has no ${name}, so it is not a Python wheel`);
  return entries.get(found)!;
}

/** Lines of `path,sha256=base64url,size`; a path with a comma is quoted. */
function parseRecord(text: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^(?:"((?:[^"]|"")*)"|([^,]*)),sha256=([^,]+),/.exec(line);
    if (match) sums.set(match[1]?.replaceAll('""', '"') ?? match[2]!, match[3]!);
  }
  return sums;
}

async function openEntry(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  wheel: string,
): Promise<(Readable | Transform)[]> {
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    throw broken(wheel, `${entry.fileName} is compressed in a way that wheels do not use`);
  }
  const compressed = entry.compressionMethod === 8;
  const raw = await new Promise<Readable>((resolve, reject) =>
    zip.openReadStream(
      entry,
      { decompress: compressed ? false : null, decrypt: null, start: null, end: null },
      (error, stream) =>
        error
          ? reject(broken(wheel, `${entry.fileName} is damaged (${error.message})`, error))
          : resolve(stream),
    ),
  );
  return compressed ? [raw, createInflateRaw({ chunkSize: pieceBytes })] : [raw];
}

async function readText(zip: yauzl.ZipFile, entry: yauzl.Entry, wheel: string): Promise<string> {
  const pieces: Buffer[] = [];
  try {
    const streams = [...(await openEntry(zip, entry, wheel)), new PassThrough()] as [Readable, PassThrough];
    const ended = pipeline(streams);
    ended.catch(() => {});
    for await (const piece of streams.at(-1)!) pieces.push(piece as Buffer);
    await ended;
  } catch (error) {
    if (NativeError.isInstance(error)) throw error;
    throw broken(wheel, `${entry.fileName} is damaged (${(error as Error).message})`, error);
  }
  return Buffer.concat(pieces).toString('utf8');
}

async function unpackEntry(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  target: string,
  records: Map<string, string>,
  request: UnpackRequest,
  onPiece: (bytes: number) => void,
): Promise<UnpackedFile> {
  const relative = normalize(target);
  if (isAbsolute(relative) || relative === '..' || relative.startsWith(`..${sep}`)) {
    throw broken(request.wheel, `the path ${entry.fileName} leads out of the target folder`);
  }
  const expected = records.get(entry.fileName);
  if (!expected) throw broken(request.wheel, `${entry.fileName} is not in its RECORD`);
  const file = join(request.into, relative);
  const hash = createHash('sha256');
  let bytes = 0;
  const count = new Transform({
    highWaterMark: pieceBytes,
    transform(piece: Buffer, _encoding, next) {
      hash.update(piece);
      bytes += piece.length;
      onPiece(piece.length);
      next(null, piece);
    },
  });
  try {
    await mkdir(dirname(file), { recursive: true });
    const streams = [
      ...(await openEntry(zip, entry, request.wheel)),
      count,
      createWriteStream(file, { highWaterMark: pieceBytes, mode: isProgram(entry) ? 0o755 : 0o644 }),
    ];
    const pieces = streams as [Readable, Transform, NodeJS.WritableStream];
    await (request.signal ? pipeline(pieces, { signal: request.signal }) : pipeline(pieces));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOSPC' || code === 'EDQUOT') throw diskFull(request.into, error);
    if (NativeError.isInstance(error) || code === 'ABORT_ERR' || (code && /^E[A-Z]+$/.test(code)))
      throw error;
    throw broken(request.wheel, `${entry.fileName} is damaged (${(error as Error).message})`, error);
  }
  const digest = hash.digest();
  if (digest.toString('base64url') !== expected.replace(/=+$/, '')) {
    throw broken(
      request.wheel,
      `the SHA-256 of ${entry.fileName} should be ${expected} by its RECORD, but it is ${digest.toString('base64url')}`,
    );
  }
  return { path: relative.split(sep).join('/'), bytes, sha256: digest.toString('hex') };
}

// The upper half of the attributes holds the Unix mode: NVIDIA's wheels contain programs such as ptxas.
const isProgram = (entry: yauzl.Entry) => ((entry.externalFileAttributes >>> 16) & 0o111) !== 0;

/** The error for a disk that filled up while we wrote. */
export function diskFull(folder: string, cause?: unknown): NativeError {
  return new NativeError(
    'G2D_NATIVE_DISK_FULL',
    `The disk that holds ${folder} is full. Nothing half-installed is left. Free some space, or choose another disk with --dir.`,
    { folder },
    { cause },
  );
}
