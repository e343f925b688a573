import { basename, join } from 'node:path';
import { decodeSafetensors } from '@g2d/formats';
import { FileFormatError } from '@g2d/core';
import { CHECKPOINT_VERSION, stateFileSchema, type StateFile, parseJson } from '@g2d/core/run-folder';
import {
  checkpointPaths,
  MODEL,
  OPTIMIZER,
  sha256,
  STATE,
  type Checkpoint,
  type CheckpointLabel,
} from './checkpoint.js';
import { nodeFiles, type FileOperations } from './file-operations.js';

/** A checkpoint as it was found. */
export interface LoadedCheckpoint extends Checkpoint {
  /** Its folder. */
  readonly path: string;
  /** A sentence for each checkpoint that was newer but is damaged; empty as a rule. Show them. */
  readonly warnings: readonly string[];
}

/** How often a reader looks again if another process saves just then. */
const ATTEMPTS = 5;

/**
 * Reads the newest complete checkpoint of a label, and checks its content against the checksums.
 *
 * Normally that is `<label>`. If it is missing because a process was killed while it replaced it, `<label>.new` is
 * taken; if it is damaged, cannot be read or is missing otherwise, the one before it, with a warning. Safe while another process saves.
 *
 * @param folder The run's `checkpoints` folder.
 * @param label `last`, `best`, or from `epochLabel`.
 * @param files Where to read.
 * @returns `undefined` if there is none, for example as the run was killed before it had saved its first.
 * @throws {OptionError} If the label is none.
 * @throws {FileFormatError} If there are checkpoints and all of them are damaged or cannot be read.
 * @example
 * const last = readCheckpoint('runs/joint/checkpoints', 'last');
 * if (last) writeState(model, last.model);
 */
export function readCheckpoint(
  folder: string,
  label: CheckpointLabel,
  files: FileOperations = nodeFiles,
): LoadedCheckpoint | undefined {
  const { current, next, previous } = checkpointPaths(folder, label);
  for (let attempt = 1; ; attempt++) {
    const before = stateText(current, files);
    const { found, problems } = findComplete([current, next, previous], files);
    // Another process has replaced it while we read: an older one was found, or the parts of two did not fit.
    const replaced = found?.path !== current && stateText(current, files) !== before;
    if (replaced && attempt < ATTEMPTS) continue;
    if (found) {
      const instead = `${basename(found.path)} is used in its place.`;
      const warnings = problems.map(({ path, problem }) => `${path} is damaged (${problem}); ${instead}`);
      // Nothing that is killed leaves the one before alone.
      const isGone = found.path === previous && problems.every(({ path }) => path !== current);
      return { ...found, warnings: isGone ? [`${current} is missing; ${instead}`, ...warnings] : warnings };
    }
    // A part of `next` alone is what a run leaves that was killed while it saved its first checkpoint.
    const damaged = problems.find(({ path, isUnreadable }) => path !== next || isUnreadable);
    if (!damaged) return undefined;
    throw new FileFormatError(
      damaged.path,
      `the checkpoint is damaged (${damaged.problem}), and no earlier one of its name is complete. Nothing was changed. Put it right, use another checkpoint (g2d evaluate --checkpoint best), or begin the run anew in another folder.`,
    );
  }
}

/** What is wrong with a folder of a checkpoint. */
interface Problem {
  readonly problem: string;
  /** It may be whole: the system does not let us look. */
  readonly isUnreadable?: true;
}

/** The first complete checkpoint of several folders, and what is wrong with those before it. */
function findComplete(paths: readonly string[], files: FileOperations) {
  const problems: (Problem & { readonly path: string })[] = [];
  for (const path of paths) {
    const result = readFolder(path, files);
    if (result && !('problem' in result)) return { found: { ...result, path }, problems };
    if (result) problems.push({ ...result, path });
  }
  return { found: undefined, problems };
}

/** Whether a folder holds a whole checkpoint with the right checksums; `unknown` where the system does not let us look. */
export function completenessOf(path: string, files: FileOperations): 'complete' | 'incomplete' | 'unknown' {
  const result = readFolder(path, files);
  if (result && !('problem' in result)) return 'complete';
  return result?.isUnreadable ? 'unknown' : 'incomplete';
}

/** The checkpoint of a folder; what is wrong with it; `undefined` if there is no such folder. */
function readFolder(path: string, files: FileOperations): Checkpoint | Problem | undefined {
  try {
    const result = files.exists(path) ? readComplete(path, files) : undefined;
    return typeof result === 'string' ? { problem: result } : result;
  } catch (error) {
    // Whatever the system says (EISDIR, EIO, EACCES): another checkpoint may be readable.
    return { problem: `it cannot be read: ${(error as Error).message}`, isUnreadable: true };
  }
}

function readComplete(path: string, files: FileOperations): Checkpoint | string {
  const text = textOf(readIfThere(join(path, STATE), files));
  if (text === undefined) return `${STATE} is missing`;
  const stateFile = parseState(text);
  if (typeof stateFile === 'string') return stateFile;
  if (sha256(JSON.stringify(stateFile.state)) !== stateFile.sha256.state) return changed(STATE);
  const arrays = [MODEL, OPTIMIZER].map((name) => {
    const bytes = readIfThere(join(path, name), files);
    if (!bytes) return `${name} is missing`;
    if (sha256(bytes) !== stateFile.sha256[name as typeof MODEL]) return changed(name);
    return decodeSafetensors(bytes, join(path, name));
  });
  const [model, optimizer] = arrays as [(typeof arrays)[0], (typeof arrays)[0]];
  if (typeof model !== 'object') return model;
  if (typeof optimizer !== 'object') return optimizer;
  return { model, optimizer, state: stateFile.state };
}

function parseState(text: string): StateFile | string {
  let parsed: unknown;
  try {
    parsed = parseJson(text, { path: STATE });
  } catch {
    return `${STATE} is not JSON`;
  }
  const { data } = stateFileSchema.safeParse(parsed);
  if (data === undefined) return `${STATE} is not of a checkpoint`;
  if (data.version !== CHECKPOINT_VERSION) {
    return `${STATE} is of version ${data.version}; this program reads version ${CHECKPOINT_VERSION}`;
  }
  return data;
}

const changed = (name: string): string => `${name} is not what was saved: its SHA-256 differs`;

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && new TextDecoder().decode(bytes);

/** To see whether it changes; it is read in earnest elsewhere. */
function stateText(path: string, files: FileOperations): string | undefined {
  try {
    return textOf(readIfThere(join(path, STATE), files));
  } catch {
    return undefined;
  }
}

function readIfThere(path: string, files: FileOperations): Uint8Array | undefined {
  try {
    return files.read(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
