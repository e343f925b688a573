import { checkKeys } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import type { NamedGradient } from '@g2d/core';
import { Adam, type AdamOptions } from './adam.js';
import type { Optimizer } from '@g2d/core';
import { assertOptions } from './options.js';
import { updates, variablesByName, type Variables } from './variables.js';

/**
 * AdamW as PyTorch defines it (without AMSGrad): weight decay acts on the weights and does not enter the averages.
 *
 * θ ← θ − lr·λθ;  then `Adam`'s step without decay
 *
 * State: as `Adam`'s.
 *
 * @throws {OptionError} If a setting is negative or not finite, or a β not below 1.
 * @example
 * const optimizer = new AdamW(variables, { learningRate: 1e-3, weightDecay: 0.01 });
 * optimizer.applyGradients(orderedGradients(grads, variables));
 */
export class AdamW implements Optimizer {
  readonly #variables: Variables;
  readonly #adam: Adam;
  readonly #weightDecay: number;

  constructor(variables: readonly tf.Variable[], given: AdamOptions = {}) {
    const { weightDecay = 0.01, ...options } = checkKeys(
      given,
      { learningRate: true, betas: true, epsilon: true, epsilonAt: true, weightDecay: true },
      'AdamW',
    );
    assertOptions({ weightDecay });
    this.#variables = variablesByName(variables);
    this.#adam = new Adam(variables, options);
    this.#weightDecay = weightDecay;
  }

  get learningRate(): number {
    return this.#adam.learningRate;
  }

  set learningRate(learningRate: number) {
    this.#adam.learningRate = learningRate;
  }

  get learningRateFactorOf(): (variable: string) => number {
    return this.#adam.learningRateFactorOf;
  }

  set learningRateFactorOf(factorOf: (variable: string) => number) {
    this.#adam.learningRateFactorOf = factorOf;
  }

  applyGradients(gradients: readonly NamedGradient[]): void {
    for (const { variable, learningRate } of updates(this.#variables, gradients, this)) {
      tf.tidy(() => variable.assign(tf.mul(variable, 1 - learningRate * this.#weightDecay)));
    }
    this.#adam.applyGradients(gradients);
  }

  getState(): tf.NamedTensorMap {
    return this.#adam.getState();
  }

  setState(state: Readonly<tf.NamedTensorMap>): void {
    this.#adam.setState(state);
  }

  dispose(): void {
    this.#adam.dispose();
  }
}
