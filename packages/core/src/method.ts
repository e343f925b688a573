import type { Fusion, FusionOptions } from './fusion.js';
import type { Gradients, NamedGradient } from './gradients.js';
import type { Parameter } from './model.js';
import type { RegressionOutput, Task } from './dataset.js';
import type { OptimizerSettings } from './optimizer.js';
import type { LossTerms, Outputs } from './outputs.js';
import type { EpochRecord } from './record.js';
import type { Pass, Step, StepResult, Training } from './training.js';

/** What a training must have for a method; checked before it begins. */
export interface Needs {
  /** `'unimodal'`: a frozen teacher for every modality. `'full'`: one that has all modalities. */
  readonly teachers?: 'unimodal' | 'full';
  /** Set it if the method works for one of them only, such as one that looks at the softmax of its logits. */
  readonly task?: Task;
  /** Set it if the method's regression has values of one kind: the training's must be the same. */
  readonly output?: RegressionOutput;
  /**
   * `'every-epoch'`: the method reads the validation scores of every epoch. `'features'`: it looks at the samples of the validation split,
   * by `training.features('validation')`.
   */
  readonly validation?: 'every-epoch' | 'features';
  /**
   * Kinds of parameters that the method acts on: every modality must have one of them, as otherwise the method would do nothing to it, in
   * silence.
   */
  readonly parameters?: readonly Parameter<string>['role'][];
  /** How many modalities. Default: one or more. */
  readonly modalities?: { readonly min?: number; readonly max?: number };
  /**
   * `'complete'`: batches have the true inputs also of modalities that the mask calls missing, for methods that learn to impute them. A
   * training without such a method never gets them.
   */
  readonly inputs?: 'complete';
  /** Set it if the method needs all of a batch in one process: several, which share each batch, are refused. */
  readonly processes?: 'one';
}

/** How one step trains, decided before its first pass. */
export interface Plan<M extends string> {
  /**
   * What the gradient of a parameter is multiplied by. 1 (default) leaves it as it is. 0 makes it zeros, so that momentum and weight decay
   * go on, and `null` freezes it: the parameter stays, bit for bit, whatever other methods do. Neither of these two costs a backward pass.
   * The coefficients of several methods multiply; `null` wins.
   */
  coefficient?(parameter: Parameter<M>): number | null;
  /** Whether an encoder runs in inference mode (running statistics, no dropout). Default: false. One method's yes is enough. */
  inference?(modality: M): boolean;
}

/**
 * The hooks of a step and an epoch, in the order in which they run. All are optional.
 *
 * `state` is what `init` gave: change its fields as you like, in any hook. It holds plain data (no NaN), `Float32Array`s and tensors; the
 * loop saves it in checkpoints, keeps tensors that are put into it, and frees those that are taken out. What else a method has to remember
 * is in no checkpoint. Other tensors that a hook makes are freed by the loop, but those of an asynchronous one (`init`, `epoch`) are its own
 * to free: use `tf.tidy`.
 */
export interface StageHooks<M extends string, S = unknown> {
  /** Before the first pass of a step: who trains, and in which mode. The plans of all methods stack. */
  plan?(step: Step<M>, state: S): Plan<M>;
  /**
   * The model on a batch, in place of `pass.forward()`: in training and, where `pass.training` is false, for predictions. One method of a
   * stack may have it.
   */
  forward?(pass: Pass<M>, state: S): Outputs<M>;
  /** The loss of what `forward` gave. Default: the task's loss of the fused logits (Eq. 1). One method of a stack may have it. */
  loss?(outputs: Outputs<M>, step: Step<M>, state: S): LossTerms;
  /**
   * Edits the gradients of a loss, the method's own or another's, on their way to the optimizer. Edits follow one another in the order of
   * the stack.
   *
   * @param outputs Of the pass that was differentiated.
   * @returns An entry for every one that came, in the same order.
   */
  edit?(gradients: Gradients<M>, outputs: Outputs<M>, step: Step<M>, state: S): readonly NamedGradient[];
  /**
   * The whole step, for methods with several backward passes or updates: `step.valueAndGrads` and `step.update` as often as they need. It
   * stands in for `forward` and `loss`; plans and edits of all methods act inside of `update`. One method of a stack may have it.
   */
  step?(step: Step<M>, state: S): StepResult<M>;
  /**
   * After each epoch and its evaluation.
   *
   * @param record The epoch's log so far, scores of the evaluated splits included.
   * @returns `'stop'` if this was the last epoch.
   */
  epoch?(record: EpochRecord, training: Training<M>, state: S): 'stop' | void | Promise<'stop' | void>;
}

/** Some epochs of a training with hooks of their own, which stand in for the method's. */
export interface Stage<M extends string, S = unknown> extends StageHooks<M, S> {
  /** For the log and errors. */
  readonly name: string;
  readonly epochs: number;
  /**
   * A new optimizer at the beginning of the stage, from the settings of the run: no momentum is left, and the schedule counts from the
   * stage's first epoch. Default: the optimizer of before goes on.
   */
  optimizer?(run: OptimizerSettings): OptimizerSettings;
}

/** All hooks of a method. */
export interface Hooks<M extends string, S = unknown> extends StageHooks<M, S> {
  readonly needs?: Needs;
  /** The fusion that the method needs, if it is no usual one: whoever builds the model from a configuration takes it. */
  fusion?<K extends M>(options: FusionOptions<K>): Fusion<K>;
  /**
   * Before the first step: looks at the model, checks what depends on it, and gives the state. A training that goes on from a checkpoint
   * has its state from there, and does not call it.
   */
  init?(training: Training<M>): S | Promise<S>;
  /**
   * Ids of training samples that no step trains on, as they are in the epoch that begins: rows of these are taken out of every batch, so
   * that some have fewer. `everySample` and `samples` have them all the same.
   */
  withheld?(state: S): readonly string[];
  /**
   * The stages, one after another; the training has as many epochs as they have together. Always the same for the same arguments. One
   * method of a stack may have it. Default: a single one.
   *
   * @param run `epochs`: as the run is configured.
   */
  stages?(run: { readonly epochs: number; readonly modalities: readonly M[] }): readonly Stage<M, S>[];
}

/**
 * A way of training. Joint training is the empty list of methods; several methods stack.
 *
 * ```text
 * init                        makes the state
 * for each stage, each epoch
 *   withheld                  samples that leave the training set
 *   for each batch
 *     plan                    who trains
 *     forward, loss           differentiated by what the plans leave; or step, which does it its own way
 *     edit                    of the gradients, on their way to the optimizer
 *   evaluation                with forward
 *   epoch                     'stop' ends the training
 * ```
 */
export interface Method<M extends string, S = unknown> extends Hooks<M, S> {
  /** For logs, checkpoints and errors, for example `'smp'`. */
  readonly name: string;
}
