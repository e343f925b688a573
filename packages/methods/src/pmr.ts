import { defineMethod, encodedOf, OptionError, perModality, type Hooks, type LossTerms } from '@g2d/core';
import { trueClassProbability } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { classIds } from './class-ids.js';
import { isInside, referenceOption, windowOption } from './options.js';
import { aheadTerm, pmrWeights } from './pmr-weights.js';
import { classPrototypes, prototypeLogits, updatedPrototypes } from './prototypes.js';
import * as recipes from './recipes.js';

const options = z
  .strictObject({
    alpha: z
      .number()
      .min(0)
      .default(1)
      .describe('α: how much the prototypes count; the paper has 1 or 2, the published commands 0.1 to 5'),
    epochs: windowOption
      .optional()
      .describe(
        'first and last epoch in which they do, from 1; default: all. The 0 to 100 of the released code are [1, 101]',
      ),
    momentum: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe('what the old prototypes keep after an epoch; most of the published commands have 0'),
    share: z
      .number()
      .positive()
      .max(1)
      .default(0.1)
      .describe('how much of the training batches prototypes are the means of'),
    reference: referenceOption.describe(
      'how much each modality needs: paper, how far it is behind; official, as the released code, 1 for the one that is behind and 0 for the other',
    ),
    entropy: z
      .strictObject({
        weight: z.number().min(0).describe('μ; the paper has 0.01 or 0.001'),
        epochs: windowOption.describe('the first epochs, which the paper does not tell'),
      })
      .optional()
      .describe("PER, the paper's regularizer of the modality that is ahead; the released code has none"),
  })
  .refine(({ reference, entropy }) => reference === 'paper' || entropy === undefined, {
    path: ['entropy'],
    error: 'left out with "reference" "official", which has none',
  });

interface State<M extends string> {
  /** c_m,j `[C, D_m]`. */
  prototypes: Record<M, tf.Tensor2D>;
}

/**
 * PMR, prototypical modal rebalance: the modality that is behind learns from its classes' mean features too.
 *
 * q_m[j] = −‖f_m − c_m,j‖,  PCE_m = CE(q_m, y),  σ_m = mean of softmax(q_m)[y];  L = CE(z, y) + α Σ_m β_m PCE_m,
 * β_m = clip(max_j σ_j / σ_m − 1, 0, 1);  with `entropy` − μ · mean of the others' β · H(softmax(q_m)) for the m that is ahead
 *
 * c_m,j is the mean feature of class j, in inference mode, over a share of the training batches: before the training, after its first epoch, and after
 * every other one with momentum. A class that is not among these keeps its prototype, where the released one becomes NaN; one that never was has the mean
 * of all features. Features are those of the encoders, before any fusion. For two modalities β is the paper's, for more our reading. Where α is 0 the step
 * is that of joint training, bit for bit. With presence masks means are over the samples that have the modality. The log has `prototypeScores` σ and `prototypeWeights` α β.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if it does not know how many batches an epoch has.
 * @example
 * await train({ model, methods: [pmr({ momentum: 0 })], batchesPerEpoch, … });
 * @see Fan et al., PMR: Prototypical Modal Rebalance for Multimodal Learning (CVPR 2023), Eq. 5 to 13; released code
 */
export const pmr = defineMethod({
  name: 'pmr',
  label: 'PMR',
  summary: 'pulls the features of the slower modality to their classes’ means',
  source: { paper: 'Fan et al., CVPR 2023', code: 'Modal-Imbalance-PMR 3615e48' },
  needs: { task: 'classification', modalities: { min: 2 } },
  recipe: recipes.pmr,
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M, State<M>> => {
    const { alpha, momentum, share, reference, entropy, epochs = [1, Infinity] } = own;
    return {
      needs: { task: 'classification', modalities: { min: 2, ...(reference === 'official' && { max: 2 }) } },
      async init(training) {
        if (training.batchesPerEpoch === undefined)
          throw new OptionError(
            'PMR takes prototypes from a share of the batches and must know how many there are. Give the training `batchesPerEpoch`.',
            { option: 'batchesPerEpoch', value: undefined, accepted: 'a whole number' },
          );
        return {
          prototypes: updatedPrototypes(undefined, await classPrototypes(training, { epoch: 1, share }), 0),
        };
      },
      loss(outputs, step, { prototypes }) {
        const { modalities } = step.model;
        const fused = step.taskLoss(outputs.logits);
        const q = perModality(modalities, (m) => prototypeLogits(encodedOf(outputs)[m], prototypes[m]));
        const scores = step.meanByModality(
          perModality(modalities, (m) => trueClassProbability(classIds(step.batch), q[m])),
        );
        const behind = pmrWeights(scores, reference);
        const inside = isInside(step.epoch, epochs);
        const weights = perModality(modalities, (m) => (inside ? alpha * behind[m] : 0));
        step.log({ prototypeScores: scores, prototypeWeights: weights });
        const own = perModality(modalities, (m) => step.taskLoss(q[m], m));
        const terms = modalities.filter((m) => weights[m] > 0).map((m) => tf.mul(own[m], weights[m]));
        const per =
          entropy &&
          isInside(step.epoch, entropy.epochs) &&
          aheadTerm({ q, behind, scores }, step, entropy.weight);
        const parts = Object.fromEntries(modalities.map((m) => [`prototype.${m}`, own[m]]));
        const total = tf.addN([fused, ...terms, ...(per ? [per] : [])]) as tf.Scalar;
        return { ...parts, student: fused, total } satisfies LossTerms;
      },
      async epoch({ epoch }, training, state) {
        if (epoch === training.epochs) return;
        const found = await classPrototypes(training, { epoch: epoch + 1, share });
        state.prototypes = updatedPrototypes(state.prototypes, found, epoch === 1 ? 0 : momentum);
      },
    };
  },
});
