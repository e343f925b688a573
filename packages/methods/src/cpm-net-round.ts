import { perModality, type Step, type StepResult } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { adamStep } from './adam-of-tensor.js';
import { decodersOf, reconstruction } from './cpm-net-fusion.js';
import { assertWhole, type CpmNetState } from './cpm-net-state.js';
import { classMeansOfOthers, clusteringLoss } from './latent-classes.js';
import { placesIn } from './loss-history.js';

/** How a round of CPM-Net trains. */
export interface RoundOptions {
  /** λ. */
  readonly lambda: number;
  readonly decoderSteps: number;
  readonly latentSteps: number;
  /** Relative to the optimizer's. */
  readonly latentRate: number;
  readonly dropout: number;
}

/** Steps of the optimizer on the decoders for recon, then of an Adam on the latent vectors for recon + λ class. */
export function trainRound<M extends string>(
  step: Step<M>,
  state: CpmNetState,
  { lambda, decoderSteps, latentSteps, latentRate, dropout }: RoundOptions,
): StepResult<M> {
  assertWhole(step);
  const { batch, model } = step;
  const outputs = step.forward({ gradients: false });
  const { features } = outputs;
  const classes = outputs.logits.shape[1];
  const labels = [...batch.labels.dataSync()];
  const rows = tf.tensor1d(placesIn()(state.ids, batch.ids), 'int32');
  const decoders = decodersOf(model);
  const random = step.random('cpm-net/dropout');
  const drops = { rate: dropout, seed: () => random.integer(2 ** 31) };
  const ofBatch = (all: tf.Tensor2D): tf.Tensor2D => tf.gather(all, rows);
  const reconstructed = (h: tf.Tensor2D): tf.Scalar =>
    reconstruction(decoders, h, { features, present: batch.present, dropout: drops });

  const fixed = ofBatch(state.latents.value);
  for (let i = 0; i < decoderSteps; i++) {
    const { gradients } = step.valueAndGrads(() => ({ loss: { total: reconstructed(fixed) }, outputs }));
    step.update(gradients, outputs);
  }

  const lossOf = (all: tf.Tensor2D) => {
    const h = ofBatch(all);
    const parts = {
      reconstruction: reconstructed(h),
      classification: clusteringLoss(classMeansOfOthers(h, labels, classes), labels),
    };
    const total = tf.add<tf.Scalar>(parts.reconstruction, tf.mul(parts.classification, lambda));
    return { ...parts, total };
  };
  const gradient = tf.grad((all: tf.Tensor) => lossOf(all as tf.Tensor2D).total);
  for (let i = 0; i < latentSteps; i++) {
    const { latents } = state;
    const rate = latentRate * step.optimizer.learningRate;
    state.latents = { ...adamStep(latents, gradient(latents.value) as tf.Tensor2D, rate) };
  }
  const { losses } = step.valueAndGrads(
    () => ({ loss: lossOf(state.latents.value), outputs }),
    () => false,
  );
  const logits = classMeansOfOthers(ofBatch(state.latents.value), labels, classes);
  // What one of several modalities comes to alone is a fit of its own, which predictions make: there is no score of it in training.
  const alone = model.modalities.length === 1 ? model.modalities : [];
  return { losses, outputs: { logits, unimodalLogits: perModality(alone, () => logits) } };
}
