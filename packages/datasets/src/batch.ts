import type { Labels } from '@g2d/core';
import type * as tf from '@tensorflow/tfjs-core';

/**
 * What one training step sees. Whoever gets it disposes it: `tf.dispose(batch)` frees every tensor in it.
 *
 * A type, not an interface, and `ids` not readonly, since `tf.dispose` would not accept it otherwise.
 */
export type Batch<M extends string> = {
  /** One tensor per modality, float32 `[B, …shape]`, channels last; a free axis as long as the batch's longest, zeros behind. */
  readonly inputs: Readonly<Record<M, tf.Tensor>>;
  /**
   * True class ids, int32 `[B]`; a regression's targets, float32 `[B]`; of a multi-label task float32 `[B, C]`, 1 for each class that a sample
   * has.
   */
  readonly labels: Labels;
  /** The samples' stable ids, `[B]`. */
  readonly ids: string[];
  /**
   * Place in the epoch, from 0, as `startBatch` counts: batches whose samples were all left out have one too. Absent in batches
   * from elsewhere.
   */
  readonly index?: number;
  /** Which of `of` equal parts of a batch this is, in its order: of a pass with `part`. Absent: it is whole. */
  readonly part?: { readonly index: number; readonly of: number };
  /** For modalities that samples of the dataset can lack: float32 `[B]`, 1 where present. A modality not in it is always present. */
  readonly present?: Readonly<Partial<Record<M, tf.Tensor1D>>>;
  /** For modalities of free length: float32 `[B, T]`, 1 for a real step and 0 for padding, as `transformer` takes it. */
  readonly masks?: Readonly<Partial<Record<M, tf.Tensor2D>>>;
};
