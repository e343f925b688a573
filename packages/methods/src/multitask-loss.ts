import type { LossTerms, Outputs, Step } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/** L = CE(z, y) + Σ_m w_m CE(u_m, y) and its parts; w_m is 1 unless `weightOf` says another. */
export function multitaskLoss<M extends string>(
  { logits, unimodalLogits }: Outputs<M>,
  step: Step<M>,
  weightOf?: (modality: M) => number,
): LossTerms {
  const student = step.taskLoss(logits);
  const own = step.model.modalities.map(
    (modality) => [modality, step.taskLoss(unimodalLogits[modality], modality)] as const,
  );
  const weighted = own.map(([modality, loss]) =>
    weightOf ? tf.mul<tf.Scalar>(loss, weightOf(modality)) : loss,
  );
  return { ...Object.fromEntries(own), student, total: tf.addN([student, ...weighted]) as tf.Scalar };
}
