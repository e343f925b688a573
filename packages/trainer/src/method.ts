import type * as tf from '@tensorflow/tfjs-core';
import type { Task } from '@g2d/core';
import type { Batch } from '@g2d/datasets';
import type { TeacherOutputs } from '@g2d/distill';
import type { Fusion, FusionOptions, MultimodalModel, Outputs, PassMode } from '@g2d/fusion';
import type { NamedArray, NamedGradient, Optimizer, PerModality, RandomStream } from '@g2d/core';
import type { AllReduce } from './all-reduce.js';
import type { FrozenTeachers } from './frozen-teachers.js';
import type { SplitMetrics } from './measure.js';
import type { OptimizerOptions } from './optimizer-options.js';
import type { Snapshot } from './snapshot.js';

/** A loss and the parts worth logging; `total` is what is minimized. */
export type LossTerms = Readonly<Record<string, tf.Scalar>> & { readonly total: tf.Scalar };

/** What the whole training has in common, and the services that methods are made of. */
export interface Training<M extends string> {
  readonly model: MultimodalModel<M>;
  readonly task: Task;
  /** How many epochs the training has. */
  readonly epochs: number;
  /** From which `random` and dropout are derived. */
  readonly seed: number;
  /** How many batches an epoch has; `undefined` where the loop was not told. */
  readonly batchesPerEpoch: number | undefined;
  /** Of all trainable variables; its learning rate follows the schedule. */
  readonly optimizer: Optimizer;
  /** The teachers themselves, for passes outside of a step; throws for a run without teachers. */
  readonly frozenTeachers: FrozenTeachers<M>;
  /** Sums over the processes that train together. */
  readonly allReduce: AllReduce;
  /**
   * The stream of the run's seed that has this name, always the same one. Another name gives another stream, so methods
   * disturb neither each other nor the data. Checkpoints remember where each stream is.
   */
  random(name: string): RandomStream;
  /** The training batches of an epoch as the loop itself gets them, for passes outside of a step. Dispose each. */
  batches(epoch: number): AsyncIterable<Batch<M>>;
  /**
   * One more optimizer, with a constant learning rate unless the method changes it. Checkpoints keep its state under its name,
   * and the loop disposes it. A name that is in use gets a fresh optimizer in its place: momentum begins anew.
   */
  createOptimizer(name: string, variables: readonly tf.Variable[], settings: OptimizerOptions): Optimizer;
  /** A copy of the model and of all optimizers' state, to go back to. */
  snapshot(): Snapshot;
  /** Puts a copy back: all of it, or with a modality the weights of its encoder and head alone. */
  restore(snapshot: Snapshot, modality?: M): void;
}

/** Gradients of one loss. */
export interface Differentiated {
  /** The loss and its parts as numbers. */
  readonly loss: Readonly<Record<string, number>>;
  /** One entry for every trainable variable in the order of `model.variables`, `null` where the loss does not reach. */
  readonly gradients: readonly NamedGradient[];
}

/** How a pass over the batch differs from the usual one. */
export interface ForwardOptions<M extends string> extends Partial<
  Pick<PassMode<M>, 'training' | 'runningStatistics' | 'gradients'>
> {
  /** The others are absent: their encoders do not run, their features are 0. Default: all. */
  readonly modalities?: readonly M[];
  /** Modalities whose input is 0 in this pass; their encoders run on it. Default: none. */
  readonly zeroInputs?: readonly M[];
}

/** What a method sees of the step it is in. The tensors belong to the loop. */
export interface Step<M extends string> extends Training<M> {
  /** Counted from 1. */
  readonly epoch: number;
  /** Place of the batch in its epoch, counted from 0. */
  readonly batchIndex: number;
  readonly batch: Batch<M>;
  /** Outputs of the frozen teachers on this batch; throws for a run without teachers. */
  readonly teachers: PerModality<M, TeacherOutputs>;
  /**
   * The model on the batch, as the methods want its encoders to run. The outputs live until the step ends.
   *
   * @param options `runningStatistics: 'keep'` for a second pass over a batch, whose statistics count once; `training: false`
   * for running statistics; `gradients: false` for results that are constants.
   */
  forward(options?: ForwardOptions<M>): Outputs<M>;
  /**
   * Gradients of a loss, returned and not accumulated: call it as often as a method needs (each call runs `loss` again).
   *
   * @param variables What to differentiate by; default: every trainable variable.
   * @throws {G2DError} With code `G2D_DIVERGED` if a part of the loss is not finite.
   */
  differentiate(loss: () => LossTerms, variables?: readonly tf.Variable[]): Differentiated;
}

/** What a step leaves in the log. */
export interface StepResult<M extends string> {
  /** The loss and its parts. */
  readonly loss: Readonly<Record<string, number>>;
  /** From which the scores on the training batches are taken. */
  readonly outputs: Pick<Outputs<M>, 'logits' | 'unimodalLogits'>;
}

/** What a method carries from one step to the next, beside what the loop keeps for it: see `Training`. */
export interface MethodState {
  /** Anything that JSON holds exactly: no NaN, no typed arrays. */
  readonly values?: unknown;
  readonly arrays?: Readonly<Record<string, NamedArray>>;
}

/**
 * A way of training, as hooks that are all optional. Joint training is the empty list of methods; several methods
 * stack: one of them may give the loss, the whole step or the predictions, gradient edits follow one another.
 *
 * A training: `onTrainStart`; for each epoch `onEpochStart`, its steps, evaluation with `predict`, `onEpochEnd`; `onTrainEnd`.
 *
 * A step: `onStepStart` → `activeVariables` and `encoderTraining` → forward pass and `loss` → gradients →
 * `afterBackward` → optimizer → `stepLog`.
 *
 * A training that goes on from a checkpoint calls `onTrainStart`, then `setState`, then the hooks that would have followed:
 * no `onEpochStart` in the middle of an epoch. So what a method remembers belongs into `getState`. Streams are put back after
 * these two: numbers that they draw are the same again.
 */
export interface Method<M extends string> {
  /** For logs, checkpoints and errors, for example `'smp'`. */
  readonly name: string;
  /** `'unimodal'` if a step or the predictions need a frozen teacher for every modality. */
  readonly teachers?: 'unimodal';
  /** Set it if the method works for one of them only. */
  readonly task?: Task;
  /** Set it if the method reads the validation scores of every epoch, in `onEpochEnd`. */
  readonly validation?: 'every-epoch';
  /** Set it if the method needs so many modalities. */
  readonly modalities?: { readonly least: number; readonly most?: number };
  /** The fusion that the method needs, if it is no usual one: `g2d train` builds the model with it. */
  fusion?<K extends M>(options: FusionOptions<K>): Fusion<K>;
  /** Once, before the first step: read the model, check the options. */
  onTrainStart?(training: Training<M>): void | Promise<void>;
  /** Before the first batch of an epoch, counted from 1. */
  onEpochStart?(training: Training<M>, epoch: number): void | Promise<void>;
  /**
   * After the last batch of an epoch, with the epoch's log so far, scores of the evaluated splits included. `'stop'`: this was
   * the last epoch.
   */
  onEpochEnd?(training: Training<M>, record: EpochRecord): 'stop' | void | Promise<'stop' | void>;
  /** Once, after the last epoch. */
  onTrainEnd?(training: Training<M>): void | Promise<void>;
  /** Before the forward pass of every step. */
  onStepStart?(step: Step<M>): void;
  /** The variables to differentiate, from those that are left. Gradients of the others are `null` or zeros. */
  activeVariables?(variables: readonly tf.Variable[]): readonly tf.Variable[];
  /** Whether an encoder runs in training mode (batch statistics); default true. One method's no is enough. */
  encoderTraining?(modality: M): boolean;
  /** Default: the task's loss of the fused logits (Eq. 1). */
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
  /**
   * The whole step in place of forward pass, loss, gradients and optimizer, for methods that alternate or need several
   * backward passes. `step.optimizer.applyGradients` is then the method's to call. The other methods' `onStepStart` and
   * `stepLog` still run; their `loss` and `afterBackward` cannot.
   */
  trainStep?(step: Step<M>): StepResult<M>;
  /** Numbers of the current step for the log, by series and modality; the epoch's record has their means. */
  stepLog?(): Readonly<Record<string, PerModality<M, number>>>;
  /** Predictions in place of the model's own, for evaluation. Inside of a tidy. */
  predict?(
    training: Training<M>,
    batch: Omit<Batch<M>, 'labels'>,
  ): Pick<Outputs<M>, 'logits' | 'unimodalLogits'>;
  /** What to save between two steps. Default: nothing. */
  getState?(): MethodState;
  /** Goes on from what `getState` gave, after `onTrainStart`. */
  setState?(state: MethodState): void;
}

/**
 * By name: `fused` (two modalities or more) and one for each modality, in percent. Accuracy, or for a regression the mean
 * absolute percentage error (smaller is better).
 */
export type Scores = Readonly<Record<string, number>>;

/** What an epoch leaves in the log. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number;
  readonly learningRate: number;
  readonly seconds: number;
  /** True if a method ended the training with this epoch. */
  readonly stopped?: true;
  /** Means over the epoch's batches. */
  readonly loss: Readonly<Record<string, number>>;
  /** On the training batches as they were trained on: augmented, before each step. */
  readonly train: Scores;
  /** On the epochs that were evaluated. */
  readonly validation?: Scores;
  readonly test?: Scores;
  /** All that was measured on each split that was evaluated. */
  readonly metrics?: Readonly<Partial<Record<'validation' | 'test', SplitMetrics>>>;
  /** Series of the methods, such as `confidence` and `coefficients`: means over the epoch's batches. */
  readonly [series: string]: unknown;
}
