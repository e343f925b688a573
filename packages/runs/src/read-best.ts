import { G2DError } from '@g2d/core';
import type { TrainingState } from '@g2d/trainer';
import { fromCheckpoint } from './checkpoint-state.js';
import { readCheckpoint } from './node/checkpoints/read-checkpoint.js';

/** What the checkpoint `best` of a run holds. */
export interface Best {
  readonly state?: TrainingState;
  /** Of the state; 0 without one. */
  readonly epoch: number;
  /** What is wrong with the checkpoint: sentences for the user. */
  readonly problems: readonly string[];
}

/** Reads the checkpoint `best`. One that is damaged is no reason to stop: the last epoch can be evaluated in its place. */
export function readBest(checkpoints: string): Best {
  try {
    const found = readCheckpoint(checkpoints, 'best');
    if (!found) return { epoch: 0, problems: ['checkpoints/best is missing.'] };
    const state = fromCheckpoint(found);
    return { state, epoch: state.position.epoch - 1, problems: found.warnings };
  } catch (error) {
    if (!G2DError.isInstance(error)) throw error;
    return { epoch: 0, problems: [error.message] };
  }
}
