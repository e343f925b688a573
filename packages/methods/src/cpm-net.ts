import { defineMethod, perModality, type Hooks, type Outputs } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { fitLatents } from './cpm-net-fit.js';
import { cpmNetFusion, decodersOf } from './cpm-net-fusion.js';
import { trainRound } from './cpm-net-round.js';
import { beginning, startOf, type CpmNetState } from './cpm-net-state.js';
import { classScores } from './latent-classes.js';
import * as recipes from './recipes.js';

const count = z.int().min(1);
const steps = z.int().min(0);

const options = z.strictObject({
  latent: count.default(128).describe('d: width of the latent vectors; published runs have 128 to 512'),
  hidden: z
    .array(count)
    .default([])
    .describe(
      'widths of the layers of a decoder before its last, which have no activation; the authors have [150] for handwritten digits',
    ),
  lambda: z.number().min(0).default(1).describe('λ: of the class term; published runs have 1 and 10'),
  decoderSteps: steps.default(5).describe('steps of an epoch on the decoders'),
  latentSteps: steps.default(5).describe('steps of an epoch on the latent vectors'),
  latentRate: z
    .number()
    .positive()
    .default(10)
    .describe(
      'learning rate of the latent vectors, relative to that of the decoders: 10 in GCNet and for most data of the authors, 1 for handwritten digits',
    ),
  testSteps: count
    .default(500)
    .describe('steps of a prediction; published runs have 20 to 300 rounds of five'),
  testRate: z
    .enum(['latents', 'decoders'])
    .default('latents')
    .describe(
      'learning rate of a prediction: that of the latent vectors, or, as in the released code, of the decoders',
    ),
  decision: z
    .enum(['mean', 'nearest'])
    .default('mean')
    .describe('a class scores by its mean product with the latent vector, or by its largest one'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe('share of the values after every layer of a decoder but the first that training sets to 0'),
  testDropout: z
    .boolean()
    .default(false)
    .describe('dropout in predictions too, as in the released code: they depend on the batch then'),
});

/**
 * CPM-Net, cross partial multi-view networks: each sample has a latent vector from which its modalities are decoded, and in which classes lie together.
 *
 * recon = Σ_i Σ_m M_im ‖D_m(h_i) − x_i^m‖²,  class = Σ_i max(0, 1[argmax_c F_ic ≠ y_i] + max_c F_ic − F_i,y_i),  F_ic = mean over the others of class c of ⟨h_i, h_j⟩
 *
 * An epoch is a round: steps of the run's optimizer (Adam) on the decoders for recon, then of an Adam on the h_i for recon + λ class, all on the whole training split at once.
 * A prediction fits the h of a sample by recon, with the decoders as they are; z_c = mean over training samples j of class c of ⟨h, h_j⟩, u_m from a fit to m alone. It begins
 * with numbers that follow from the sample's id, as large as those of training.
 *
 * x are the encoders' features, which do not change: flat inputs of the encoder `flat`, or encoders that were trained before. Missing modalities are never looked at. Any number
 * of modalities; no teacher. Beside the usual, predictions give `latents` and `imputed`, D_m(h). Not for several processes, and nothing is exported.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if an epoch has more than one batch, or a class has one sample.
 * @example
 * await train({ model, methods: [cpmNet({ latent: 64 })], optimizer: { type: 'adam', learningRate: 0.001 }, everySample, batchesPerEpoch: 1, … });
 * @see Zhang et al., CPM-Nets: Cross Partial Multi-View Networks (NeurIPS 2019); released code, `util/model.py`; GCNet, `baseline-cpmnet`
 */
export const cpmNet = defineMethod({
  name: 'cpm-net',
  label: 'CPM-Net',
  summary: 'a latent vector of each sample, from which its modalities are decoded',
  source: { paper: 'Zhang et al., NeurIPS 2019', code: 'CPM_Nets df6b1b4; GCNet 8cce4a0, baseline-cpmnet' },
  recipe: recipes.cpmNet,
  needs: { task: 'classification', processes: 'one' },
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M, CpmNetState> => {
    return {
      fusion: (given) => cpmNetFusion(given, own),
      init: (training) => beginning(training, own.latent),
      plan: () => ({ coefficient: ({ role }) => (role === 'head' ? 1 : null), inference: () => true }),
      step: (step, state) => trainRound(step, state, own),
      forward(pass, state) {
        const outputs = pass.forward();
        const { latents, labels, rate } = state;
        const { ids } = pass.batch;
        const masks = randomStream(deriveSeed(state.seed, `dropout/${ids.join('/')}`));
        const fitted = fitLatents<M>({
          start: startOf(ids, state),
          decoders: decodersOf(pass.model),
          features: outputs.features,
          present: pass.batch.present,
          steps: own.testSteps,
          learningRate: own.testRate === 'latents' ? own.latentRate * rate : rate,
          dropout: { rate: own.testDropout ? own.dropout : 0, seed: () => masks.integer(2 ** 31) },
        });
        const known = { latents: latents.value, labels: [...labels], classes: outputs.logits.shape[1] };
        const scores = (h: tf.Tensor2D): tf.Tensor2D => classScores(h, known, own.decision);
        return {
          features: outputs.features,
          logits: scores(fitted.fused),
          unimodalLogits: perModality(pass.model.modalities, (m) => scores(fitted.alone[m])),
          latents: fitted.fused,
          imputed: fitted.imputed,
        } satisfies Outputs<M> & Record<string, unknown>;
      },
    };
  },
});
