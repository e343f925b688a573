/**
 * By name: `fused` (two modalities or more) and one for each modality, in percent. Accuracy, or for a regression the mean absolute
 * percentage error (smaller is better).
 */
export type Scores = Readonly<Record<string, number>>;

/** All that was measured of one head; `loss` is the mean over the samples that have the modality. */
export interface HeadMetrics {
  readonly loss: number;
}

/**
 * How often encoders ran, by modality. A step of joint training has one pass of every encoder in each direction; one on several batches
 * counts once.
 */
export interface PassCounts {
  /** In steps; and once for each batch that a method read beside them, for the modalities that it read. */
  readonly forward: Readonly<Record<string, number>>;
  /** Of these, how many were differentiated. */
  readonly backward: Readonly<Record<string, number>>;
  /** Of the teachers that run in steps; absent where none does. */
  readonly teachers?: Readonly<Record<string, number>>;
}

/** What an epoch leaves in the log. */
export interface EpochRecord {
  /** Counted from 1, through all stages. */
  readonly epoch: number;
  /** Of a method with stages. */
  readonly stage?: string;
  readonly learningRate: number;
  /** Of the parts of the model that have others. */
  readonly learningRates?: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** True if a method ended the training with this epoch. */
  readonly stopped?: true;
  /** Its name; `'early-stopping'` for the setting of that name. */
  readonly stoppedBy?: string;
  /**
   * Batches that were left out because one sample alone had a modality, of which batch normalization would have had a single value in
   * each channel: no variance. Absent: none.
   */
  readonly skippedSteps?: number;
  /** In this process; absent where an earlier version began the epoch. */
  readonly passes?: PassCounts;
  /** Means over the epoch's batches. */
  readonly loss: Readonly<Record<string, number>>;
  /** On the training batches as they were trained on: augmented, before each step. */
  readonly train: Scores;
  /** On the epochs that were evaluated. */
  readonly validation?: Scores;
  readonly test?: Scores;
  /** By head, as `Scores`, on each split that was evaluated. */
  readonly metrics?: Readonly<Partial<Record<'validation' | 'test', Readonly<Record<string, HeadMetrics>>>>>;
  /** Series of the methods, such as `confidence` and `coefficients`: means over the epoch's batches. */
  readonly [series: string]: unknown;
}
