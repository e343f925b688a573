import type * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@g2d/datasets';
import type { TeacherOutputs } from '@g2d/distill';
import type { MultimodalModel, Outputs } from '@g2d/fusion';
import type { NamedGradient, PerModality } from '@g2d/tensor-ops';

/** What a method sees of the step it is in. The tensors belong to the loop. */
export interface Step<M extends string> {
  /** Counted from 1. */
  readonly epoch: number;
  readonly model: MultimodalModel<M>;
  readonly batch: Batch<M>;
  /** Outputs of the frozen teachers on this batch; throws for a run without teachers. */
  readonly teachers: PerModality<M, TeacherOutputs>;
}

/** A loss and the parts worth logging; `total` is what is minimized. */
export type LossTerms = Readonly<Record<string, tf.Scalar>> & { readonly total: tf.Scalar };

/**
 * A way of training, as hooks that are all optional. Joint training is the empty list of methods; several methods
 * stack: one of them may give the loss, gradient edits follow one another.
 */
export interface Method<M extends string> {
  /** For logs and errors, for example `'smp'`. */
  readonly name: string;
  /** `'unimodal'` if a step needs a frozen teacher for every modality. */
  readonly teachers?: 'unimodal';
  /** Once, before the first step: read the model, check the options. */
  onTrainStart?(context: { readonly model: MultimodalModel<M>; readonly epochs: number }): void;
  /** Before the forward pass of every step. */
  onStepStart?(step: Step<M>): void;
  /** The variables to differentiate, from those that are left. Gradients of the others are `null` or zeros. */
  activeVariables?(variables: readonly tf.Variable[]): readonly tf.Variable[];
  /** Default: cross-entropy of the fused logits. */
  loss?(step: Step<M>, outputs: Outputs<M>): LossTerms;
  /**
   * Edits the gradients: one entry per trainable variable, in the order of `step.model.variables`. `outputs` are those
   * of the forward pass that was differentiated.
   */
  afterBackward?(
    gradients: readonly NamedGradient[],
    step: Step<M>,
    outputs: Outputs<M>,
  ): readonly NamedGradient[];
  /** Numbers of the current step for the log, by series and modality; the epoch's record has their means. */
  stepLog?(): Readonly<Record<string, PerModality<M, number>>>;
}
