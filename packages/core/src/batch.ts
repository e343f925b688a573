import type * as tf from '@tensorflow/tfjs-core';

/**
 * Which samples have which modality: float32 `[B]`, 1 for those that have it and 0 for the others. A modality without a mask is there
 * in every sample.
 */
export type Presence<M extends string> = Readonly<Partial<Record<M, tf.Tensor1D>>>;

/**
 * The labels of a batch: true class ids, int32 `[B]`; a regression's targets, float32 `[B]`; of a multi-label task float32 `[B, C]`, 1 for each
 * class that a sample has and 0 for the others.
 */
export type Labels = tf.Tensor1D | tf.Tensor2D;

/** What a model sees of a batch. */
export interface Inputs<M extends string> {
  /**
   * One tensor per modality, float32 `[B, …shape]`, channels last; a free axis as long as the batch's longest, zeros behind. A modality
   * that the whole batch lacks may have none.
   */
  readonly inputs: Readonly<Partial<Record<M, tf.Tensor>>>;
  /** For modalities that samples can lack. */
  readonly present?: Presence<M> | undefined;
  /**
   * For modalities whose input is zeros in samples that lack them, and is encoded and fused like any other: the fusion is told who has them,
   * and nothing else changes.
   */
  readonly zeroed?: Presence<M> | undefined;
  /** For modalities of free length: float32 `[B, T]`, 1 for a real step and 0 for padding. */
  readonly masks?: Readonly<Partial<Record<M, tf.Tensor2D>>> | undefined;
}

/**
 * What one training step sees. Whoever gets it disposes it: `tf.dispose(batch)` frees every tensor in it.
 *
 * A type, not an interface, and `ids` not readonly, since `tf.dispose` would not accept it otherwise.
 */
export type Batch<M extends string> = {
  /** As in `Inputs`, of every modality that was read. */
  readonly inputs: Readonly<Record<M, tf.Tensor>>;
  /** As the task has them. */
  readonly labels: Labels;
  /** The samples' stable ids, `[B]`. */
  readonly ids: string[];
  /** Place in the epoch, from 0; batches whose samples were all left out have one too. Absent in batches from elsewhere. */
  readonly index?: number;
  /**
   * Which of `of` equal parts of a batch this is, in the batch's order, where processes share the reading. Such a batch has no `present`. Absent:
   * it is whole.
   */
  readonly part?: { readonly index: number; readonly of: number };
  /** As in `Inputs`. */
  readonly present?: Presence<M>;
  /** As in `Inputs`. */
  readonly masks?: Readonly<Partial<Record<M, tf.Tensor2D>>>;
};

/** A batch whose labels nobody may look at: what predictions are made from. */
export type Unlabelled<M extends string> = Omit<Batch<M>, 'labels'>;
