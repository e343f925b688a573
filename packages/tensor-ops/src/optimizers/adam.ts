import { checkKeys, OptionError, shown } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import type { NamedGradient } from '@g2d/core';
import type { Optimizer } from '@g2d/core';
import { assertOptions } from './options.js';
import { decayed } from './sgd-update.js';
import { joinState, splitState, updates, variablesByName, type Variables } from './variables.js';

/** Settings of `Adam` and `AdamW`; the defaults are PyTorch's. */
export interface AdamOptions {
  /** Default 1e-3. */
  readonly learningRate?: number;
  /** β1 and β2, each in [0, 1): how long the averages of gradients and of their squares remember. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** ε, added to the root; default 1e-8. */
  readonly epsilon?: number;
  /**
   * `'corrected'` (default): as PyTorch's. `'uncorrected'`: as TensorFlow's, θ ← θ − lr √(1 − β2^t) / (1 − β1^t) · m / (√s + ε), where ε counts
   * 32 times as much in the first step and alike after some thousand.
   */
  readonly epsilonAt?: 'corrected' | 'uncorrected';
  /** λ; default 0 for `Adam`, 0.01 for `AdamW`. */
  readonly weightDecay?: number;
}

/** The running averages of one variable. The tensors are kept. */
interface Moments {
  readonly firstMoment: tf.Tensor;
  readonly secondMoment: tf.Tensor;
  readonly step: number;
}

/**
 * Adam as PyTorch defines it (without AMSGrad): weight decay is a part of the gradient.
 *
 * g ← g + λθ;  m ← β1 m + (1 − β1) g;  s ← β2 s + (1 − β2) g²;  θ ← θ − lr · m̂ / (√ŝ + ε), with m̂ = m / (1 − β1^t),
 * ŝ = s / (1 − β2^t)
 *
 * t counts the steps of each variable: a skipped step does not count, so that a variable that is released late starts
 * with the full correction. TensorFlow.js's Adam has one counter for all.
 *
 * State: `<variable>/firstMoment` (m), `<variable>/secondMoment` (s), `<variable>/step` (t, a scalar).
 *
 * @throws {OptionError} If a setting is negative or not finite, or a β not below 1.
 * @example
 * const optimizer = new Adam(variables, { learningRate: 1e-3 });
 * optimizer.applyGradients(orderedGradients(grads, variables));
 */
export class Adam implements Optimizer {
  learningRateFactorOf: (variable: string) => number = () => 1;
  readonly #variables: Variables;
  readonly #moments = new Map<string, Moments>();
  readonly #betas: readonly [number, number];
  readonly #epsilon: number;
  readonly #epsilonAt: 'corrected' | 'uncorrected';
  readonly #weightDecay: number;
  #learningRate: number;

  constructor(variables: readonly tf.Variable[], options: AdamOptions = {}) {
    const {
      learningRate = 1e-3,
      betas = [0.9, 0.999],
      epsilon = 1e-8,
      epsilonAt = 'corrected',
      weightDecay = 0,
    } = checkKeys(
      options,
      { learningRate: true, betas: true, epsilon: true, epsilonAt: true, weightDecay: true },
      'Adam',
    );
    assertOptions({ learningRate, epsilon, weightDecay });
    assertOptions({ 'betas[0]': betas[0], 'betas[1]': betas[1] }, 1);
    this.#variables = variablesByName(variables);
    this.#betas = betas;
    if (!['corrected', 'uncorrected'].includes(epsilonAt))
      throw new OptionError(`\`epsilonAt\` is ${shown(epsilonAt)}; it can be corrected or uncorrected.`, {
        option: 'epsilonAt',
        value: epsilonAt,
        accepted: 'corrected, uncorrected',
      });
    this.#epsilon = epsilon;
    this.#epsilonAt = epsilonAt;
    this.#weightDecay = weightDecay;
    this.#learningRate = learningRate;
  }

  get learningRate(): number {
    return this.#learningRate;
  }

  set learningRate(learningRate: number) {
    assertOptions({ learningRate });
    this.#learningRate = learningRate;
  }

  applyGradients(gradients: readonly NamedGradient[]): void {
    for (const { variable, gradient, learningRate } of updates(this.#variables, gradients, this)) {
      tf.tidy(() => {
        const { firstMoment, secondMoment, step } = this.#average(variable, gradient);
        const [beta1, beta2] = this.#betas;
        const correction = Math.sqrt(1 - beta2 ** step);
        const root = tf.div(tf.sqrt(secondMoment), correction);
        const epsilon = this.#epsilonAt === 'corrected' ? this.#epsilon : this.#epsilon / correction;
        const direction = tf.div(firstMoment, tf.add(root, epsilon));
        variable.assign(tf.sub(variable, tf.mul(direction, learningRate / (1 - beta1 ** step))));
      });
    }
  }

  getState(): tf.NamedTensorMap {
    return joinState(
      [...this.#moments].map(([name, { firstMoment, secondMoment, step }]) => [
        name,
        { firstMoment: tf.clone(firstMoment), secondMoment: tf.clone(secondMoment), step: tf.scalar(step) },
      ]),
    );
  }

  setState(state: Readonly<tf.NamedTensorMap>): void {
    const saved = splitState(state, this.#variables, ({ shape }) => ({
      firstMoment: shape,
      secondMoment: shape,
      step: [],
    }));
    this.dispose();
    for (const [{ name }, { firstMoment, secondMoment, step }] of saved) {
      this.#keep(name, { firstMoment, secondMoment, step: step.dataSync()[0] as number });
    }
  }

  dispose(): void {
    for (const { firstMoment, secondMoment } of this.#moments.values()) {
      tf.dispose([firstMoment, secondMoment]);
    }
    this.#moments.clear();
  }

  /** Takes a gradient into the running averages. */
  #average(variable: tf.Variable, gradient: tf.Tensor): Moments {
    const g = decayed(variable, gradient, this.#weightDecay);
    const old = this.#moments.get(variable.name);
    const average = (moment: tf.Tensor | undefined, beta: number, next: tf.Tensor): tf.Tensor => {
      const fresh = tf.mul(next, 1 - beta);
      return moment ? tf.add(tf.mul(moment, beta), fresh) : fresh;
    };
    const [beta1, beta2] = this.#betas;
    const moments = {
      firstMoment: average(old?.firstMoment, beta1, g),
      secondMoment: average(old?.secondMoment, beta2, tf.square(g)),
      step: (old?.step ?? 0) + 1,
    };
    this.#keep(variable.name, moments);
    return moments;
  }

  /** Keeps copies in place of what there was. */
  #keep(name: string, { firstMoment, secondMoment, step }: Moments): void {
    const old = this.#moments.get(name);
    if (old) tf.dispose([old.firstMoment, old.secondMoment]);
    const copy = (moment: tf.Tensor): tf.Tensor => tf.keep(tf.clone(moment));
    this.#moments.set(name, {
      firstMoment: copy(firstMoment),
      secondMoment: copy(secondMoment),
      step,
    });
  }
}
