import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { OptionError, type NamedArray } from '@g2d/core';

/** Everything that a run needs to go on, or a model to be evaluated. */
export interface Checkpoint {
  /** Weights and running statistics, by variable name. */
  readonly model: Readonly<Record<string, NamedArray>>;
  /** State of the optimizer, by variable name. */
  readonly optimizer: Readonly<Record<string, NamedArray>>;
  /** The rest, as JSON: epoch, step, positions of the random streams, state of the method. */
  readonly state: unknown;
}

/** `last`, `best`, or an epoch's (`epochLabel`): the name of a checkpoint's folder. */
export type CheckpointLabel = 'last' | 'best' | `epoch-${string}`;

export const MODEL = 'model.safetensors';
export const OPTIMIZER = 'optimizer.safetensors';
export const STATE = 'state.json';

/**
 * The label of an epoch's checkpoint.
 *
 * @param epoch Counts from 1.
 * @example
 * epochLabel(42); // 'epoch-0042'
 */
export function epochLabel(epoch: number): CheckpointLabel {
  return `epoch-${String(epoch).padStart(4, '0')}`;
}

const LABEL = /^(last|best|epoch-\d{4,})$/;

/** Whether a folder of this name holds, or held, what a run has saved. */
export const isCheckpoint = (name: string): boolean =>
  LABEL.test(name.replace(/(\.previous|(\.new)?\.damaged-\d+)$/, ''));

/** Ends the name of the folder in which a checkpoint is being written. */
const NEXT = '.new';

/** The label whose checkpoint was being written into a folder of this name, `undefined` if it is another folder. */
export function labelOfNext(name: string): string | undefined {
  const label = name.endsWith(NEXT) ? name.slice(0, -NEXT.length) : '';
  return LABEL.test(label) ? label : undefined;
}

/** The three places of a checkpoint. `current` is what users see; the others end in `.new` and `.previous`. */
export function checkpointPaths(folder: string, label: string) {
  if (!LABEL.test(label)) {
    throw new OptionError(`There is no checkpoint called "${label}": labels are last, best and epoch-0001.`, {
      option: 'label',
      value: label,
      accepted: 'last, best, or epoch- and at least four digits',
    });
  }
  const current = join(folder, label);
  return { current, next: `${current}${NEXT}`, previous: `${current}.previous` };
}

/** Of what the pieces are together, in hexadecimal. */
export function sha256(...pieces: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
