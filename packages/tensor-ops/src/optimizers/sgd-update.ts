import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../tensorflow/define-kernel.js';

/** The constants of SGD, as PyTorch names them. */
export interface SGDRule {
  readonly momentum: number;
  readonly weightDecay: number;
  readonly dampening: number;
  readonly nesterov: boolean;
}

/** The arithmetic of SGD on one kind of backend, with the velocities that it keeps. */
export interface SGDUpdate {
  step(variable: tf.Variable, gradient: tf.Tensor, learningRate: number): void;
  /** A copy of v, `undefined` before the first step. */
  velocity(variable: tf.Variable): tf.Tensor | undefined;
  setVelocity(variable: tf.Variable, velocity: tf.Tensor): void;
  dispose(): void;
}

/** g + λθ, the gradient itself for λ = 0. */
export const decayed = (variable: tf.Variable, gradient: tf.Tensor, weightDecay: number): tf.Tensor =>
  weightDecay > 0 ? tf.add(gradient, tf.mul(variable, weightDecay)) : gradient;

/**
 * A kernel that a backend may have: θ and v of a step with momentum, from `variable`, `gradient` and, but for the first step,
 * `velocity`; the same numbers as the operations below.
 */
export const SGD_KERNEL = 'G2dSGD';

/** What {@link SGD_KERNEL} takes. */
export interface SGDAttributes extends SGDRule {
  readonly learningRate: number;
}

/** SGD in TensorFlow.js operations, or a kernel of its own where the backend has one: runs on every backend. */
export class PlainSGDUpdate implements SGDUpdate {
  readonly #rule: SGDRule;
  readonly #velocities = new Map<string, tf.Tensor>();

  constructor(rule: SGDRule) {
    this.#rule = rule;
  }

  step(variable: tf.Variable, gradient: tf.Tensor, learningRate: number): void {
    const { momentum, weightDecay, dampening, nesterov } = this.#rule;
    tf.tidy(() => {
      if (momentum > 0 && tf.getKernel(SGD_KERNEL, tf.getBackend())) {
        const velocity = this.#velocities.get(variable.name);
        const attributes: SGDAttributes = { ...this.#rule, learningRate };
        const [moved, next] = runKernel<tf.Tensor[]>(
          SGD_KERNEL,
          { variable, gradient, ...(velocity && { velocity }) },
          attributes,
        );
        this.setVelocity(variable, next as tf.Tensor);
        variable.assign(moved as tf.Tensor);
        return;
      }
      const g = decayed(variable, gradient, weightDecay);
      let direction = g;
      if (momentum > 0) {
        const old = this.#velocities.get(variable.name);
        const velocity = old
          ? tf.add(tf.mul(old, momentum), dampening === 0 ? g : tf.mul(g, 1 - dampening))
          : tf.clone(g);
        this.setVelocity(variable, velocity);
        direction = nesterov ? tf.add(g, tf.mul(velocity, momentum)) : velocity;
      }
      variable.assign(tf.sub(variable, tf.mul(direction, learningRate)));
    });
  }

  velocity({ name }: tf.Variable): tf.Tensor | undefined {
    const velocity = this.#velocities.get(name);
    return velocity && tf.clone(velocity);
  }

  setVelocity({ name }: tf.Variable, velocity: tf.Tensor): void {
    this.#velocities.get(name)?.dispose();
    this.#velocities.set(name, tf.keep(tf.clone(velocity)));
  }

  dispose(): void {
    tf.dispose([...this.#velocities.values()]);
    this.#velocities.clear();
  }
}
