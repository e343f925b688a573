import type { NamedArray } from '@g2d/core';
import { mapValues } from '@g2d/trainer/internal';
import { currentState } from './legacy-state.js';
import type { Checkpoint } from './node/checkpoints/checkpoint.js';
import type { Position, TrainingState } from '@g2d/trainer';

/** What a run remembers beside the state of its training. */
export interface RunProgress {
  /** The epoch that `best` holds, and its score. */
  readonly best: { readonly epoch: number; readonly score: number } | null;
  /** Seconds so far by stage. */
  readonly stages: Readonly<Record<string, number>>;
  /** Checksum of the fingerprints of its data; checkpoints of earlier versions have none. */
  readonly data?: string | undefined;
  /** Checksum of the settings that it began with, in the same way. */
  readonly settings?: string | undefined;
}

/** `state.json`, as far as it is not the arrays' place. */
interface SavedState extends RunProgress {
  readonly position: Position;
  readonly streams: TrainingState['streams'];
  readonly learningRates: Readonly<Record<string, number>>;
  /** Names of methods with a state, and what of it is no array. */
  readonly methods: Readonly<Record<string, unknown>>;
}

const METHOD = 'method:';

/** A training state as the files of a checkpoint. Arrays are named `<optimizer>/<variable>/<part>` and `method:<name>/<array>`. */
export function toCheckpoint(
  { position, snapshot, streams, methods }: TrainingState,
  progress: RunProgress,
): Checkpoint {
  const state: SavedState = {
    ...progress,
    position,
    streams,
    learningRates: mapValues(snapshot.optimizers, ({ learningRate }) => learningRate),
    methods: mapValues(methods, ({ values }) => values ?? null),
  };
  return {
    model: snapshot.model,
    optimizer: {
      ...joined(mapValues(snapshot.optimizers, ({ arrays }) => arrays)),
      ...joined(prefixed(mapValues(methods, ({ arrays }) => arrays ?? {}))),
    },
    state,
  };
}

/** The inverse of `toCheckpoint`, also of what earlier versions saved. */
export function fromCheckpoint({ model, optimizer, state }: Checkpoint): TrainingState & RunProgress {
  const { position, streams, learningRates, methods, best, stages, data, settings } = state as SavedState;
  return {
    best,
    stages,
    ...(data !== undefined && { data }),
    ...(settings !== undefined && { settings }),
    position,
    streams,
    snapshot: {
      model,
      optimizers: mapValues(learningRates, (learningRate, name) => ({
        learningRate,
        arrays: part(optimizer, `${name}/`),
      })),
    },
    methods: mapValues(methods, (values, name) =>
      currentState(name, { values: values ?? undefined, arrays: part(optimizer, `${METHOD}${name}/`) }),
    ),
  };
}

type Arrays = Readonly<Record<string, NamedArray>>;

const joined = (groups: Readonly<Record<string, Arrays>>): Arrays =>
  Object.fromEntries(
    Object.entries(groups).flatMap(([group, arrays]) =>
      Object.entries(arrays).map(([name, array]) => [`${group}/${name}`, array]),
    ),
  );

const prefixed = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [`${METHOD}${name}`, value]));

const part = (arrays: Arrays, prefix: string): Arrays =>
  Object.fromEntries(
    Object.entries(arrays).flatMap(([name, array]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), array]] : [],
    ),
  );
