import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { epochLabel, type Checkpoint } from './checkpoint.js';
import { nodeFiles, type FileOperations } from './file-operations.js';
import { readCheckpoint } from './read-checkpoint.js';
import { keepDamaged, writeCheckpoint } from './write-checkpoint.js';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'g2d-checkpoints-')), 'checkpoints');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const checkpoint = (epoch: number): Checkpoint => ({
  model: { 'a/kernel': { shape: [2, 1], values: Float32Array.of(epoch, 0.1) } },
  optimizer: { 'a/kernel/momentum': { shape: [1], values: Float32Array.of(-epoch) } },
  state: { epoch, order: [3, 1, 2], best: null },
});
const epochOf = (label: 'last' | 'best'): unknown =>
  (readCheckpoint(folder, label)?.state as { epoch: number } | undefined)?.epoch;

/** Changes one byte in the middle of a file. */
function rot(path: string): void {
  const bytes = readFileSync(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] as number) ^ 1;
  writeFileSync(path, bytes);
}

describe('writeCheckpoint', () => {
  it('gives back what was saved, in folders that other tools can read', () => {
    writeCheckpoint(folder, epochLabel(42), checkpoint(42));
    expect(readCheckpoint(folder, epochLabel(42))).toEqual({
      ...checkpoint(42),
      path: join(folder, 'epoch-0042'),
      warnings: [],
    });
    expect(readdirSync(join(folder, 'epoch-0042')).sort()).toEqual([
      'model.safetensors',
      'optimizer.safetensors',
      'state.json',
    ]);
    expect(JSON.parse(readFileSync(join(folder, 'epoch-0042', 'state.json'), 'utf8'))).toMatchObject({
      format: 'g2d-checkpoint',
      version: 1,
      state: { epoch: 42 },
    });
  });

  it('keeps every bit of float32', () => {
    const bits = Uint32Array.of(0x80000000, 1, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00001, 0xffc12345);
    const values = new Float32Array(bits.buffer);
    writeCheckpoint(folder, 'last', { model: { w: { shape: [7], values } }, optimizer: {}, state: {} });
    const read = readCheckpoint(folder, 'last')?.model['w']?.values as Float32Array<ArrayBuffer>;
    expect(new Uint32Array(read.buffer)).toEqual(bits);
  });

  it('keeps labels apart, and the checkpoint before as `.previous`', () => {
    writeCheckpoint(folder, 'best', checkpoint(1));
    for (const epoch of [1, 2, 3]) writeCheckpoint(folder, 'last', checkpoint(epoch));
    expect([epochOf('last'), epochOf('best')]).toEqual([3, 1]);
    expect(readdirSync(folder).sort()).toEqual(['best', 'last', 'last.previous']);
  });

  it('removes what a killed process left of any label, and nothing else', () => {
    writeCheckpoint(folder, 'last', checkpoint(1));
    mkdirSync(join(folder, 'best.new'));
    writeFileSync(join(folder, 'best.new', 'model.safetensors'), 'half');
    mkdirSync(join(folder, 'mine.new'));
    writeCheckpoint(folder, 'last', checkpoint(2));
    expect(readdirSync(folder).sort()).toEqual(['last', 'last.previous', 'mine.new']);
  });

  it('saves a checkpoint whose replacement was interrupted, of another label too', () => {
    writeCheckpoint(folder, 'best', checkpoint(1));
    writeCheckpoint(folder, 'best', checkpoint(2));
    renameSync(join(folder, 'best'), join(folder, 'best.new'));
    expect(readCheckpoint(folder, 'best')).toMatchObject({
      state: { epoch: 2 },
      path: join(folder, 'best.new'),
      warnings: [],
    });
    writeCheckpoint(folder, 'last', checkpoint(3));
    expect(readdirSync(folder).sort()).toEqual(['best', 'best.previous', 'last']);
    expect(epochOf('best')).toBe(2);
  });

  it('leaves the earlier checkpoint alone when the disk is full, and says so in one line', () => {
    writeCheckpoint(folder, 'last', checkpoint(1));
    const full: FileOperations = {
      ...nodeFiles,
      write(path, pieces) {
        if (!path.endsWith('optimizer.safetensors')) return nodeFiles.write(path, pieces);
        writeFileSync(path, Buffer.concat(pieces).subarray(0, 9));
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      },
    };
    expect(() => writeCheckpoint(folder, 'last', checkpoint(2), full)).toThrow(
      expect.objectContaining({
        code: 'G2D_RUN_FOLDER',
        message: `The checkpoint ${join(folder, 'last')} cannot be saved: the disk is full (it takes 0.0 MB). What was saved before it is untouched; free some space, then resume the run.`,
      }),
    );
    expect(readdirSync(folder)).toEqual(['last']);
    expect(epochOf('last')).toBe(1);
  });

  it('says what is wrong with a place that cannot be written', () => {
    writeFileSync(join(folder, '..', 'file'), '');
    expect(() => writeCheckpoint(join(folder, '..', 'file'), 'last', checkpoint(1))).toThrow(
      /cannot be saved: ENOTDIR.*; put this right, then resume/,
    );
  });

  it.each([
    ['state.best', { best: -Infinity }, '-Infinity'],
    ['state.streams[1].at', { streams: [{}, { at: NaN }] }, 'NaN'],
    ['state.w', { w: new Float32Array(1) }, 'a Float32Array'],
    ['state[0]', [undefined], 'undefined'],
    ['state', undefined, 'undefined'],
  ])('rejects a state that JSON would change: %s', (path, state, shown) => {
    expect(() => writeCheckpoint(folder, 'last', { ...checkpoint(1), state })).toThrow(
      `\`${path}\` of a checkpoint is ${shown}`,
    );
    expect(existsSync(folder)).toBe(false);
  });

  it('rejects other labels', () => {
    for (const label of ['../last', 'epoch-1', 'last.new']) {
      expect(() => writeCheckpoint(folder, label as 'last', checkpoint(1))).toThrow('no checkpoint called');
      expect(() => readCheckpoint(folder, label as 'last')).toThrow('no checkpoint called');
    }
  });
});

describe('readCheckpoint', () => {
  it('finds nothing where nothing was saved', () => {
    expect(readCheckpoint(folder, 'last')).toBeUndefined();
    mkdirSync(join(folder, 'last.new'), { recursive: true });
    expect(readCheckpoint(folder, 'last')).toBeUndefined();
  });

  it.each(['model.safetensors', 'optimizer.safetensors', 'state.json'])(
    'goes back to the one before, with a warning, when a bit of %s has changed',
    (name) => {
      writeCheckpoint(folder, 'last', checkpoint(1));
      writeCheckpoint(folder, 'last', checkpoint(2));
      rot(join(folder, 'last', name));
      const { state, path, warnings } = readCheckpoint(folder, 'last') ?? {};
      expect([state, path]).toEqual([checkpoint(1).state, join(folder, 'last.previous')]);
      expect(warnings).toEqual([
        expect.stringMatching(/last is damaged \(\S+ .*\); last\.previous is used in its place\.$/),
      ]);
    },
  );

  it.each(['EIO', 'EACCES', 'EISDIR', 'ELOOP'])(
    'goes back to the one before, with a warning, when the system says %s of any file or of the folder',
    (code) => {
      writeCheckpoint(folder, 'last', checkpoint(1));
      writeCheckpoint(folder, 'last', checkpoint(2));
      const last = join(folder, 'last');
      for (const name of ['model.safetensors', 'optimizer.safetensors', 'state.json', '']) {
        const fail = (path: string): void => {
          if (path === join(last, name)) throw Object.assign(new Error(`${code}: ${path}`), { code });
        };
        const bad: FileOperations = {
          ...nodeFiles,
          exists: (path) => (fail(path), nodeFiles.exists(path)),
          read: (path) => (fail(path), nodeFiles.read(path)),
        };
        const { state, path, warnings } = readCheckpoint(folder, 'last', bad) ?? {};
        expect([state, path]).toEqual([checkpoint(1).state, join(folder, 'last.previous')]);
        expect(warnings).toEqual([expect.stringMatching(`last is damaged .it cannot be read: ${code}`)]);
        rmSync(join(folder, 'last.previous'), { recursive: true });
        expect(() => readCheckpoint(folder, 'last', bad)).toThrow(
          /damaged .*cannot be read.*Nothing was changed/,
        );
        expect(epochOf('last')).toBe(2);
        writeCheckpoint(folder, 'last', checkpoint(1));
        writeCheckpoint(folder, 'last', checkpoint(2));
      }
    },
  );

  it('goes back to the one before, with a warning, when it is gone, or something else stands in its place', () => {
    writeCheckpoint(folder, 'last', checkpoint(1));
    writeCheckpoint(folder, 'last', checkpoint(2));
    rmSync(join(folder, 'last'), { recursive: true });
    expect(readCheckpoint(folder, 'last')).toMatchObject({
      state: { epoch: 1 },
      warnings: [`${join(folder, 'last')} is missing; last.previous is used in its place.`],
    });
    writeFileSync(join(folder, 'last'), 'a file');
    expect(readCheckpoint(folder, 'last')).toMatchObject({ state: { epoch: 1 }, warnings: [/damaged/] });
  });

  it('never takes one that cannot be read for none, also while it was being put in its place', () => {
    writeCheckpoint(folder, 'last', checkpoint(1));
    renameSync(join(folder, 'last'), join(folder, 'last.new'));
    const bad: FileOperations = {
      ...nodeFiles,
      read(path) {
        if (path.endsWith('state.json'))
          throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
        return nodeFiles.read(path);
      },
    };
    expect(() => readCheckpoint(folder, 'last', bad)).toThrow(/last\.new: .*EIO: i\/o error/);
    writeCheckpoint(folder, 'best', checkpoint(1), bad);
    expect(readdirSync(folder).sort()).toEqual(['best', 'last.new.damaged-1']);
  });

  it('keeps what is damaged beside the checkpoints, and the one that is whole in its place', () => {
    writeCheckpoint(folder, 'last', checkpoint(1));
    writeCheckpoint(folder, 'last', checkpoint(2));
    rot(join(folder, 'last', 'model.safetensors'));
    expect(keepDamaged(folder, 'last')).toBe(join(folder, 'last.damaged-1'));
    expect(keepDamaged(folder, 'last')).toBeUndefined();
    expect(epochOf('last')).toBe(1);
    writeCheckpoint(folder, 'last', checkpoint(2));
    expect(readdirSync(folder).sort()).toEqual(['last', 'last.damaged-1', 'last.previous']);
    rmSync(join(folder, 'last'), { recursive: true });
    expect(epochOf('last')).toBe(1);
    // Killed between the two changes of names, with a damaged one in its place.
    writeCheckpoint(folder, 'last', checkpoint(3));
    writeCheckpoint(folder, 'best', checkpoint(4));
    renameSync(join(folder, 'best'), join(folder, 'last.new'));
    rot(join(folder, 'last', 'model.safetensors'));
    writeCheckpoint(folder, 'best', checkpoint(5));
    expect(epochOf('last')).toBe(4);
    expect(readdirSync(folder).filter((name) => name.startsWith('last.damaged'))).toHaveLength(2);
  });

  it('notices a change of a single digit of the state', () => {
    writeCheckpoint(folder, 'last', checkpoint(1));
    const path = join(folder, 'last', 'state.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"epoch": 1', '"epoch": 7'));
    expect(() => readCheckpoint(folder, 'last')).toThrow('state.json is not what was saved');
  });

  it('notices a mixture of two checkpoints', () => {
    writeCheckpoint(folder, 'last', checkpoint(1));
    writeCheckpoint(folder, 'last', checkpoint(2));
    renameSync(
      join(folder, 'last.previous', 'optimizer.safetensors'),
      join(folder, 'last', 'optimizer.safetensors'),
    );
    expect(() => readCheckpoint(folder, 'last')).toThrow(
      /last: the checkpoint is damaged \(optimizer\.safetensors is not what was saved.*begin the run anew/,
    );
  });

  it('says which file is missing, and what a newer program has written', () => {
    writeCheckpoint(folder, 'last', checkpoint(1));
    const path = join(folder, 'last', 'state.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"version": 1', '"version": 2'));
    expect(() => readCheckpoint(folder, 'last')).toThrow('of version 2; this program reads version 1');
    rmSync(path);
    expect(() => readCheckpoint(folder, 'last')).toThrow('state.json is missing');
  });

  it('reads a whole checkpoint while another process replaces it', () => {
    writeCheckpoint(folder, 'last', checkpoint(1));
    writeCheckpoint(folder, 'last', checkpoint(2));
    let reads = 0;
    const busy: FileOperations = {
      ...nodeFiles,
      read(path) {
        // Twice, in the middle: after the state was read, before the weights are.
        if (path.endsWith('model.safetensors') && reads++ < 2) {
          writeCheckpoint(folder, 'last', checkpoint(2 + reads));
        }
        return nodeFiles.read(path);
      },
    };
    expect(readCheckpoint(folder, 'last', busy)).toMatchObject({ state: { epoch: 4 }, warnings: [] });
  });
});
