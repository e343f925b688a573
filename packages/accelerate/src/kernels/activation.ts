import * as tf from '@tensorflow/tfjs-core';
import {
  attribute,
  defineKernel,
  execute,
  hasOperation,
  runKernel,
  type Attribute,
} from '@g2d/tensor-ops/tensorflow';

/**
 * What follows a value v, in two pieces: `slope` v below 0, and never more than `most`. Where `most` is finite, `slope` is 0. The loops
 * in C++ compute it on the way; its gradient follows from what it gave, and with it nothing else need be kept.
 */
export interface Activation {
  readonly slope: number;
  readonly most: number;
}

/** Nothing follows. */
export const LINEAR: Activation = { slope: 1, most: Infinity };
export const RELU: Activation = { slope: 0, most: Infinity };

export const isLinear = ({ slope, most }: Activation): boolean => slope === 1 && most === Infinity;

export const isRelu = ({ slope, most }: Activation): boolean => slope === 0 && most === Infinity;

const ACTIVATION = 'G2dActivation';
const ADD = 'G2dAdd';
const ADD_ACTIVATED = 'G2dAddActivation';

// As `@g2d/native` adds them to TensorFlow, whose `ReluGrad` and `Relu6Grad` take what is not a number for a closed ReLU: gradients of 0
// where plain layers have NaN.
const NATIVE = 'G2dV1Activation';

/** As the operations of `@g2d/native` take it. */
export const activationAttributes = ({ slope, most }: Activation): Attribute[] => [
  attribute.float('slope', slope),
  attribute.float('most', most),
];

const hasNative = (): boolean =>
  hasOperation(NATIVE, () => execute(NATIVE, activationAttributes(RELU), [tf.ones([1])]));

/** The activation of x; not on the tape. */
export function activated(x: tf.Tensor, activation: Activation): tf.Tensor {
  const { slope, most } = activation;
  const float = attribute.float32Type();
  // As fast as ours, and keeps NaN.
  if (isRelu(activation)) return execute('Relu', [float], [x]);
  if (hasNative()) return execute(NATIVE, activationAttributes(activation), [x]);
  if (slope > 0) return execute('LeakyRelu', [float, attribute.float('alpha', slope)], [x]);
  const [open, bound] = [execute('Relu', [float], [x]), tf.scalar(most)];
  const y = execute('Minimum', [float], [open, bound]);
  tf.dispose([open, bound]);
  return y;
}

/**
 * dy times the slope of the activation that gave y; NaN where y is none, but where the activation is never closed. Where it bends the
 * slope is that below 0, and that above the bound, as PyTorch's. Not on the tape.
 */
export function activationGradient(dy: tf.Tensor, y: tf.Tensor, activation: Activation): tf.Tensor {
  if (hasNative()) return execute(`${NATIVE}Grad`, activationAttributes(activation), [dy, y]);
  const { slope, most } = activation;
  const float = attribute.float32Type();
  if (slope > 0) return execute('LeakyReluGrad', [float, attribute.float('alpha', slope)], [dy, y]);
  return tf.tidy(() => {
    const sign = (x: tf.Tensor): tf.Tensor => execute('Sign', [float], [x]);
    const dx = tf.mul(dy, sign(y));
    return most === Infinity ? dx : tf.mul(dx, sign(tf.sub(most, y)));
  });
}

/** Registers the kernels and their gradients for the `tensorflow` backend. */
export function registerActivation(): void {
  defineKernel<Activation>({
    name: ACTIVATION,
    outputsToSave: [true],
    forward: ({ x }, activation) => activated(x as tf.Tensor, activation),
    gradient: ([dy], [y], activation) => ({
      x: () => activationGradient(dy as tf.Tensor, y as tf.Tensor, activation),
    }),
  });
  // TensorFlow.js's own keeps both summands to the end.
  defineKernel({
    name: ADD,
    forward: ({ a, b }) => execute('AddV2', [attribute.float32Type()], [a, b] as tf.Tensor[]),
    gradient: ([dy]) => ({ a: () => tf.clone(dy as tf.Tensor), b: () => tf.clone(dy as tf.Tensor) }),
  });
  defineKernel<Activation>({
    name: ADD_ACTIVATED,
    outputsToSave: [true],
    forward: ({ a, b }, activation) => {
      const sum = execute('AddV2', [attribute.float32Type()], [a, b] as tf.Tensor[]);
      const y = activated(sum, activation);
      sum.dispose();
      return y;
    },
    gradient: ([dy], [y], activation) => {
      const inner = activationGradient(dy as tf.Tensor, y as tf.Tensor, activation);
      // Two handles of one buffer: the tape may free either first.
      return { a: () => inner.clone(), b: () => inner };
    },
  });
}

/** The activation of x. Saves its output only. */
export const activate = (x: tf.Tensor, activation: Activation): tf.Tensor =>
  runKernel(ACTIVATION, { x }, { ...activation });

/** The activation of a + b, two tensors of one shape. Saves its output, and a sum alone nothing. */
export const addActivated = (a: tf.Tensor, b: tf.Tensor, activation: Activation): tf.Tensor =>
  isLinear(activation) ? runKernel(ADD, { a, b }) : runKernel(ADD_ACTIVATED, { a, b }, { ...activation });
