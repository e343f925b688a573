import { OptionError, type RandomState, type Snapshot } from '@g2d/core';
import { NO_STEPS, type EpochTotals } from './epoch-log.js';
import type { SavedState } from './method-state.js';
import { averageStatistics } from './reduce.js';
import type { RunningMethods } from './running-methods.js';
import type { TrainingContext } from './training.js';

/** Where a training is, between two steps. */
export interface Position {
  /** Counted from 1. */
  readonly epoch: number;
  /** How many batches of the epoch are done. */
  readonly batch: number;
  /** Of the batches that are done. */
  readonly totals: EpochTotals;
  /** That the epoch has taken so far. */
  readonly seconds: number;
}

/** Before the first step. */
export const BEGINNING: Position = { epoch: 1, batch: 0, totals: NO_STEPS, seconds: 0 };

/** Everything that a training needs to go on as if it had never stopped. Plain data, for files. */
export interface TrainingState {
  readonly position: Position;
  readonly snapshot: Snapshot;
  /** Places of the random streams, by name. */
  readonly streams: Readonly<Record<string, RandomState>>;
  /** By the names of the methods that have a state. */
  readonly methods: Readonly<Record<string, SavedState>>;
}

/** Copies the state of a training between two steps. With several processes all of them call it, after the same step. */
export function captureState<M extends string>(
  training: TrainingContext<M>,
  running: RunningMethods<M>,
  position: Position,
): TrainingState {
  averageStatistics(training.allReduce, training.model);
  return {
    position,
    snapshot: training.snapshot(),
    streams: Object.fromEntries(
      Array.from(training.streams(), ([name, stream]) => [name, stream.getState()]),
    ),
    methods: running.save(),
  };
}

/**
 * Goes back to a captured state. A method whose state is not there begins with what `init` gives.
 *
 * @param options `beginsAnew`: the next step has a new optimizer, whatever the saved one was.
 * @throws {OptionError} If it is one of other methods, another model or another optimizer.
 */
export async function restoreState<M extends string>(
  training: TrainingContext<M>,
  running: RunningMethods<M>,
  { snapshot, streams, methods: saved }: TrainingState,
  { beginsAnew }: { readonly beginsAnew: boolean },
): Promise<void> {
  const known = running.present.filter(({ init }) => init).map(({ name }) => name);
  const found = Object.keys(saved);
  if (!found.every((name) => known.includes(name))) {
    throw new OptionError(
      `The saved state is of the methods ${found.join(', ')}, but this training has ${known.join(', ') || 'none with a state'}. Go on with the methods that the run began with.`,
      { option: 'resume', value: found, accepted: known.join(', ') },
    );
  }
  await running.start(training, saved);
  training.restore(beginsAnew ? { ...snapshot, optimizers: {} } : snapshot);
  for (const [name, state] of Object.entries(streams)) training.random(name).setState(state);
}
