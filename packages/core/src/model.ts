import type * as tf from '@tensorflow/tfjs-core';
import type { Inputs } from './batch.js';
import type { Outputs } from './outputs.js';
import type { PerModality } from './per-modality.js';

/** A trainable variable of a model, and whose it is. */
export interface Parameter<M extends string> {
  /** The same in every process, for example `audio/conv1/kernel`: what checkpoints are keyed by. */
  readonly name: string;
  /** Its `name` may differ from the stable one: TensorFlow.js renames the variables of a second model. */
  readonly variable: tf.Variable;
  /** `undefined` for what all modalities share. */
  readonly modality: M | undefined;
  /**
   * Convolution kernel; normalization scale or shift; other parts of an encoder; part of the fusion that serves one modality; part
   * that serves all.
   */
  readonly role: 'conv' | 'norm' | 'encoder' | 'head' | 'shared';
}

/** Something that a checkpoint holds: a parameter, or a running statistic. A `LayerVariable` of TensorFlow.js is one. */
export interface Weight {
  readonly shape: readonly (number | null)[];
  /** The present value; not a copy, so do not dispose it. */
  read(): tf.Tensor;
  /** Takes the value over; the tensor stays the caller's. */
  write(value: tf.Tensor): unknown;
  /** Frees it. The model cannot be used any more. */
  dispose(): unknown;
}

/** How one pass runs. */
export interface PassMode<M extends string = string> {
  /**
   * Batch statistics and dropout (true), or running statistics and no dropout (false). A record says it of each modality's encoder in a
   * pass that trains otherwise: what comes after the encoders is in training mode then.
   */
  readonly training: boolean | PerModality<M, boolean>;
  /**
   * Whether a pass on batch statistics moves the running ones (`'update'`, the default) or leaves them as they were, bit for bit
   * (`'keep'`).
   */
  readonly runningStatistics?: 'update' | 'keep';
  /**
   * `false` for results that are constants in whatever is differentiated: nothing is recorded, and what the pass no longer needs is freed
   * at once. A record says it of each modality's features. Default `true`.
   */
  readonly gradients?: boolean | PerModality<M, boolean>;
}

/**
 * What the encoders see of samples that lack their modality: rows of zeros, which batch normalization counts as it does in the
 * reference (`'zeros'`), or nothing: they run on the rows of the others alone (`'skip'`).
 */
export type AbsentRows = 'zeros' | 'skip';

/**
 * Anything that can be trained. `MultimodalModel` of `@g2d/fusion`, encoders and a fusion, is the usual one; a class of your own with
 * its first four members trains in the same loop, with the same methods and checkpoints.
 */
export interface Model<M extends string> {
  readonly modalities: readonly M[];
  /** Every trainable variable, in one order that never changes. */
  readonly parameters: readonly Parameter<M>[];
  /**
   * Everything that a checkpoint holds, by names that are the same in every process: the parameters under theirs, and running
   * statistics, whose names begin with their modality's (`audio/bn1/moving_mean`) if they belong to one.
   */
  state(): ReadonlyMap<string, Weight>;
  /**
   * One pass over a batch.
   *
   * Nothing that stands in the inputs of samples without a modality, NaN included, may reach an output of the other modalities.
   *
   * @param mode Models without batch statistics and dropout need not look at it.
   */
  forward(batch: Inputs<M>, mode: PassMode<M>): Outputs<M>;
  /**
   * The fewest rows with which each encoder can run in training mode: 2 where batch normalization has one value of a sample in each
   * channel, as of rows `[B, F]`. The loop leaves batches out that have fewer. Default: 1.
   */
  readonly minRows?: PerModality<M, number>;
  /** Default `'zeros'`. */
  readonly absentRows?: AbsentRows;
}
