import { defineMethod, type Hooks, type LossTerms, type Step } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { completeInput } from './complete-input.js';
import { craFusion, type ImputedOutputs } from './cra-fusion.js';
import { initializationOption } from './initialization.js';
import { maskedPass } from './masked-pass.js';
import { sumShare } from './sum-share.js';
import * as recipes from './recipes.js';

const sizes = z.array(z.int().min(1)).min(1).readonly();

const options = z.strictObject({
  units: sizes
    .default([256, 128])
    .describe(
      'of the layers of each block, down to the narrowest; the published grid has [256, 128] and [256, 200, 128]',
    ),
  blocks: z.int().min(1).default(5).describe('of the cascade; the published grid has 2, 3, 5 and 6'),
  hidden: sizes.default([128, 128]).describe('of the hidden layers of classifier and decoders'),
  dropout: z.number().min(0).lt(1).default(0.5).describe('in classifier and decoders'),
  weight: z
    .number()
    .min(0)
    .default(0.02)
    .describe('λ of the reconstruction; the published grid has 0.01, 0.02 and 0.03'),
  taskWeight: z.number().min(0).default(1).describe('of the task’s loss'),
  reduction: z
    .enum(['sum', 'mean'])
    .default('sum')
    .describe(
      'of the reconstruction over the batch; sum, as released: beside the task’s mean it weighs the more, the larger a batch is',
    ),
  initialization: initializationOption
    .default('normal')
    .describe('of the dense layers: normal with the deviation 0.02, as released; kaiming; xavier'),
});

/**
 * CRA, the cascaded residual autoencoder in the form that GCNet compares with: learns to see in the modalities that a sample has those that it
 * lacks, and the class.
 *
 * L = w CE(z, y) + λ Σ_m 1/d_m Σ_i (1 − M_im) ‖x̂_i^m − x_i^m‖²
 *
 * A missing input is zeros and encoded like any other (`maskedPass`). Its true value is a target in training, and seen nowhere else: the data must have it (`missingModalities` with
 * `inputs: 'complete'`, which a run does by itself). Where nothing is missing, the decoders do not learn. For a regression the task's loss is the squared error. Two modalities or more,
 * of fixed shapes. The original of the authors was trained block by block on Caffe, without a classifier; it is not this one.
 *
 * @throws {OptionError} If an option is not accepted; as the model is built, if an input is of free length.
 * @example
 * await train({ model, methods: [cra({ blocks: 3 })], optimizer: { type: 'adam', betas: [0.5, 0.999], clipping: { norm: 5, per: 'network' }, … }, … });
 * @see Tran et al., Missing Modalities Imputation via Cascaded Residual Autoencoder (CVPR 2017); released code of GCNet, `mmin_CRA_model.py`
 */
export const cra = defineMethod({
  name: 'cra',
  label: 'CRA',
  summary: 'sees missing inputs in those that are there',
  source: { paper: 'Tran et al., CVPR 2017', code: 'GCNet 8cce4a0, baseline-mmin/models/mmin_CRA_model.py' },
  recipe: recipes.cra,
  needs: { inputs: 'complete', modalities: { min: 2 } },
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M> => ({
    fusion: (given) => craFusion(given, own),
    forward: maskedPass,
    loss(outputs, step): LossTerms {
      const student = step.taskLoss(outputs.logits);
      const reconstruction = reconstructionLoss(outputs as ImputedOutputs<M>, step, own.reduction);
      const total = tf.add<tf.Scalar>(tf.mul(student, own.taskWeight), tf.mul(reconstruction, own.weight));
      return { total, student, reconstruction };
    },
  }),
});

/** Σ_m 1/d_m Σ_i (1 − M_im) ‖x̂_i^m − x_i^m‖², or its mean over the samples. */
function reconstructionLoss<M extends string>(
  { imputed }: ImputedOutputs<M>,
  step: Step<M>,
  reduction: 'sum' | 'mean',
): tf.Scalar {
  const { batch, model } = step;
  const samples = batch.ids.length;
  const terms = model.modalities.map((m) => {
    const mask = batch.present?.[m];
    // Zeros with a gradient of zeros, so that an optimizer's averages go on.
    if (!mask) return tf.mul(tf.sum(imputed[m]), 0);
    const missing = tf.lessEqual(tf.expandDims(mask, 1), 0);
    const only = (x: tf.Tensor): tf.Tensor => tf.where(missing, x, tf.zerosLike(x));
    // What is there is no target: 0 − 0 has the gradient 0, whatever stands in it.
    const target = only(tf.reshape(completeInput(batch, m), [samples, -1]));
    const error = tf.sub(only(imputed[m]), target);
    return tf.div(tf.sum(tf.square(error)), target.shape[1] as number);
  });
  const sum = tf.addN(terms) as tf.Scalar;
  return tf.mul(sum, reduction === 'sum' ? sumShare(step) : step.share() / samples);
}
