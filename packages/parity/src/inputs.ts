import * as tf from '@tensorflow/tfjs-core';
import type { InputRecipe, Modality } from './case.js';
import { tensorValues } from './recipe.js';

/**
 * A batch of one modality, channels last: `[B, H, W, C]`, several frames `[B, T, H, W, C]`.
 *
 * A single frame is an image, as it is for whoever trains on single frames.
 */
export function inputTensor(
  { shape, offset, scale }: InputRecipe,
  {
    seed,
    batchTag,
    modality,
  }: { readonly seed: number; readonly batchTag: string; readonly modality: Modality },
): tf.Tensor {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const values = tensorValues({ seed, name: `${batchTag}/${modality}`, scale, offset }, size);
  return tf.tidy(() => {
    const images = tf.tensor(values, [...shape]);
    if (shape.length === 4) return tf.transpose(images, [0, 2, 3, 1]);
    return tf.reshape(tf.transpose(images, [0, 2, 3, 4, 1]), [shape[0] as number, ...sampleShape({ shape })]);
  });
}

/** Shape of one sample of it. */
export function sampleShape({ shape }: Pick<InputRecipe, 'shape'>): SampleShape {
  const [height, width] = shape.slice(-2) as [number, number];
  const channels = shape[1] as number;
  const frames = shape.length === 5 ? (shape[2] as number) : 1;
  return frames === 1 ? [height, width, channels] : [frames, height, width, channels];
}

export type SampleShape =
  | [height: number, width: number, channels: number]
  | [frames: number, height: number, width: number, channels: number];
