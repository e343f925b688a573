import * as tf from '@tensorflow/tfjs-core';
import { inferenceOf, type Predictor } from './evaluate.js';
import { BatchPass } from './pass.js';
import type { RunningMethods } from './running-methods.js';
import type { TrainingContext } from './training.js';

/** What a training predicts with: a method's `forward` of the present stage, or the model. */
export function predictorOf<M extends string>(
  training: TrainingContext<M>,
  running: RunningMethods<M>,
): Predictor<M> {
  const alone = inferenceOf(training.model);
  return (batch) => {
    const { present } = running;
    if (!present.some(({ forward }) => forward)) return alone(batch);
    const isJudged = present.some(({ needs }) => needs?.teachers === 'unimodal');
    return tf.tidy(() => {
      const { logits, unimodalLogits } = running.forward(new BatchPass(training, batch, isJudged));
      return { logits, unimodalLogits: { ...unimodalLogits } };
    });
  };
}
