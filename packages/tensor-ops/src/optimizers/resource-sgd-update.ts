import * as tf from '@tensorflow/tfjs-core';
import { attribute, tensorflow, type TensorFlowBackend } from '../tensorflow/operations.js';
import { ResourceVariable } from './resource-variable.js';
import { decayed, type SGDRule, type SGDUpdate } from './sgd-update.js';

/** What is kept for a variable. */
interface Entry {
  /** Has the same buffer as the `tf.Variable`. */
  readonly weight: ResourceVariable;
  /** Absent without momentum. */
  readonly velocity: ResourceVariable | undefined;
  stepped: boolean;
  /** The tensor that the `tf.Variable` had after the last step. */
  tensorId: number;
}

/**
 * SGD in TensorFlow's own update operations, which change a variable in place: one pass over weights, velocity and
 * gradient where TensorFlow.js operations make four and allocate the result of each.
 *
 * The weights exist once. TensorFlow's variable and the `tf.Variable` share a buffer, and because TensorFlow copies a
 * buffer before it writes if anybody else refers to it, the `tf.Variable` gives its tensor up before the update and
 * takes the updated one afterwards. Others who refer to the buffer (a clone, a reshaped view) make TensorFlow copy, and
 * keep what they had.
 */
export class ResourceSGDUpdate implements SGDUpdate {
  readonly #rule: SGDRule;
  readonly #backend: TensorFlowBackend = tensorflow();
  readonly #entries = new Map<string, Entry>();
  readonly #scalars = new Map<string, { readonly value: number; readonly id: number }>();
  readonly #descent = [attribute.float32Type(), attribute.boolean('use_locking', false)];
  readonly #momentum = [...this.#descent];

  constructor(rule: SGDRule) {
    this.#rule = rule;
    this.#momentum.push(attribute.boolean('use_nesterov', rule.nesterov));
  }

  step(variable: tf.Variable, gradient: tf.Tensor, learningRate: number): void {
    const { momentum, weightDecay, dampening, nesterov } = this.#rule;
    const entry = this.#entry(variable);
    const { weight, velocity } = entry;
    // v ← v + (λ/μ)θ now is μv + λθ after the multiplication by μ: decay without a gradient of its own. Not for Nesterov
    // and dampening, whose steps have g itself in them.
    const decayVelocity = velocity && weightDecay > 0 && !nesterov && dampening === 0;
    const g = tf.tidy(() => {
      const whole = decayVelocity ? gradient : decayed(variable, gradient, weightDecay);
      // Without a velocity, as in PyTorch, dampening has no effect.
      return dampening > 0 && velocity && entry.stepped ? tf.mul(whole, 1 - dampening) : whole;
    });
    const gradientId = this.#tensorId(g);
    if (decayVelocity) {
      const decay = this.#scalar('decay', -weightDecay / momentum);
      velocity.run('ResourceApplyGradientDescent', this.#descent, [decay, entry.tensorId]);
    }
    this.#inPlace(variable, entry, () => {
      const rate = this.#scalar('learningRate', learningRate);
      if (!velocity) return weight.run('ResourceApplyGradientDescent', this.#descent, [rate, gradientId]);
      const scale = this.#scalar('momentum', momentum);
      weight.run('ResourceApplyMomentum', this.#momentum, [velocity.handle, rate, gradientId, scale]);
    });
    entry.stepped = true;
    if (g !== gradient) g.dispose();
  }

  velocity(variable: tf.Variable): tf.Tensor | undefined {
    const { velocity, stepped } = this.#entries.get(variable.name) ?? {};
    return stepped && velocity ? this.#tensor(velocity.read(), variable.shape) : undefined;
  }

  setVelocity(variable: tf.Variable, velocity: tf.Tensor): void {
    const entry = this.#entry(variable);
    entry.velocity?.assign(this.#tensorId(velocity));
    entry.stepped = true;
  }

  dispose(): void {
    for (const { weight, velocity } of this.#entries.values()) {
      weight.dispose();
      velocity?.dispose();
    }
    for (const { id } of this.#scalars.values()) this.#backend.binding.deleteTensor(id);
    this.#entries.clear();
    this.#scalars.clear();
  }

  /** The entry, its weight equal to the variable's value. */
  #entry(variable: tf.Variable): Entry {
    const tensorId = this.#tensorId(variable);
    let entry = this.#entries.get(variable.name);
    if (!entry) {
      const make = () => new ResourceVariable(this.#backend, variable.shape);
      const velocity = this.#rule.momentum > 0 ? make() : undefined;
      // From a velocity of 0 the first step makes the gradient itself.
      velocity?.assignZeros(tensorId);
      entry = { weight: make(), velocity, stepped: false, tensorId: -1 };
      this.#entries.set(variable.name, entry);
    }
    // Also when somebody assigned to the variable, for example with `setWeights`: it has another tensor then. Numbers of
    // tensors are never used twice.
    if (entry.tensorId !== tensorId) entry.weight.assign(tensorId);
    entry.tensorId = tensorId;
    return entry;
  }

  /** Runs an update of the weight while the variable does not refer to the buffer, so that nothing is copied. */
  #inPlace(variable: tf.Variable, entry: Entry, update: () => void): void {
    const { binding, tensorMap } = this.#backend;
    const data = tensorMap.get(variable.dataId);
    if (this.#backend.refCount(variable.dataId) > 1) {
      // A clone has the same data entry and must keep it: the variable gets a new one.
      update();
      const updated = this.#tensor(entry.weight.read(), variable.shape);
      variable.assign(updated);
      updated.dispose();
    } else {
      binding.deleteTensor(data.id);
      data.id = -1;
      try {
        update();
      } finally {
        data.id = entry.weight.read();
      }
    }
    entry.tensorId = tensorMap.get(variable.dataId).id;
  }

  #tensorId(tensor: tf.Tensor): number {
    return this.#backend.getInputTensorIds([tensor])[0] as number;
  }

  /** A tfjs tensor for one of TensorFlow's. */
  #tensor(id: number, shape: readonly number[]): tf.Tensor {
    const dataId = {};
    const { binding, tensorMap } = this.#backend;
    tensorMap.set(dataId, { id, shape, dtype: binding['TF_FLOAT'] as number, values: null, refCount: 1 });
    // Not `backend.executeSingleOutput`: the backend in use may have become another one.
    return tf
      .engine()
      .makeTensorFromTensorInfo(
        { dataId, shape: [...shape], dtype: 'float32' },
        this.#backend as unknown as tf.KernelBackend,
      );
  }

  #scalar(name: string, value: number): number {
    const { binding } = this.#backend;
    const old = this.#scalars.get(name);
    if (old?.value === value) return old.id;
    if (old) binding.deleteTensor(old.id);
    const id = binding.createTensor([], binding['TF_FLOAT'] as number, Float32Array.of(value));
    this.#scalars.set(name, { value, id });
    return id;
  }
}
