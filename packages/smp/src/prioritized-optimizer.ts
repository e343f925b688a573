import * as tf from '@tensorflow/tfjs-core';
import { wrongOption } from './checks.js';
import type { SequentialModalityPrioritization } from './sequential-modality-prioritization.js';

type Gradients = Parameters<tf.Optimizer['applyGradients']>[0];

/** What optimizers of TensorFlow.js have, although not all of their types say so. */
type WithRate = tf.Optimizer & { learningRate: number; setLearningRate?(learningRate: number): void };

/** What the optimizer needs of a `SequentialModalityPrioritization`. */
type Prioritization = Pick<
  SequentialModalityPrioritization<string>,
  'activeVariables' | 'modulate' | 'suppressedBatchNorm'
>;

/**
 * An optimizer of TensorFlow.js that trains with sequential modality prioritization: for `model.compile` and `minimize`.
 *
 * It differentiates what is active, multiplies by κ and leaves the step to `inner`, which gets one entry for every variable,
 * always in the same order, since its state goes by position. Saving a model with its optimizer saves `inner`, so that plain
 * TensorFlow.js can load it. `learningRate` is that of `inner`.
 *
 * @example
 * model.compile({ optimizer: new PrioritizedOptimizer(tf.train.momentum(0.01, 0.9), smp), loss: 'meanSquaredError' });
 * @see G2D, Sec. 3.2, Eq. 8
 */
export class PrioritizedOptimizer extends tf.Optimizer {
  readonly #inner: tf.Optimizer;
  readonly #smp: Prioritization;
  /** All variables that were ever stepped, in the order of their state in `inner`; one that replaces another of its name takes its place. */
  readonly #variables = new Map<string, tf.Variable>();

  /**
   * @param inner Takes the steps, for example `tf.train.adam(1e-3)`.
   * @param smp Call its `update` before each step or epoch; until the first call every modality trains.
   * @throws {OptionError} If `inner` is no optimizer (but the name of one), or `smp` wants suppressed encoders in inference mode: an optimizer does not run them.
   */
  constructor(inner: tf.Optimizer, smp: Prioritization) {
    super();
    if (typeof inner?.applyGradients !== 'function') {
      throw wrongOption('inner', inner, 'an optimizer: tf.train.adam()');
    }
    if (smp.suppressedBatchNorm === 'inference') {
      const expected = 'training: no optimizer can choose';
      throw wrongOption('suppressedBatchNorm', smp.suppressedBatchNorm, expected);
    }
    this.#inner = inner;
    this.#smp = smp;
  }

  /** Value and gradients of what is active; without `varList` of all trainable variables there are. */
  override computeGradients(
    f: () => tf.Scalar,
    varList?: tf.Variable[],
  ): { value: tf.Scalar; grads: tf.NamedTensorMap } {
    const variables = varList ?? Object.values(tf.engine().registeredVariables).filter((v) => v.trainable);
    const active = this.#smp.activeVariables(variables);
    const result = active.length > 0 ? tf.variableGrads(f, active) : { value: tf.tidy(f), grads: {} };
    for (const variable of variables) {
      // Suppressed ones are stepped too. Others that have no gradient are not: they may belong to an optimizer.
      if (varList || variable.name in result.grads || !active.includes(variable)) {
        this.#variables.set(variable.name, variable);
      }
    }
    return result;
  }

  /** A step. A list names all variables of the step; a map, as from `computeGradients`, those with a gradient. */
  override applyGradients(gradients: Gradients): void {
    const isList = Array.isArray(gradients);
    const grads = isList
      ? Object.fromEntries(gradients.map(({ name, tensor }) => [name, tensor]))
      : gradients;
    for (const name of Object.keys(grads)) {
      this.#variables.set(name, tf.engine().registeredVariables[name] as tf.Variable);
    }
    const variables = [...this.#variables.values()];
    tf.tidy(() =>
      this.#inner.applyGradients(
        this.#smp
          .modulate(grads, variables)
          .map((entry) => (isList && !(entry.name in grads) ? { ...entry, tensor: null as never } : entry)),
      ),
    );
  }

  override get iterations(): number {
    return this.#inner.iterations;
  }

  /** Of the wrapped optimizer, from the next step on. */
  get learningRate(): number {
    return (this.#inner as WithRate).learningRate;
  }

  set learningRate(learningRate: number) {
    const inner = this.#inner as WithRate;
    // SGD and momentum keep a tensor of it, which only their method changes.
    if (inner.setLearningRate) inner.setLearningRate(learningRate);
    else inner.learningRate = learningRate;
  }

  /** As `tf.train.sgd` and `tf.train.momentum` call it. */
  setLearningRate(learningRate: number): void {
    this.learningRate = learningRate;
  }

  /** State of the wrapped optimizer, as `setWeights` takes it. */
  override getWeights(): ReturnType<tf.Optimizer['getWeights']> {
    return this.#inner.getWeights();
  }

  /** Puts back what `getWeights` gave. */
  override setWeights(weights: Parameters<tf.Optimizer['setWeights']>[0]): Promise<void> {
    return this.#inner.setWeights(weights);
  }

  override getClassName(): string {
    return this.#inner.getClassName();
  }

  override getConfig(): ReturnType<tf.Optimizer['getConfig']> {
    return this.#inner.getConfig();
  }

  override dispose(): void {
    this.#inner.dispose();
  }
}
