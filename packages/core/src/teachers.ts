import type * as tf from '@tensorflow/tfjs-core';
import type { Inputs } from './batch.js';
import type { Model } from './model.js';
import type { PerModality } from './per-modality.js';

/** What one frozen teacher says about a batch. */
export interface TeacherOutputs {
  /** u^T `[B, C]`. */
  readonly logits: tf.Tensor2D;
  /** f^T `[B, D]`. */
  readonly features: tf.Tensor2D;
}

/** Trained models whose weights no longer change. What a run lacks throws. */
export interface Teachers<M extends string> {
  readonly modalities: readonly M[];
  /** Those whose teacher runs on every batch; the outputs of the others are read. Default: all. */
  readonly online?: readonly M[];
  /**
   * Logits and features of each modality's teacher on a batch, in inference mode and without a tape; dispose them. Stored outputs are
   * found by the samples' ids, the others need inputs alone.
   */
  outputs(batch: Inputs<M> & { readonly ids?: readonly string[] }): PerModality<M, TeacherOutputs>;
  /** The teacher of one modality, for its weights. */
  unimodal<K extends M>(modality: K): Model<K>;
  /** The teacher that has all modalities. */
  full(): Model<M>;
}
