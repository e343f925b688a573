// Reads the numbers that test/golden/make.py made with PyTorch, and gives a model the weights that they belong to.
import * as tf from '@tensorflow/tfjs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What every golden file has. */
export interface Golden {
  /** Shape of the input, PyTorch's order of axes. */
  readonly input: readonly number[];
  /** Name, shape, offset and scale of every tensor of the state_dict, in order. */
  readonly tensors: readonly (readonly [
    name: string,
    shape: readonly number[],
    offset: number,
    scale: number,
  ])[];
  readonly eval: readonly number[];
}

export const readGolden = <G extends Golden>(name: string): G =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'golden', `${name}.json`), 'utf8')) as G;

/** The deterministic values of make.py for tensor number `t`. */
export function goldenValues(t: number, shape: readonly number[], offset: number, scale: number): tf.Tensor {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const values = Float32Array.from({ length: size }, (_, i) => {
    const x = 10_000 * Math.sin(i + 1 + 1000 * t);
    return offset + scale * (2 * (x - Math.floor(x)) - 1);
  });
  return tf.tensor(values, [...shape]);
}

/** The input of a golden file in our order of axes: channels last, frames second. `[T, D]` stays. */
export const goldenInput = ({ input }: Golden): tf.Tensor => {
  const values = goldenValues(98, input, 0, 1.5);
  return input.length === 5 ? tf.transpose(values, [0, 1, 3, 4, 2]) : values;
};

const ROLES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  depthwise_kernel: 'weight',
  gamma: 'weight',
  bias: 'bias',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

/** PyTorch's name of a variable: `text/layers/0/linear1/kernel` → `layers.0.linear1.weight`. */
export function pytorchName(variable: string, encoder: string): string {
  const [role, ...path] = variable
    .slice(encoder.length + 1)
    .split('/')
    .toReversed();
  const module = path
    .toReversed()
    .filter((part) => part !== 'frames')
    .join('.');
  return `${module}${module.endsWith('in_proj') ? '_' : '.'}${ROLES[role as string]}`;
}

/** Order of PyTorch's axes in a variable of ours: `[out, in, H, W]` → `[H, W, in, out]` and so on. */
function axes(variable: string, rank: number): number[] {
  if (variable.endsWith('depthwise_kernel')) return [2, 3, 0, 1];
  return rank === 4 ? [2, 3, 1, 0] : Array.from({ length: rank }, (_, i) => rank - 1 - i);
}

/** Gives a model the golden weights. */
export function setGoldenWeights(model: tf.LayersModel, { tensors }: Golden): void {
  const rows = new Map(tensors.map(([name, ...row], t) => [name, [t, ...row] as const]));
  for (const weight of model.weights) {
    const name = pytorchName(weight.originalName, model.name);
    const row = rows.get(name);
    if (!row) throw new Error(`PyTorch has no ${name}`);
    rows.delete(name);
    tf.tidy(() => {
      const values = goldenValues(...row);
      weight.write(tf.transpose(values, axes(weight.originalName, values.rank)));
    });
  }
  const rest = [...rows.keys()].filter((name) => !name.endsWith('num_batches_tracked'));
  if (rest.length > 0) throw new Error(`the model has no ${rest.join(', ')}`);
}

/** Norm, and dot product with golden values, of a gradient, as make.py's `gradients`. */
export function summarizeGradient(
  gradient: tf.Tensor,
  variable: string,
  encoder: string,
  { tensors }: Golden,
): [number, number] {
  return tf.tidy(() => {
    const t = tensors.findIndex(([name]) => name === pytorchName(variable, encoder));
    const order = axes(variable, gradient.rank);
    const inverse = order.map((_, axis) => order.indexOf(axis));
    const ours = tf.transpose(gradient, inverse);
    const projection = tf.sum(tf.mul(ours, goldenValues(100 + t, ours.shape, 0, 1)));
    return [tf.norm(gradient).dataSync()[0]!, projection.dataSync()[0]!];
  });
}
