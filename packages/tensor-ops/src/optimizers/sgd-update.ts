import * as tf from '@tensorflow/tfjs-core';

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

/** SGD in TensorFlow.js operations: runs on every backend. */
export class PlainSGDUpdate implements SGDUpdate {
  readonly #rule: SGDRule;
  readonly #velocities = new Map<string, tf.Tensor>();

  constructor(rule: SGDRule) {
    this.#rule = rule;
  }

  step(variable: tf.Variable, gradient: tf.Tensor, learningRate: number): void {
    const { momentum, weightDecay, dampening, nesterov } = this.#rule;
    tf.tidy(() => {
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
