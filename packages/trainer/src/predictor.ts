import * as tf from '@tensorflow/tfjs-core';
import { inferenceOf, type Predictor } from './evaluate.js';
import type { Method, Training } from './method.js';

/** What a training predicts with: a method of it, or the model. */
export function predictorOf<M extends string>(
  training: Training<M>,
  methods: readonly Method<M>[],
): Predictor<M> {
  const owner = methods.find((method) => method.predict);
  if (!owner?.predict) return inferenceOf(training.model);
  return (batch) => tf.tidy(() => ({ ...owner.predict?.(training, batch) }) as ReturnType<Predictor<M>>);
}
