import { defineMethod, OptionError, perModality, type Hooks, type LossTerms, type Stage } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { confidenceFused, diMmlFusion, type DetachedOutputs } from './di-mml-fusion.js';
import { effectiveDimensions, interactionLoss } from './effective-dimensions.js';
import { referenceOption } from './options.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  temperature: z
    .number()
    .positive()
    .describe('τ of the interaction; the authors have 50 for CREMA-D and ModelNet40, 10 for AVE and UCF101'),
  sharedWeight: z.number().min(0).default(1).describe('w: of the losses of the shared head'),
  interactionAfter: z.int().min(0).default(20).describe('epochs before the interaction begins'),
  fusionEpochs: z
    .int()
    .min(1)
    .default(20)
    .describe('the last epochs, in which a head on all features is trained alone'),
  fusionTemperature: z
    .number()
    .positive()
    .default(1)
    .describe(
      'τ of the confidences that weigh the heads of a prediction; the authors have 1 for CREMA-D and UCF101, 3 for AVE and ModelNet40',
    ),
  reference: referenceOption.describe(
    'a class without samples is left out when dimensions are chosen, and without dimensions there is no interaction; official, as the released code: such a class leaves no dimension to anybody, and a term without dimensions is the constant log B',
  ),
});

interface State<M extends string> {
  /** How often each dimension of the features tells the class; `null` before it was measured. */
  accuracy: Record<M, number[]> | null;
}

/**
 * DI-MML, detached and interactive: encoders learn alone and meet in a shared head, then teach each other in the dimensions that one has and the other lacks.
 *
 * First: L = Σ_m CE(g_m(f_m), y) + w Σ_m CE(g_s(f_m), y) + Σ_{p ≠ q} mean_i −log softmax_j(⟨f_q,i, sg(f_p,j)⟩ / τ)[i], the inner products over
 * the dimensions A_p \ A_q, A_m those in which m tells the class better than in its mean one: by the nearest class mean, measured once over all samples. Then: encoders and heads
 * stay, in inference mode, and a head g_f on all features learns alone. Predictions: z = Σ_h w_h z_h over all heads, w = softmax over h of max softmax(z_h) / τ_f
 *
 * There is no fused loss before the last epochs, and no momentum is left when they begin. With presence masks losses are over the samples that have the
 * modality, or both, and a head has no weight where its modality is absent. Any number of modalities; encoders of equal widths.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if it has no more epochs than `fusionEpochs`, features are not equally
 * wide, or the heads are others than `fusion` makes; where it needs `everySample` and there is none.
 * @example
 * await train({ model, methods: [diMml({ temperature: 50 })], everySample, epochs: 170, … });
 * @see Fan et al., Detached and Interactive Multimodal Learning (ACM MM 2024); released code
 */
export const diMml = defineMethod({
  name: 'di-mml',
  label: 'DI-MML',
  summary: 'encoders learn alone and teach each other what the other lacks',
  source: { paper: 'Fan et al., ACM MM 2024', code: 'DI-MML 83b9b7a' },
  needs: { task: 'classification' },
  recipe: recipes.diMml,
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M, State<M>> => {
    const { temperature, sharedWeight, interactionAfter, fusionEpochs, fusionTemperature, reference } = own;
    return {
      fusion: (given) => diMmlFusion(given, { temperature: fusionTemperature }),
      async init(training) {
        if (!training.model.parameters.some(({ name }) => name.startsWith('head/shared')))
          throw new OptionError(
            "DI-MML needs a head of each modality, one that all share and one on all features. Build the model's fusion with the method's own `fusion`.",
            { option: 'model', value: undefined, accepted: 'the fusion of DI-MML' },
          );
        return { accuracy: interactionAfter === 0 ? await effectiveDimensions(training, reference) : null };
      },
      stages({ epochs }): readonly Stage<M, State<M>>[] {
        if (epochs <= fusionEpochs)
          throw new OptionError(
            `DI-MML trains its last ${fusionEpochs} epochs (\`fusionEpochs\`) on what the encoders have learned before, but the training has ${epochs}. Give it more.`,
            { option: 'epochs', value: epochs, accepted: `more than ${fusionEpochs}` },
          );
        return [
          {
            name: 'encoders',
            epochs: epochs - fusionEpochs,
            plan: () => ({ coefficient: ({ name }) => (name.startsWith('fusion/') ? null : 1) }),
            forward: (pass) => {
              const outputs = pass.forward();
              const { modalities } = pass.model;
              const heads = modalities.map((m) => ({
                logits: outputs.unimodalLogits[m],
                present: pass.batch.present?.[m],
              }));
              return { ...outputs, logits: confidenceFused(heads, fusionTemperature).logits };
            },
            loss(outputs, step, { accuracy }): LossTerms {
              const { modalities } = step.model;
              const { sharedLogits } = outputs as DetachedOutputs<M>;
              const alone = perModality(modalities, (m) => step.taskLoss(outputs.unimodalLogits[m], m));
              const shared = perModality(modalities, (m) => step.taskLoss(sharedLogits[m], m));
              const interaction =
                accuracy && interactionLoss(outputs.features, step, { accuracy, temperature, reference });
              const total = tf.addN([
                ...modalities.flatMap((m) => [alone[m], tf.mul(shared[m], sharedWeight)]),
                ...(interaction ? [interaction] : []),
              ]) as tf.Scalar;
              const parts = Object.fromEntries(modalities.map((m) => [`shared.${m}`, shared[m]]));
              return { ...alone, ...parts, ...(interaction && { interaction }), total };
            },
            async epoch({ epoch }, training, state) {
              // After the last of these epochs nobody would look at it.
              if (epoch !== interactionAfter || epoch === epochs - fusionEpochs) return;
              state.accuracy = await effectiveDimensions(training, reference);
            },
          },
          {
            name: 'fusion',
            epochs: fusionEpochs,
            optimizer: (run) => run,
            plan: () => ({
              coefficient: ({ name }) => (name.startsWith('fusion/') ? 1 : null),
              inference: () => true,
            }),
            loss: (outputs, step) => ({ total: step.taskLoss((outputs as DetachedOutputs<M>).concatLogits) }),
          },
        ];
      },
    };
  },
});
