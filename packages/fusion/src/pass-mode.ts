import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { OptionError, type PassMode } from '@g2d/core';

/** Whether a modality's encoder runs in training mode. */
export function trainingOf<M extends string>({ training }: PassMode<M>, modality: M): boolean {
  const value = typeof training === 'boolean' ? training : training[modality];
  if (typeof value === 'boolean') return value;
  throw new OptionError(
    `\`training\` says nothing about ${modality}. Give true or false, or a record with one of them for each modality.`,
    { option: 'training', value: training, accepted: 'true, false, or one of them for each modality' },
  );
}

/** Whether gradients reach a modality's encoder. */
export const hasGradients = <M extends string>({ gradients = true }: PassMode<M>, modality: M): boolean =>
  typeof gradients === 'boolean' ? gradients : gradients[modality];

/** Runs a pass and puts its variables back to what they were before, also after an error. */
export function keeping<T>(variables: readonly LayerVariable[], run: () => T): T {
  // Second handles of the values, no copies.
  const before = variables.map((variable) => tf.clone(variable.read()));
  try {
    return run();
  } finally {
    variables.forEach((variable, i) => variable.write(before[i] as tf.Tensor));
    tf.dispose(before);
  }
}

/** Runs a pass that nothing is recorded of; its results are constants in whatever is differentiated. */
export function asConstants<T>(run: () => T): T {
  // Only the inside of a custom gradient is never recorded, and it can give one tensor alone: the results leave it kept.
  const kept: tf.Tensor[] = [];
  let result: T | undefined;
  const inside = (): { value: tf.Tensor; gradFunc: () => tf.Tensor[] } => {
    result = mapTensors(run(), (tensor) => {
      kept.push(tf.keep(tf.clone(tensor)));
      return kept.at(-1) as tf.Tensor;
    });
    return { value: tf.scalar(0), gradFunc: () => [] };
  };
  tf.customGrad(inside)().dispose();
  // Tensors of the caller's scope again.
  const constants = mapTensors(result as T, (tensor) => tf.clone(tensor));
  tf.dispose(kept);
  return constants;
}

/** The same records with other tensors. */
function mapTensors<T>(value: T, change: (tensor: tf.Tensor) => tf.Tensor): T {
  if (value instanceof tf.Tensor) return change(value) as T;
  const entries = Object.entries(value as object).map(([key, inner]) => [key, mapTensors(inner, change)]);
  return Object.fromEntries(entries) as T;
}
