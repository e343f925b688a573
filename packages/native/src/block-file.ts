import { mkdir, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Bytes `from` to `to`, `to` not included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const blockBytes = 1 << 18;

/**
 * A file that is filled block by block in any order, and remembers which blocks are there: a second process goes on where a killed one
 * stopped. What was never written is a hole and takes no room.
 */
export class BlockFile {
  readonly path: string;
  readonly size: number;
  readonly #data: FileHandle;
  readonly #journal: FileHandle;
  readonly #there: Set<number>;

  private constructor(path: string, size: number, data: FileHandle, journal: FileHandle, there: Set<number>) {
    this.path = path;
    this.size = size;
    this.#data = data;
    this.#journal = journal;
    this.#there = there;
  }

  /** Opens or makes one of so many bytes. What is there of another size is given up. */
  static async open(path: string, size: number): Promise<BlockFile> {
    await mkdir(dirname(path), { recursive: true });
    const lines = (await readFile(journalOf(path), 'utf8').catch(() => '')).split('\n');
    const goesOn = lines[0] === head(size);
    const data = await open(path, goesOn ? 'r+' : 'w+').catch(() => open(path, 'w+'));
    const kept = goesOn && (await data.stat()).size === size;
    await data.truncate(size);
    const journal = await open(journalOf(path), kept ? 'a' : 'w');
    if (!kept) await journal.write(`${head(size)}\n`);
    // The last line may be cut: only those that end count.
    const there = new Set(kept ? lines.slice(1, -1).map(Number) : []);
    return new BlockFile(path, size, data, journal, there);
  }

  /** Of some ranges the runs of blocks that are not there. */
  missing(ranges: readonly Range[]): Range[] {
    const wanted = new Set<number>();
    for (const { from, to } of ranges)
      for (let block = Math.floor(from / blockBytes); block * blockBytes < Math.min(to, this.size); block++)
        if (!this.#there.has(block)) wanted.add(block);
    const runs: { from: number; to: number }[] = [];
    for (const block of [...wanted].sort((a, b) => a - b)) {
      const from = block * blockBytes;
      const to = this.#endOf(block);
      const last = runs.at(-1);
      if (last?.to === from) last.to = to;
      else runs.push({ from, to });
    }
    return runs;
  }

  #endOf(block: number): number {
    return Math.min((block + 1) * blockBytes, this.size);
  }

  /**
   * Writes a stream that begins at the start of a block.
   *
   * @param onBytes Told of each piece's length.
   * @returns Where it ended.
   */
  async fill(
    from: number,
    pieces: AsyncIterable<Uint8Array>,
    onBytes: (bytes: number) => void,
  ): Promise<number> {
    let at = from;
    for await (const piece of pieces) {
      const fits = piece.subarray(0, Math.max(0, this.size - at));
      await this.#data.write(fits, 0, fits.length, at);
      const first = Math.floor(at / blockBytes);
      at += fits.length;
      onBytes(fits.length);
      const done: number[] = [];
      for (let block = first; block * blockBytes < at && this.#endOf(block) <= at; block++)
        if (!this.#there.has(block)) done.push(block);
      if (done.length === 0) continue;
      for (const block of done) this.#there.add(block);
      await this.#journal.write(`${done.join('\n')}\n`);
    }
    return at;
  }

  async read({ from, to }: Range): Promise<Buffer> {
    const buffer = Buffer.alloc(to - from);
    const { bytesRead } = await this.#data.read(buffer, 0, buffer.length, from);
    return buffer.subarray(0, bytesRead);
  }

  async close(): Promise<void> {
    await this.#data.close();
    await this.#journal.close();
  }

  /** Deletes a file and what is remembered of it. */
  static async remove(path: string): Promise<void> {
    await rm(journalOf(path), { force: true });
    await rm(path, { force: true });
  }
}

const journalOf = (path: string) => `${path}.blocks`;
const head = (size: number) => `${blockBytes} ${size}`;
