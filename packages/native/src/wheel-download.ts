import { join } from 'node:path';
import type { Response } from 'undici';
import { BlockFile, type Range } from './block-file.js';
import { sha256File } from './cache.js';
import { NativeError, systemCode } from './errors.js';
import type { OfferedWheel } from './find-wheel.js';
import type { Http } from './http.js';
import type { IndexSettings } from './index-settings.js';
import { diskFull, openWheel, readEntries, type WheelEntry } from './unpack-wheel.js';

/** What is downloaded, and where to. */
export interface DownloadRequest {
  readonly offered: OfferedWheel;
  /** The wheel's hash; null: the index gives none, and the caller checks what it can. */
  readonly sha256: string | null;
  /** Folder for the wheel, and for what a stopped download has of it. */
  readonly into: string;
  /**
   * Which entries are wanted: only they are fetched where the server answers ranges, and then nothing but their own hashes can be checked. Null
   * fetches all.
   */
  readonly select: ((path: string) => boolean) | null;
  readonly onStart: (totalBytes: number) => void;
  readonly onBytes: (done: number) => void;
}

/** A wheel that lies here, whole or with holes where nobody asked. */
export interface DownloadedWheel {
  readonly file: string;
  readonly isWhole: boolean;
  /** Bytes that this call received. */
  readonly received: number;
}

// The longest comment that a zip file may end with, and the record before it.
const tailBytes = 65_536;

/**
 * Downloads a wheel, or the part of it that is wanted. A connection that breaks goes on where it broke, also in the next process.
 *
 * @throws {NativeError} `G2D_NATIVE_NO_NETWORK`, `G2D_NATIVE_WRONG_HASH` (whole wheels), `G2D_NATIVE_DISK_FULL`, `G2D_NATIVE_BAD_INDEX`.
 */
export async function downloadWheel(
  http: Http,
  settings: IndexSettings,
  request: DownloadRequest,
): Promise<DownloadedWheel> {
  const { offered, sha256, into } = request;
  // Another content under the same name is another file.
  const file = join(into, `${sha256?.slice(0, 12) ?? 'unknown'}-${offered.filename}`);
  try {
    const transfer = new Transfer(http, settings, request, file);
    const isWhole = await transfer.run();
    if (isWhole && sha256) await assertHash(file, sha256);
    return { file, isWhole, received: transfer.received };
  } catch (error) {
    if (['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '')) {
      await BlockFile.remove(file);
      throw diskFull(into, error);
    }
    throw error;
  }
}

async function assertHash(file: string, expected: string): Promise<void> {
  const actual = await sha256File(file);
  if (actual === expected) return;
  await BlockFile.remove(file);
  throw new NativeError(
    'G2D_NATIVE_WRONG_HASH',
    `The downloaded wheel is not the expected file: its SHA-256 should be ${expected}, but it is ${actual}. Nothing was installed, and it was deleted. ` +
      'Try again; if it stays so, the package index or a proxy in between serves a changed file.',
    { expected, actual },
  );
}

/** One wheel on its way. */
class Transfer {
  received = 0;
  readonly #http: Http;
  readonly #settings: IndexSettings;
  readonly #request: DownloadRequest;
  readonly #path: string;

  constructor(http: Http, settings: IndexSettings, request: DownloadRequest, path: string) {
    this.#http = http;
    this.#settings = settings;
    this.#request = request;
    this.#path = path;
  }

  /** @returns Whether all of it is there. */
  async run(): Promise<boolean> {
    const size = await this.#size();
    const file = await BlockFile.open(this.#path, size);
    try {
      const all = { from: 0, to: size };
      const { select, onStart } = this.#request;
      const ranges = select ? await this.#wanted(file, select) : [all];
      onStart(this.received + file.missing(ranges).reduce((sum, { from, to }) => sum + to - from, 0));
      await this.#fetch(file, ranges);
      return file.missing([all]).length === 0;
    } finally {
      await file.close();
    }
  }

  /** From the index, else from the server's answer to a request for one byte. */
  async #size(): Promise<number> {
    const { offered } = this.#request;
    if (offered.bytes !== null) return offered.bytes;
    return this.#persist(async () => {
      const response = await this.#http.get(offered.url, {
        range: 'bytes=0-0',
        'accept-encoding': 'identity',
      });
      const size =
        response.status === 206 ? rangeOf(response)?.size : Number(response.headers.get('content-length'));
      await response.body?.cancel();
      if (!size) throw this.#nonsense('does not say how long the wheel is');
      return size;
    });
  }

  /** The parts of a wheel that hold some entries, read off its table of contents. */
  async #wanted(file: BlockFile, select: (path: string) => boolean): Promise<Range[]> {
    const { size } = file;
    const tail = { from: Math.max(0, size - tailBytes), to: size };
    await this.#fetch(file, [tail]);
    const table = findTable(await file.read(tail));
    // Of the form for more than 4 GB, or no zip file: the whole says what it is.
    if (table === null || table > size) return [{ from: 0, to: size }];
    const contents = { from: table, to: size };
    await this.#fetch(file, [contents]);
    const zip = await openWheel(file.path);
    let entries: WheelEntry[];
    try {
      entries = [...(await readEntries(zip, file.path)).values()];
    } finally {
      zip.close();
    }
    entries.sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
    const ranges = entries.flatMap((entry, i) => {
      const to = entries[i + 1]?.relativeOffsetOfLocalHeader ?? table;
      const wanted = select(entry.fileName) || /^[^/]+\.dist-info\/(?:RECORD|METADATA)$/.test(entry.fileName);
      return wanted ? [{ from: entry.relativeOffsetOfLocalHeader, to }] : [];
    });
    return [...ranges, contents];
  }

  async #fetch(file: BlockFile, ranges: readonly Range[]): Promise<void> {
    await this.#persist(async () => {
      for (let [run] = file.missing(ranges); run; [run] = file.missing(ranges))
        await this.#fetchRun(file, run);
    });
  }

  async #fetchRun(file: BlockFile, run: Range): Promise<void> {
    const whole = run.from === 0 && run.to === file.size;
    const response = await this.#http.get(this.#request.offered.url, {
      'accept-encoding': 'identity',
      ...(whole ? {} : { range: `bytes=${run.from}-${run.to - 1}` }),
    });
    // A server that knows no ranges sends all of it.
    const answered = response.status === 206 ? rangeOf(response) : { from: 0, size: lengthOf(response) };
    if (
      answered?.from !== (response.status === 206 ? run.from : 0) ||
      (answered.size ?? file.size) !== file.size
    ) {
      await response.body?.cancel();
      throw this.#nonsense(
        `sent ${answered?.size ?? 'an unknown number of'} bytes where the index says ${file.size}`,
      );
    }
    const before = this.received;
    const end = await file.fill(answered.from, response.body as AsyncIterable<Uint8Array>, (bytes) => {
      this.received += bytes;
      this.#request.onBytes(this.received);
    });
    if (end < (response.status === 206 ? run.to : file.size))
      throw new Error(`the connection ended after ${this.received - before} bytes`);
  }

  #persist<T>(work: () => Promise<T>): Promise<T> {
    return this.#http.persist(() => this.received, work);
  }

  #nonsense(what: string): NativeError {
    return new NativeError(
      'G2D_NATIVE_BAD_INDEX',
      `The server that the package index of ${this.#settings.from} names for ${this.#request.offered.filename} ${what}. Take another index, or give the ` +
        'wheel with --wheel FILE.',
      { from: this.#settings.from },
    );
  }
}

const lengthOf = (response: Response) => {
  const text = response.headers.get('content-length');
  return text === null ? undefined : Number(text);
};

function rangeOf(response: Response): { from: number; size: number | undefined } | null {
  const found = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  return found && { from: Number(found[1]), size: found[2] === '*' ? undefined : Number(found[2]) };
}

/** Where a zip file's table of contents begins, from the file's last bytes; null if that cannot be read off them. */
function findTable(tail: Buffer): number | null {
  const at = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (at < 0 || at + 22 > tail.length) return null;
  const offset = tail.readUInt32LE(at + 16);
  return offset === 0xffffffff ? null : offset;
}
