import { OptionError, type RandomState } from '@g2d/core';
import { NO_STEPS, type EpochTotals } from './epoch-log.js';
import type { Method, MethodState } from './method.js';
import type { Snapshot } from './snapshot.js';
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
  /** By the methods' names. */
  readonly methods: Readonly<Record<string, MethodState>>;
}

/** Copies the state of a training between two steps. */
export function captureState<M extends string>(
  training: TrainingContext<M>,
  methods: readonly Method<M>[],
  position: Position,
): TrainingState {
  return {
    position,
    snapshot: training.snapshot(),
    streams: Object.fromEntries(
      Array.from(training.streams(), ([name, stream]) => [name, stream.getState()]),
    ),
    methods: Object.fromEntries(
      methods.flatMap((method) => (method.getState ? [[method.name, method.getState()]] : [])),
    ),
  };
}

/**
 * Goes back to a captured state, after the methods' `onTrainStart`.
 *
 * @throws {OptionError} If it is one of other methods, another model or another optimizer.
 */
export function restoreState<M extends string>(
  training: TrainingContext<M>,
  methods: readonly Method<M>[],
  { position, snapshot, streams, methods: saved }: TrainingState,
): Position {
  const expected = methods.filter(({ getState }) => getState).map(({ name }) => name);
  const found = Object.keys(saved);
  if ([...expected].sort().join() !== [...found].sort().join()) {
    throw new OptionError(
      `The saved state is of the methods ${found.join(', ') || '(none)'}, but this training has ${expected.join(', ') || 'none with a state'}. Go on with the methods that the run began with.`,
      { option: 'resume', value: found, accepted: expected.join(', ') },
    );
  }
  for (const method of methods) method.setState?.(saved[method.name] ?? {});
  for (const name of Object.keys(snapshot.optimizers)) {
    if (training.hasOptimizer(name)) continue;
    throw new OptionError(
      `The saved state has an optimizer "${name}" that no method has made. A method makes its optimizers in \`onTrainStart\`, or again in \`setState\`.`,
      { option: 'resume', value: name, accepted: 'createOptimizer in onTrainStart or setState' },
    );
  }
  training.restore(snapshot);
  for (const [name, state] of Object.entries(streams)) training.random(name).setState(state);
  return position;
}
