/** Accuracies in percent by head: `fused` and one entry per modality. A teacher has only its own modality. */
export type Accuracies = Readonly<Record<string, number>>;

/** One number per modality. */
export type PerModality = Readonly<Record<string, number>>;

/** `config.json` of a run: the settings as they were resolved. */
export interface RunConfig {
  readonly name: string;
  readonly kind: 'teacher' | 'student';
  readonly modalities: readonly string[];
  readonly method: string;
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly dropAfter?: readonly number[];
  readonly momentum?: number;
  readonly weightDecay?: number;
  /** τ_1 … τ_k in epochs; absent where nothing is prioritized. */
  readonly phaseEpochs?: readonly number[];
  /** Which parameters κ touches. */
  readonly scope?: string;
  readonly onZero?: string;
  readonly alpha?: number;
  readonly beta?: number;
  readonly temperature?: number;
  readonly backend?: string;
  readonly device?: string;
  readonly versions?: Readonly<Record<string, string>>;
}

/** One line of `metrics.jsonl`. A number that was not finite when it was written is absent. */
export interface EpochMetrics {
  /** Counts from 1. */
  readonly epoch: number;
  readonly learningRate?: number;
  readonly seconds?: number;
  readonly memoryMB?: number;
  /** `total` and, where the method has them, `student`, `feature` and `logit`. */
  readonly loss: Readonly<Record<string, number>>;
  readonly train: Accuracies;
  /** Only on epochs that were evaluated. */
  readonly validation?: Accuracies;
  /** ρ in [0, 1], mean over the epoch (Eq. 5). */
  readonly confidence?: PerModality;
  /** κ in [0, 1], mean over the epoch's batches (Eq. 7). */
  readonly coefficients?: PerModality;
}

/** `summary.json` of a run. */
export interface RunSummary {
  readonly name: string;
  readonly seed: number;
  readonly epochs: number;
  readonly seconds?: number;
  /** The epoch whose weights were kept, and which the numbers below are of: the last, or the best on validation. */
  readonly selectedEpoch?: number;
  readonly test: Accuracies;
  readonly validation: Accuracies;
  /** Test counts by head: rows are true classes, columns predicted classes. */
  readonly confusion: Readonly<Record<string, readonly (readonly number[])[]>>;
}

/** `predictions.json` of a run: what each head says about every test sample. */
export interface RunPredictions {
  readonly ids: readonly string[];
  /** True class ids. */
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
  /** Predicted class ids by head. */
  readonly predictions: Readonly<Record<string, readonly number[]>>;
}

/** One training: everything its folder says. */
export interface Run {
  /** Name of the folder. */
  readonly name: string;
  readonly folder: string;
  readonly config: RunConfig;
  readonly metrics: readonly EpochMetrics[];
  readonly summary: RunSummary;
  readonly predictions: RunPredictions;
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
