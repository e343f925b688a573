import * as tf from '@tensorflow/tfjs-core';
import type { NamedGradient } from './gradients.js';
import { OptionError, ShapeError } from './errors.js';

/** Settings of `SGD`; the defaults are PyTorch's. */
export interface SGDOptions {
  readonly learningRate: number;
  /** μ; default 0. */
  readonly momentum?: number;
  /** λ, added to the gradient as λθ before momentum; default 0. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent as PyTorch defines it.
 *
 * g ← g + λθ;  v ← μv + g (v ← g in the first step);  θ ← θ − lr·v
 *
 * State is keyed by the variable's name, never by position: an entry `null` skips its variable (no decay, no
 * momentum), and the others are not shifted. `tf.train.momentum` keeps its state by position and has no decay.
 *
 * @example
 * const optimizer = new SGD(variables, { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 });
 * optimizer.applyGradients(orderedGradients(grads, variables));
 * @see G2D, App. A.4.2
 */
export class SGD {
  learningRate: number;
  readonly #momentum: number;
  readonly #weightDecay: number;
  readonly #variables: ReadonlyMap<string, tf.Variable>;
  readonly #velocity = new Map<string, tf.Variable>();

  constructor(
    variables: readonly tf.Variable[],
    { learningRate, momentum = 0, weightDecay = 0 }: SGDOptions,
  ) {
    for (const [option, value] of Object.entries({ learningRate, momentum, weightDecay })) {
      if (!(Number.isFinite(value) && value >= 0)) {
        throw new OptionError(`\`${option}\` is ${value}; it must be a finite number of at least 0.`, {
          option,
          value,
          accepted: 'a finite number ≥ 0',
        });
      }
    }
    this.#variables = new Map(variables.map((variable) => [variable.name, variable]));
    this.learningRate = learningRate;
    this.#momentum = momentum;
    this.#weightDecay = weightDecay;
  }

  /**
   * One step. The gradients are left alone.
   *
   * @param gradients Every variable once, `null` to leave it as it is.
   * @throws {OptionError} If a name is not one of the optimizer's variables.
   * @throws {ShapeError} If a gradient does not have its variable's shape.
   */
  applyGradients(gradients: readonly NamedGradient[]): void {
    for (const { name, tensor } of gradients) {
      const variable = this.#variables.get(name);
      if (!variable) {
        throw new OptionError(
          `There is a gradient for "${name}", which is not one of the optimizer's variables.`,
          {
            option: 'gradients',
            value: name,
            accepted: [...this.#variables.keys()].join(', '),
          },
        );
      }
      if (!tensor) continue;
      if (tensor.shape.join() !== variable.shape.join()) {
        throw new ShapeError({
          argument: name,
          expected: `[${variable.shape.join(', ')}]`,
          actual: tensor.shape,
        });
      }
      tf.tidy(() => {
        let step = this.#weightDecay > 0 ? tf.add(tensor, tf.mul(variable, this.#weightDecay)) : tensor;
        if (this.#momentum > 0) {
          const velocity = this.#velocity.get(name);
          if (velocity) {
            step = tf.add(tf.mul(velocity, this.#momentum), step);
            velocity.assign(step);
          } else {
            this.#velocity.set(name, tf.variable(step, false));
          }
        }
        variable.assign(tf.sub(variable, tf.mul(step, this.learningRate)));
      });
    }
  }

  /** Frees the momentum buffers. The variables stay. */
  dispose(): void {
    for (const velocity of this.#velocity.values()) velocity.dispose();
    this.#velocity.clear();
  }
}
