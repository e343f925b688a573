import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from './checkpoint.js';
import type { FileOperations } from './file-operations.js';
import { readCheckpoint } from './read-checkpoint.js';
import { writeCheckpoint } from './write-checkpoint.js';

type Entry = Uint8Array | Folder;
type Entries = Map<string, Entry>;
type Change = (entries: Entries) => void;

/** A folder: what programs see, what is surely on disk, and the changes of names between the two. */
interface Folder {
  readonly seen: Entries;
  stored: Entries;
  pending: Change[];
}

class PowerCut extends Error {}

const newFolder = (): Folder => ({ seen: new Map(), stored: new Map(), pending: [] });
const isFolder = (entry: Entry | undefined): entry is Folder =>
  entry !== undefined && !(entry instanceof Uint8Array);
const noSuch = (path: string): never => {
  throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
};

/**
 * A disk as strict as POSIX allows: until its folder is synced, each change of a name may be on disk or not, whatever
 * came later. It fails for good before, or in the middle of, a chosen operation.
 */
class FakeDisk implements FileOperations {
  #operations = 0;
  readonly #root: Folder;
  readonly #failAt: number;
  readonly #torn: boolean;

  constructor(root: Folder = newFolder(), failAt = Infinity, torn = false) {
    this.#root = root;
    this.#failAt = failAt;
    this.#torn = torn;
  }

  get operations(): number {
    return this.#operations;
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined;
  }
  list(folder: string): readonly string[] {
    return [...this.#folder(folder).seen.keys()];
  }
  read(path: string): Uint8Array {
    const entry = this.#find(path);
    return entry instanceof Uint8Array ? entry : noSuch(path);
  }
  makeFolder(path: string): void {
    this.#step();
    const made = newFolder();
    this.#change(dirname(path), (entries) => entries.set(basename(path), made));
  }
  write(path: string, pieces: readonly Uint8Array[]): void {
    const content = Buffer.concat(pieces);
    this.#step(() => this.#put(path, content.slice(0, content.length / 2)));
    this.#put(path, content);
  }
  rename(from: string, to: string): void {
    this.#step();
    const entry = this.#find(from) ?? noSuch(from);
    if (this.exists(to)) throw new Error(`ENOTEMPTY: ${to}`);
    this.#change(dirname(from), (entries) => {
      // A change whose precondition did not reach the disk cannot have reached it either.
      if (!entries.has(basename(from)) || entries.has(basename(to))) return;
      entries.delete(basename(from));
      entries.set(basename(to), entry);
    });
  }
  remove(path: string): void {
    const files = isFolder(this.#find(path)) ? this.list(path) : [];
    this.#step(() => this.#unlink(`${path}/${files[0]}`));
    for (const name of files) this.#unlink(`${path}/${name}`);
    this.#unlink(path);
  }
  sync(folder: string): void {
    this.#step();
    const found = this.#folder(folder);
    found.stored = new Map(found.seen);
    found.pending = [];
  }

  /** Every disk that may be found when the power is back: each subset of the changes that were not synced. */
  disksAfterCut(): Folder[] {
    return afterCut(this.#root);
  }

  #step(torn: () => void = () => {}): void {
    this.#operations++;
    if (this.#operations === this.#failAt && this.#torn) torn();
    if (this.#operations >= this.#failAt) throw new PowerCut();
  }
  #find(path: string): Entry | undefined {
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    let entry: Entry | undefined = this.#root;
    for (const name of names) entry = isFolder(entry) ? entry.seen.get(name) : undefined;
    return entry;
  }
  #folder(path: string): Folder {
    const entry = this.#find(path);
    return isFolder(entry) ? entry : noSuch(path);
  }
  #change(folder: string, change: Change): void {
    const found = this.#folder(folder);
    change(found.seen);
    found.pending.push(change);
  }
  #put(path: string, content: Uint8Array): void {
    if (this.exists(path)) throw new Error(`EEXIST: ${path}`);
    this.#change(dirname(path), (entries) => entries.set(basename(path), content));
  }
  #unlink(path: string): void {
    if (this.exists(path)) this.#change(dirname(path), (entries) => entries.delete(basename(path)));
  }
}

function afterCut({ stored, pending }: Folder): Folder[] {
  const disks = Array.from({ length: 2 ** pending.length }, (_, subset) => {
    const entries = new Map(stored);
    pending.forEach((change, i) => subset & (2 ** i) && change(entries));
    return entries;
  });
  return unique(disks.flatMap(withFoldersCut).map((seen) => ({ seen, stored: new Map(seen), pending: [] })));
}

/** Every combination of what may be left of the folders in a folder. */
function withFoldersCut(entries: Entries): Entries[] {
  return [...entries].reduce<Entries[]>(
    (disks, [name, entry]) =>
      disks.flatMap((disk) =>
        (isFolder(entry) ? afterCut(entry) : [entry]).map((left) => new Map(disk).set(name, left)),
      ),
    [new Map()],
  );
}

/** Each distinct disk once. */
function unique(disks: readonly Folder[]): Folder[] {
  const text = (folder: Folder): string =>
    [...folder.seen]
      .map(
        ([name, entry]) => `${name}(${isFolder(entry) ? text(entry) : Buffer.from(entry).toString('hex')})`,
      )
      .sort()
      .join();
  return [...new Map(disks.map((disk) => [text(disk), disk])).values()];
}

const checkpoint = (generation: number): Checkpoint => ({
  model: { 'a/kernel': { shape: [1], values: Float32Array.of(generation) } },
  optimizer: { 'a/kernel/momentum': { shape: [1], values: Float32Array.of(-generation) } },
  state: { generation },
});
/** The generation of a checkpoint that fits together, 0 where there is none. */
function generationOn(root: Folder): number {
  const found = readCheckpoint('checkpoints', 'last', new FakeDisk(root));
  if (!found) return 0;
  const { generation } = found.state as { generation: number };
  expect([found.model['a/kernel']?.values[0], found.optimizer['a/kernel/momentum']?.values[0]]).toEqual([
    generation,
    -generation,
  ]);
  expect(found.warnings).toEqual([]);
  return generation;
}
const write = (disk: FakeDisk, generation: number): void =>
  writeCheckpoint('checkpoints', 'last', checkpoint(generation), disk);

/** The disk after `generations` undisturbed writes. */
function written(generations: number): Folder {
  const root = newFolder();
  const disk = new FakeDisk(root);
  for (let generation = 1; generation <= generations; generation++) write(disk, generation);
  return root;
}

/** Only disks at rest are copied: nothing is pending. */
function copy(folder: Folder): Folder {
  const seen: Entries = new Map();
  for (const [name, entry] of folder.seen) seen.set(name, isFolder(entry) ? copy(entry) : entry);
  return { seen, stored: new Map(seen), pending: [] };
}

/** Every disk that may be left if the power goes at any moment of writing a generation, also right after. */
function cutWhileWriting(start: Folder, generation: number): Folder[] {
  const whole = new FakeDisk(copy(start));
  write(whole, generation);
  const disks = [];
  for (let failAt = 1; failAt <= whole.operations; failAt++) {
    for (const torn of [false, true]) {
      const disk = new FakeDisk(copy(start), failAt, torn);
      expect(() => write(disk, generation)).toThrow('cannot be saved');
      disks.push(...disk.disksAfterCut());
    }
  }
  for (const disk of whole.disksAfterCut()) expect(generationOn(disk)).toBe(generation);
  return unique(disks);
}

describe('writeCheckpoint on a disk that loses power', () => {
  it.each([0, 1, 2, 3])('leaves a complete checkpoint at every moment after %i others', (before) => {
    const disks = cutWhileWriting(written(before), before + 1);
    const found = disks.map(generationOn);
    expect(disks.length).toBeGreaterThan(15);
    // Both happen: the cut comes before, or after, the new checkpoint counts.
    expect([...new Set(found)].sort()).toEqual([before, before + 1]);
  });

  it('goes on from every such disk, and survives a second cut while it does', () => {
    for (const disk of cutWhileWriting(written(2), 3)) {
      const earlier = generationOn(disk);
      for (const second of cutWhileWriting(disk, 4)) expect([earlier, 4]).toContain(generationOn(second));
      const repaired = new FakeDisk(copy(disk));
      write(repaired, 4);
      expect(repaired.list('checkpoints').toSorted()).toEqual(['last', 'last.previous']);
    }
  });

  it('notices an order of operations that would lose checkpoints', () => {
    // The disk is strict enough to tell: without syncing, some cut leaves nothing.
    class Hasty extends FakeDisk {
      override sync(): void {}
    }
    const root = written(1);
    write(new Hasty(root), 2);
    const found = afterCut(root).map((disk) => {
      try {
        return generationOn(disk);
      } catch {
        return 'damaged';
      }
    });
    expect(found).toContain('damaged');
  });
});
