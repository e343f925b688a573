import { dirname, join } from 'node:path';
import { safetensorsPieces } from '@g2d/formats';
import { formatNumber, G2DError, OptionError } from '@g2d/core';
import { CHECKPOINT_FORMAT, CHECKPOINT_VERSION, type StateFile } from '@g2d/core/run-folder';
import {
  checkpointPaths,
  labelOfNext,
  MODEL,
  OPTIMIZER,
  sha256,
  STATE,
  type Checkpoint,
  type CheckpointLabel,
} from './checkpoint.js';
import { nodeFiles, type FileOperations } from './file-operations.js';
import { completenessOf } from './read-checkpoint.js';

/**
 * Saves a checkpoint in place of the one of the same label, which stays beside it as `<label>.previous`.
 *
 * Whenever the process is killed or the power goes, `readCheckpoint` finds the new checkpoint or the one before it, and
 * once this function has returned, the new one:
 *
 * 1. The files are written into `<label>.new` and synced, `state.json` with the checksums last.
 * 2. `<label>.previous` is removed; `<label>` becomes `<label>.previous`.
 * 3. `<label>.new` becomes `<label>`.
 *
 * A complete `<label>.new` without `<label>` is thus the newest checkpoint; what else a killed process leaves is
 * removed by the next call. One process writes at a time: hold the run's lock (`lockRun`).
 *
 * @param folder The run's `checkpoints` folder. Made if missing.
 * @param label `last`, `best`, or from `epochLabel`.
 * @param checkpoint Float32 arrays are stored bit by bit.
 * @param files Where to write; tests put a failing file system here.
 * @throws {OptionError} If the label is none, or JSON cannot hold the state exactly (a NaN, a typed array).
 * @throws {ShapeError} If an array's shape and its number of values disagree.
 * @throws {G2DError} With code `G2D_RUN_FOLDER` if the files cannot be written, for example as the disk is full.
 * What was saved before is not touched then.
 * @example
 * writeCheckpoint('runs/joint/checkpoints', 'last', { model: readState(model), optimizer: {}, state: { epoch: 3 } });
 */
export function writeCheckpoint(
  folder: string,
  label: CheckpointLabel,
  { model, optimizer, state }: Checkpoint,
  files: FileOperations = nodeFiles,
): void {
  const { current, next, previous } = checkpointPaths(folder, label);
  assertJson(state, 'state');
  const modelPieces = safetensorsPieces(model);
  const optimizerPieces = safetensorsPieces(optimizer);
  const stateFile: StateFile = {
    format: CHECKPOINT_FORMAT,
    version: CHECKPOINT_VERSION,
    sha256: {
      [MODEL]: sha256(...modelPieces),
      [OPTIMIZER]: sha256(...optimizerPieces),
      state: sha256(JSON.stringify(state)),
    },
    state,
  };
  const contents = [
    [MODEL, modelPieces],
    [OPTIMIZER, optimizerPieces],
    [STATE, [Buffer.from(`${JSON.stringify(stateFile, null, 2)}\n`)]],
  ] as const;

  const bytes = contents.flatMap(([, pieces]) => pieces).reduce((sum, { length }) => sum + length, 0);
  orExplain(current, bytes, () => {
    cleanUp(folder, files);
    try {
      files.makeFolder(next);
      for (const [name, pieces] of contents) files.write(join(next, name), pieces);
      // The new checkpoint is on disk before the old one is touched.
      files.sync(next);
      files.sync(folder);
    } catch (error) {
      try {
        files.remove(next);
      } catch {
        // Nobody takes it for a checkpoint, and the next call tries again.
      }
      throw error;
    }
    if (files.exists(current)) {
      files.remove(previous);
      files.rename(current, previous);
    }
    files.rename(next, current);
    files.sync(folder);
  });
}

/** Puts right what a process left that was killed while it wrote a checkpoint, of whatever label. */
function cleanUp(folder: string, files: FileOperations): void {
  if (!files.exists(folder)) {
    files.makeFolder(folder);
    files.sync(dirname(folder));
  }
  for (const label of files.list(folder).map(labelOfNext)) {
    if (label === undefined) continue;
    const { current, next } = checkpointPaths(folder, label);
    const hasCurrent = files.exists(current);
    const found = completenessOf(next, files);
    // Where the one in its place is no use, the new one is the newest that there is.
    const isNeeded = found !== 'incomplete' && !(hasCurrent && completenessOf(current, files) === 'complete');
    if (isNeeded && hasCurrent) putAside(current, files);
    if (isNeeded && found === 'complete') files.rename(next, current);
    else if (isNeeded) putAside(next, files);
    else files.remove(next);
    files.sync(folder);
  }
}

/**
 * Keeps what stands in the place of a checkpoint that could not be read, as `<label>.damaged-1` and so on: the next one would take the
 * place of the one before it, which is whole.
 *
 * @returns Its new name, `undefined` if there is nothing.
 * @throws {G2DError} With code `G2D_RUN_FOLDER` if it cannot be moved.
 */
export function keepDamaged(
  folder: string,
  label: CheckpointLabel,
  files: FileOperations = nodeFiles,
): string | undefined {
  const { current } = checkpointPaths(folder, label);
  return orExplain(current, 0, () => {
    if (!files.exists(current)) return undefined;
    const name = putAside(current, files);
    files.sync(folder);
    return name;
  });
}

function putAside(path: string, files: FileOperations): string {
  let count = 1;
  while (files.exists(`${path}.damaged-${count}`)) count++;
  const name = `${path}.damaged-${count}`;
  files.rename(path, name);
  return name;
}

function orExplain<T>(path: string, bytes: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    const reason = full ? `the disk is full (it takes ${formatNumber(bytes / 1e6)} MB)` : message;
    throw new G2DError(
      'G2D_RUN_FOLDER',
      `The checkpoint ${path} cannot be saved: ${reason}. What was saved before it is untouched; ` +
        `${full ? 'free some space' : 'put this right'}, then resume the run.`,
      { path, bytes, reason: code },
      { cause: error },
    );
  }
}

/** Throws where `JSON.parse(JSON.stringify(value))` would be something else: a resumed run would go on differently. */
function assertJson(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    for (const [i, entry] of value.entries()) assertJson(entry, `${path}[${i}]`);
    return;
  }
  const prototype = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (prototype === Object.prototype || prototype === null) {
    for (const [key, entry] of Object.entries(value as object)) {
      // A property that is `undefined` reads the same when it is absent.
      if (entry !== undefined) assertJson(entry, `${path}.${key}`);
    }
    return;
  }
  const shown = typeof value === 'object' ? `a ${value?.constructor.name}` : String(value);
  throw new OptionError(`\`${path}\` of a checkpoint is ${shown}, which JSON cannot hold exactly.`, {
    option: path,
    value,
    accepted: 'null, text, booleans, finite numbers, and lists and plain objects of them',
  });
}
