/**
 * Accuracies in percent by head: `fused` and one entry per modality; a teacher has only its own modality. For a
 * regression the mean absolute percentage error (MAPE) in percent, of which less is better.
 */
export type Accuracies = Readonly<Record<string, number>>;

/** One number per modality. */
export type PerModality = Readonly<Record<string, number>>;

/** What is predicted: a class, scored by its accuracy, or a number, scored by its error (MAPE). */
export type Task = 'classification' | 'regression';

/** By what the epoch was chosen whose weights count: the best on validation, the best on test, or simply the last. */
export type Selection = 'validation-best' | 'test-best' | 'last';

/** Where a run was made. */
export interface RunEnvironment {
  readonly backend?: string;
  readonly device?: string;
  readonly versions?: Readonly<Record<string, string>>;
  readonly gitCommit?: string | null;
  readonly [fact: string]: unknown;
}

/** `config.json` of a run: the settings as they were resolved. Settings not named here are kept as they are. */
export interface RunConfig {
  /** What the run is called; where nobody named it, its method. */
  readonly name: string;
  readonly kind: 'teacher' | 'student';
  readonly modalities: readonly string[];
  /** Methods joined by `+`, for example `g2d` or `umt+smp`, or the path of a method of one's own. */
  readonly method: string;
  readonly methodOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly dataset?: { readonly name?: string; readonly [option: string]: unknown };
  /** Folder of each modality's teacher. */
  readonly teachers?: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly epochs: number;
  readonly select?: Selection;
  readonly environment?: RunEnvironment;
  /** τ_1 … τ_k in epochs, in a configuration without `methodOptions`. */
  readonly phaseEpochs?: readonly number[];
  /** Which parameters κ touches, in a configuration without `methodOptions`. */
  readonly scope?: string;
  readonly [setting: string]: unknown;
}

/** Numbers by name of the metric, for example `accuracy`, `macroF1`, `calibrationError` and `loss`, by head. */
export type HeadMetrics = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Numbers by part of the data, `validation` or `test`. */
export type PartMetrics = Readonly<Record<string, HeadMetrics>>;

/** One line of `metrics.jsonl`. A number that was not finite when it was written is absent. */
export interface EpochMetrics {
  /** Counts from 1. */
  readonly epoch: number;
  readonly learningRate?: number;
  readonly seconds?: number;
  readonly memoryMB?: number;
  /** `total` and its parts, for example `student`, `feature` and `logit`. */
  readonly loss: Readonly<Record<string, number>>;
  readonly train: Accuracies;
  /** Only on epochs that were evaluated. */
  readonly validation?: Accuracies;
  /** Only on epochs that were evaluated. */
  readonly test?: Accuracies;
  /** ρ in [0, 1], mean over the epoch (Eq. 5). */
  readonly confidence?: PerModality;
  /** κ in [0, 1], mean over the epoch's batches (Eq. 7). */
  readonly coefficients?: PerModality;
  readonly metrics?: PartMetrics;
  /** Whatever else a method recorded, numbers by name of the series and, for example, modality. */
  readonly series?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** How well one class is told from the others: each in [0, 1], absent where it is not defined; `support` in samples. */
export interface ClassScores {
  readonly precision?: number;
  readonly recall?: number;
  readonly f1?: number;
  readonly support: number;
}

/** `summary.json` of a run. */
export interface RunSummary {
  readonly name: string;
  readonly seed: number;
  readonly epochs: number;
  /** The data in words. */
  readonly dataset?: string;
  /** Default: classification. */
  readonly task?: Task;
  readonly select?: Selection;
  readonly seconds?: number;
  /** Seconds by stage. */
  readonly stages?: Readonly<Record<string, number>>;
  /** The epoch whose weights were kept, and which the numbers below are of. */
  readonly selectedEpoch?: number;
  readonly test: Accuracies;
  /** Empty where there is no validation part. */
  readonly validation: Accuracies;
  readonly metrics?: PartMetrics;
  /** Test part, by head, in the order of the classes. */
  readonly perClass?: Readonly<Record<string, readonly ClassScores[]>>;
  /** Test counts by head: rows are true classes, columns predicted classes. Empty for a regression. */
  readonly confusion: Readonly<Record<string, readonly (readonly number[])[]>>;
}

/** `predictions.json` of a run: what each head says about every test sample. */
export interface RunPredictions {
  readonly ids: readonly string[];
  /** True class ids; for a regression the true numbers. */
  readonly labels: readonly number[];
  /** Empty for a regression. */
  readonly classNames: readonly string[];
  /** Predicted class ids by head; for a regression the predicted numbers, NaN where one was not finite. */
  readonly predictions: Readonly<Record<string, readonly number[]>>;
}

/** A teacher that a student learned from. */
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
}

/** One finished training: everything its folder says. */
export interface Run extends StartedRun {
  readonly summary: RunSummary;
}

/** `summary.json` of a folder of runs. */
export interface GroupSummary {
  readonly seed: number;
  readonly backend: string;
  readonly tensorflow: string | null;
  readonly device: string;
  /** Seconds by stage. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly results: Readonly<Record<string, { readonly test: Accuracies; readonly validation?: Accuracies }>>;
  /** Test accuracy in percent of each modality's teacher. */
  readonly teachers: PerModality;
  /** ρ in [0, 1] of each modality's teacher on the training part. */
  readonly confidences: PerModality;
}

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
