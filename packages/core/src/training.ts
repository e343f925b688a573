import type * as tf from '@tensorflow/tfjs-core';
import type { Batch, Unlabelled } from './batch.js';
import type { RegressionOutput, Task } from './dataset.js';
import type { Gradients } from './gradients.js';
import type { Model, Parameter, PassMode } from './model.js';
import type { NamedArray } from './named-array.js';
import type { Optimizer } from './optimizer.js';
import type { Logits, LossTerms, Outputs } from './outputs.js';
import type { PerModality } from './per-modality.js';
import type { RandomStream } from './random.js';
import type { TeacherOutputs, Teachers } from './teachers.js';

/** How processes that train one model together add up what they found. Every process makes the same calls in the same order. */
export interface AllReduce {
  /** How many processes. */
  readonly processes: number;
  /**
   * Which of them this one is, from 0: all are given the same batches, and the loop trains each on rows of its own. Without it, each is
   * given batches of its own.
   */
  readonly rank?: number;
  /** Puts the sum over all processes into `values`, element by element. */
  sum(values: Float32Array | Float64Array): void;
  /** The same for tensors, which need not leave the backend for it: the gradients. Default: through `sum`. */
  sumTensors?(tensors: readonly tf.Tensor[]): tf.Tensor[];
}

/** Copies of everything that steps change: plain arrays, so that a method can keep it in its state. */
export interface Snapshot {
  /** Weights and running statistics, by the names of `model.state()`. */
  readonly model: Readonly<Record<string, NamedArray>>;
  /** State and learning rate of each optimizer, by its name; the state by `<parameter>/<part>`. */
  readonly optimizers: Readonly<
    Record<string, { readonly learningRate: number; readonly arrays: Readonly<Record<string, NamedArray>> }>
  >;
}

/** What a modality's encoder makes of a whole split. */
export interface SplitFeatures {
  /** f_m `[D_m]` of every sample that has the modality. */
  readonly rows: readonly Float32Array[];
  /** Class ids, or targets, of the same samples. */
  readonly labels: readonly number[];
}

/** What a whole training has in common, and what can be done outside of a step. */
export interface Training<M extends string> {
  readonly model: Model<M>;
  readonly task: Task;
  /** Of a regression. */
  readonly output: RegressionOutput;
  /** Of all stages together. */
  readonly epochs: number;
  /** How many batches an epoch has; `undefined` where the loop was not told. */
  readonly batchesPerEpoch: number | undefined;
  /** Of the present stage. Its learning rate follows the schedule; one that is set holds until the schedule changes it. */
  readonly optimizer: Optimizer;
  /** Of a run that has some; otherwise it throws. */
  readonly teachers: Teachers<M>;
  readonly allReduce: AllReduce;
  /**
   * The stream of the run's seed that has this name, always the same one. Another name gives another stream, so methods disturb neither
   * each other nor the data. Checkpoints remember where each stream is.
   */
  random(name: string): RandomStream;
  /**
   * The training batches of an epoch, from 1, as the loop itself gets them: shuffled, augmented, without what is withheld. Dispose each.
   *
   * @param without Further samples to leave out: those that `withheld` is going to name, in `init`, where there is no state yet.
   */
  batches(epoch: number, without?: readonly string[]): AsyncIterable<Batch<M>>;
  /**
   * Every training sample once, in the dataset's order and without augmentation. Dispose each batch.
   *
   * @param modalities Those that are read. Default: the model's. None: ids and labels alone, which reads no file of a modality.
   */
  everySample(modalities?: readonly M[]): AsyncIterable<Batch<M>>;
  /**
   * The encoders' features of a whole split as the model is now: in the dataset's order, without augmentation, in inference mode. N · D_m
   * numbers are held in memory.
   *
   * @param split A method that asks for `'validation'` says so: `needs: { validation: 'features' }`.
   */
  features(split: 'train' | 'validation'): Promise<PerModality<M, SplitFeatures>>;
  /**
   * Some training samples as one batch, in the dataset's order and without augmentation. Dispose it.
   *
   * @throws {OptionError} If one of them is not there.
   */
  samples(ids: readonly string[]): Promise<Batch<M>>;
  /**
   * Looks at a batch as a step does, outside of the steps: passes, losses and gradients, and no update. No plan and no edit of a method acts.
   * Tensors that it leaves are freed: give numbers and arrays back. With several processes all of them call it.
   *
   * @param options `training`: the mode of its passes. Default `false`, inference.
   * @returns `undefined` where the loop would leave the batch out: no sample has a modality of the model, or too few for training mode.
   */
  probe<T>(
    batch: Batch<M>,
    look: (probe: Probe<M>) => T,
    options?: { readonly training?: boolean },
  ): T | undefined;
  /** A copy of the model and of all optimizers' state, to go back to. */
  snapshot(): Snapshot;
  /** Puts a copy back: all of it, or with a modality the weights of its encoder and head alone. */
  restore(snapshot: Snapshot, modality?: M): void;
}

/** How a pass over the batch differs from the usual one. */
export interface PassOptions<M extends string> extends Partial<PassMode<M>> {
  /** The others are absent: their encoders do not run, their features are 0. Default: all. */
  readonly modalities?: readonly M[];
  /** Modalities whose input is 0 in this pass; their encoders run on it. Default: none. */
  readonly zeroInputs?: readonly M[];
  /**
   * What a sample without a modality is to the model. `'absent'` (default): the features are 0, and the fusion leaves the modality out.
   * `'zero-input'`: its input is 0, encoded and fused like any other.
   */
  readonly missing?: 'absent' | 'zero-input';
}

/** One batch and passes over it, in training or in evaluation. The tensors belong to the loop. */
export interface Pass<M extends string> extends Training<M> {
  readonly batch: Unlabelled<M>;
  /** False where predictions are made. */
  readonly training: boolean;
  /** What each modality's teacher says about this batch, for methods with `needs: { teachers: 'unimodal' }`. */
  readonly teacherOutputs: PerModality<M, TeacherOutputs>;
  /**
   * The model on the batch: in a step as the methods' plans want it, in evaluation in inference mode. The outputs live until the step or
   * the prediction ends.
   *
   * @param options `runningStatistics: 'keep'` for a second pass over a batch, whose statistics count once; `training: false` for running
   * statistics; `gradients: false` for results that are constants.
   */
  forward(options?: PassOptions<M>): Outputs<M>;
  /**
   * Numbers of this step for the log, by series and modality; the epoch's record has their means. NaN is no number and does not count.
   * Predictions are not logged: nothing happens there.
   *
   * @param options `spread`: of series that an epoch's first step has, the record also has where the middle 80 % of the batches lie: their
   * 10 % and 90 % quantile, as `<series>Low` and `<series>High`. Default false.
   */
  log(
    series: Readonly<Record<string, PerModality<M, number>>>,
    options?: { readonly spread?: boolean },
  ): void;
}

/** A loss, its gradients, and what the model gave on the way to it. */
export interface ValueAndGrads<M extends string> {
  /** The loss and its parts as numbers: means over the processes. */
  readonly losses: Readonly<Record<string, number>>;
  readonly outputs: Outputs<M>;
  /**
   * Means over the processes. `null` where no process' loss reaches the parameter, where it was not asked for, and where a plan freezes
   * or suppresses it.
   */
  readonly gradients: Gradients<M>;
}

/** A step of the training. */
export interface Step<M extends string> extends Pass<M> {
  readonly batch: Batch<M>;
  /** Counted from 1, through all stages. */
  readonly epoch: number;
  /** Place of the batch in its epoch, counted from 0. */
  readonly batchIndex: number;
  /** How many samples of the batch have each modality, in all processes. */
  readonly presentSamples: PerModality<M, number>;
  /**
   * The task's loss of some logits (Eq. 1): over all samples, or over those that have a modality (0 with gradients 0 if none has it).
   * With several processes it is this one's share: the mean over the processes is the mean over their samples.
   */
  taskLoss(logits: tf.Tensor2D, modality?: M): tf.Scalar;
  /**
   * What a mean over samples of the batch, in a loss of one's own, is multiplied by, so that the loss is a mean over all samples: of all
   * processes, and of all parts of an accumulated batch. 1 where there is nothing else.
   *
   * @param modality Where the mean is over the samples that have it.
   * @param of `'processes'` where it is over the rows that `allRows` gives. Default: over those of this process.
   */
  share(modality?: M, of?: 'process' | 'processes'): number;
  /**
   * The rows of all processes that share the batch, in its order, for losses that compare samples with one another: every process computes the
   * loss of the whole batch. Gradients reach the process' own rows.
   *
   * @param values `[B, …]`, a row for each sample of the batch.
   */
  allRows<T extends tf.Tensor>(values: T): T;
  /**
   * The mean of a number of each sample, such as a score: over the samples that have the modality, of all processes. NaN for a modality
   * that no sample has; the rows of absent samples may hold anything.
   *
   * @param values `[B]` for each modality.
   */
  meanByModality(values: PerModality<M, tf.Tensor1D>): PerModality<M, number>;
  /**
   * A loss and its gradients, returned and not accumulated: call it as often as a method needs.
   *
   * @param run Runs the passes and gives the loss; it is called once.
   * @param of Which parameters to differentiate by. Default: all. Those that a plan freezes or suppresses are left out in any case.
   * @throws {G2DError} With code `G2D_DIVERGED` if a part of the loss is not finite.
   */
  valueAndGrads(
    run: () => { readonly loss: LossTerms; readonly outputs: Outputs<M> },
    of?: (parameter: Parameter<M>) => boolean,
  ): ValueAndGrads<M>;
  /**
   * The Hessian of a loss by all parameters, times a direction: H v. The gradients are differentiated once more, on the model's plain
   * layers: slower than two passes, and exact.
   *
   * @param run Runs the passes and gives what is differentiated; it is called once.
   * @param direction v, such as the gradients of another loss; `null` is 0.
   * @returns Means over the processes; `null` where no second derivative reaches the parameter.
   * @throws {OptionError} If the model has an operation without second derivatives.
   */
  hessianProduct(run: () => tf.Scalar, direction: Gradients<M>): Gradients<M>;
  /**
   * One step of the optimizer. On the way there the gradients pass the plans' coefficients and the edits of all methods, in the order of
   * the stack; what a plan froze is `null` at the end, whoever edited it.
   *
   * @param outputs Of the pass that was differentiated, for the edits.
   */
  update(gradients: Gradients<M>, outputs: Outputs<M>): void;
}

/** A batch that is looked at outside of the steps. */
export type Probe<M extends string> = Omit<
  Step<M>,
  'update' | 'log' | 'epoch' | 'batchIndex' | 'teacherOutputs'
>;

/** What a step leaves in the log. */
export interface StepResult<M extends string> {
  /** The loss and its parts. */
  readonly losses: Readonly<Record<string, number>>;
  /** From which the scores on the training batches are taken. */
  readonly outputs: Logits<M>;
}
