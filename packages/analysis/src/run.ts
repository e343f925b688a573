import type {
  EpochMetrics,
  GroupSummary,
  RecordedConfig,
  RunPredictions,
  RunSummary,
} from '@g2d/core/run-folder';

export type {
  ClassScores,
  EpochMetrics,
  GroupSummary,
  RunEnvironment,
  RunPredictions,
  RunSummary,
} from '@g2d/core/run-folder';

/** `config.json` of a run as it is read. */
export type RunConfig = RecordedConfig;

/**
 * Accuracies in percent by head: `fused` and one entry per modality; a teacher has only its own modality. For a
 * regression the mean absolute percentage error (MAPE) in percent, of which less is better; for a multi-label task micro F1.
 */
export type Accuracies = RunSummary['test'];

/** One number per modality. */
export type PerModality = GroupSummary['teachers'];

/** What is predicted: a class, scored by its accuracy, a number, by its error (MAPE), or a set of classes, by its micro F1. */
export type Task = NonNullable<RunSummary['task']>;

/** By what the epoch was chosen whose weights count: the best on validation, the best on test, or simply the last. */
export type Selection = NonNullable<RunSummary['select']>;

/** Numbers by split, `validation` or `test`, head and name of the metric, for example `accuracy`. */
export type SplitMetrics = NonNullable<RunSummary['metrics']>;

/** Numbers by head and name of the metric. */
export type HeadMetrics = SplitMetrics[string];

/** Another run that one needed: a teacher that it learned from, or one whose encoder it began with. */
export interface RunTeacher {
  /** Its settings as they were copied into the student's folder, or found in its own. */
  readonly config: RunConfig;
  /** Its results, where they can be found. */
  readonly summary?: RunSummary;
}

/** One training that may still be going, or was stopped: what its folder says so far. */
export interface StartedRun {
  /** Name of the folder. */
  readonly name: string;
  readonly folder: string;
  readonly config: RunConfig;
  readonly metrics: readonly EpochMetrics[];
  /** Absent while the run is not finished. */
  readonly summary?: RunSummary;
  readonly predictions?: RunPredictions;
  /** By modality; only those that can be found. */
  readonly teachers?: Readonly<Record<string, RunTeacher>>;
  /** Runs whose encoders it began with, by modality; only those that can be found. */
  readonly encoderRuns?: Readonly<Record<string, RunTeacher>>;
}

/** One finished training: everything its folder says. */
export interface Run extends StartedRun {
  readonly summary: RunSummary;
}

/** Whether a run has ended: one that is still going, or was stopped, has no results. */
export const isFinished = (run: StartedRun): run is Run => run.summary !== undefined;

/** Runs that belong together: same data, same seed, different methods. */
export interface RunGroup {
  readonly folder: string;
  readonly summary: GroupSummary;
  /** Complete runs, in the order in which methods are shown: teachers first. */
  readonly runs: readonly Run[];
  /** Every modality of the group, in the order in which it is shown. */
  readonly modalities: readonly string[];
  /** Sub-folders that hold a `config.json` but lack another file of a finished run. */
  readonly incomplete: readonly string[];
}

/** How a method is called and what it does, in words for a reader who does not know it. */
export interface MethodWords {
  readonly label: string;
  readonly description: string;
}
