import { defineMethod, OptionError, type Gradient, type Hooks, type Step } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { mlaFusion, notShared, sharedKernel } from './mla-head.js';
import { trainingOutputs } from './mla-outputs.js';
import { nextProjection } from './mla-projection.js';
import { assertEach, referenceOption, weightOption } from './options.js';
import * as recipes from './recipes.js';

const options = z
  .strictObject({
    order: z
      .array(z.string())
      .readonly()
      .optional()
      .describe("in which modalities take their steps; default: the model's order"),
    projection: z
      .boolean()
      .default(false)
      .describe(
        "the head's gradient is projected away from the features that the other modalities showed; the published numbers are without: the released code looks for a parameter by a name that its head does not have",
      ),
    reference: referenceOption.describe(
      'of the projection: as the paper says, or element by element, as the released code would if it ran',
    ),
    weights: z
      .union([z.enum(['entropy', 'batch-entropy']), weightOption.options[1]])
      .default('entropy')
      .describe(
        'how predictions weigh the modalities, for the fusion: by the entropy of each sample, as the paper; of the batch, as the released code; or fixed, one for each',
      ),
    width: z
      .int()
      .min(1)
      .optional()
      .describe(
        'for the fusion: a linear layer takes every feature vector to this width first, for encoders of different widths',
      ),
    otherEncoders: z
      .enum(['freeze', 'zero'])
      .default('freeze')
      .describe(
        "encoders that have no part in a modality's step stay; or those that have had their own step in this batch get a gradient of zeros, so that momentum and weight decay move them, as under old versions of PyTorch",
      ),
  })
  .refine(({ projection, reference }) => projection || reference === 'paper', {
    path: ['reference'],
    error: 'left out without "projection": nothing else differs',
  });
type Options = z.output<typeof options>;

interface State {
  /** P `[D, D]`; `null` before the first step of a training with a projection. */
  projection: tf.Tensor2D | null;
}

/**
 * MLA: every batch is one step for each modality in turn, with its own encoder and the head that all share.
 *
 * for each m: u_m = h(f_m),  L_m = CE(u_m, y),  ∇_W L_m ← ∇_W L_m Pᵀ,  a step of encoder m and of the head h, which the next modality
 * finds updated
 *
 * P is the identity in the first step, which it leaves alone; every later one updates it with the mean features of its batch
 * (`updatedProjection`) and divides it by ‖P‖_F. It is kept for the whole training, in checkpoints too.
 *
 * The model needs a `sharedHeadFusion`, which also weighs the modalities at inference; the hook `fusion` makes it. With presence masks
 * a modality's loss is over the samples that have it, and one that no sample of a batch has takes no step.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if the model's head is not shared, `order` does not name
 * each modality once, or a projection does not know how many batches an epoch has.
 * @example
 * await train({ model, methods: [mla()], … });
 * @see Zhang et al., MLA (CVPR 2024), Sec. 3; released code, `main.py`; G2D, Sec. 4
 */
export const mla = defineMethod({
  name: 'mla',
  label: 'MLA',
  summary: 'the modalities take turns, with one shared output layer',
  source: { paper: 'Zhang et al., CVPR 2024' },
  recipe: recipes.mla,
  options,
  create: <M extends string>(own: Options): Hooks<M, State> => ({
    fusion: (given) => mlaFusion(own, given),
    init({ model, task, batchesPerEpoch }) {
      const { modalities } = model;
      if (task === 'multi-label' && typeof own.weights === 'string') {
        throw new OptionError(
          `MLA weighs the modalities by the entropy of a softmax ("weights": "${own.weights}"), and the classes of a multi-label task are a yes or no each. Give fixed "weights", a number for each of ${modalities.join(', ')}.`,
          { option: 'weights', value: own.weights, accepted: `numbers for ${modalities.join(', ')}` },
        );
      }
      if (own.order) assertEach(own.order, { option: 'order', method: 'MLA', modalities });
      sharedKernel(model);
      if (own.projection && batchesPerEpoch === undefined) {
        throw new OptionError(
          'The projection grows over the batches of an epoch and must know how many they are. Give the training `batchesPerEpoch`.',
          { option: 'batchesPerEpoch', value: batchesPerEpoch, accepted: 'a whole number' },
        );
      }
      return { projection: null };
    },
    step(step, state) {
      const kernel = sharedKernel(step.model);
      const losses: Record<string, number> = {};
      const logits: Partial<Record<M, tf.Tensor2D>> = {};
      // Of this batch alone: at its end the released code deletes all gradients, so the next one begins without any.
      const stepped: M[] = [];
      for (const m of orderOf(step, own)) {
        if (step.presentSamples[m] === 0) continue;
        const found = step.valueAndGrads(
          () => {
            const outputs = step.forward({ modalities: [m] });
            return { loss: { total: step.taskLoss(outputs.unimodalLogits[m], m) }, outputs };
          },
          ({ role, modality }) => role === 'shared' || modality === m,
        );
        const features = found.outputs.features[m];
        if (kernel.shape[0] !== features.shape[1]) throw notShared([kernel.name]);
        if (own.projection)
          state.projection = state.projection
            ? nextProjection(step, state.projection, { features, m, reference: own.reference })
            : tf.eye(features.shape[1]);
        const P = state.projection;
        const edited = ({ tensor, ...gradient }: Gradient<M>): Gradient<M> => {
          const { variable, modality } = gradient.parameter;
          // The kernel is Wᵀ: (∇_W Pᵀ)ᵀ = P ∇_{Wᵀ}.
          if (P && tensor && variable === kernel)
            return { ...gradient, tensor: tf.matMul(P, tensor as tf.Tensor2D) };
          const idle = modality !== undefined && modality !== m && !tensor;
          const zero = idle && own.otherEncoders === 'zero' && stepped.includes(modality);
          return { ...gradient, tensor: zero ? tf.zerosLike(variable) : tensor };
        };
        step.update(found.gradients.map(edited), found.outputs);
        stepped.push(m);
        losses[m] = found.losses['total'] as number;
        logits[m] = found.outputs.unimodalLogits[m];
      }
      const total = Object.values(losses).reduce((sum, loss) => sum + loss, 0);
      return { losses: { total, ...losses }, outputs: trainingOutputs(step, orderOf(step, own), logits) };
    },
  }),
});

const orderOf = <M extends string>({ model }: Step<M>, { order }: Options): readonly M[] =>
  (order as readonly M[] | undefined) ?? model.modalities;
