import { defineMethod, perModality, type EpochRecord, type Hooks } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { blendWeights, type HeadLosses } from './blend-weights.js';
import { assertEach } from './options.js';
import { separateLinearHeads } from './separate-heads.js';
import { validationLosses } from './validation-losses.js';
import * as recipes from './recipes.js';

const options = z
  .strictObject({
    weights: z
      .record(z.string(), z.number().min(0))
      .optional()
      .describe(
        'fixed weights, of `fused` and of each modality, as the released code has them; default: estimated while it trains',
      ),
    every: z
      .int()
      .min(1)
      .default(10)
      .describe("after how many epochs they are estimated anew, from these epochs: the paper's super-epoch"),
  })
  .refine(({ weights }) => weights === undefined || Object.values(weights).some((weight) => weight > 0), {
    path: ['weights'],
    error: 'above 0 for one of them at least',
  });

interface State<H extends string> {
  weights: Record<H, number>;
  /** Losses when the weights were last estimated; `null` before the first epoch. */
  before: Record<H, HeadLosses> | null;
}

/**
 * Gradient-Blending: the fused head and one of each modality learn side by side, and the loss of each counts by how well it generalizes.
 *
 * L = w_0 CE(z, y) + Σ_m w_m CE(u_m, y),  w_h ∝ G_h / O_h²,  Σ_h w_h = 1
 *
 * G_h is what the validation loss of h fell in the last `every` epochs, O_h what its distance to the training loss grew. Before that is known all
 * weights are 1 / (k + 1); where no head gained anything they stay. The paper estimates them by training each head alone from the same start, our
 * estimate is from the training itself and costs nothing; the released code has fixed weights (0.014 audio, 0.63 visual and 0.356 fused for an R3D-50 on Kinetics), which `weights` takes and `blendWeights` computes
 * from the losses of trainings of each alone.
 *
 * The hook `fusion` makes a fused head on the concatenated features and linear ones beside it; any other fusion will do (the released code's fused head has two hidden layers and dropout). Regressions too. A term whose
 * weight is 0 gives no gradient: with `fused` 1 and all others 0 the step is that of joint training, bit for bit. With presence masks the loss of
 * u_m is over the samples that have m; losses that are known of no sample gain nothing. The log has `blendWeights`: w_m.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if `weights` names other heads; after an epoch that was not evaluated
 * on the validation split, unless they are fixed.
 * @example
 * await train({ model, methods: [gradientBlending({ weights: { fused: 0.5, audio: 0.1, visual: 0.4 } })], … });
 * @see Wang et al., What Makes Training Multi-modal Classification Networks Hard? (CVPR 2020), Alg. 1 and 3; released code
 */
export const gradientBlending = defineMethod({
  name: 'gradient-blending',
  label: 'Gradient-Blending',
  summary: 'each head’s loss counts by how well it generalizes',
  source: { paper: 'Wang et al., CVPR 2020', code: 'VMZ da212a3: fixed weights alone' },
  needs: { modalities: { min: 2 }, validation: 'every-epoch' },
  recipe: recipes.gradientBlending,
  options,
  create: <M extends string>({ weights, every }: z.output<typeof options>): Hooks<M, State<M | 'fused'>> => ({
    needs: { modalities: { min: 2 }, ...(!weights && { validation: 'every-epoch' }) },
    fusion: separateLinearHeads,
    init({ model }) {
      const heads = ['fused', ...model.modalities] as const;
      if (weights)
        assertEach(Object.keys(weights), {
          option: 'weights',
          method: 'Gradient-Blending',
          modalities: heads,
        });
      return {
        weights: perModality(heads, (head) => weights?.[head] ?? 1 / heads.length),
        before: null,
      };
    },
    loss({ logits, unimodalLogits }, step, state) {
      const { modalities } = step.model;
      const there = modalities.filter((m) => step.presentSamples[m] > 0);
      const student = step.taskLoss(logits);
      const own = perModality(there, (m) => step.taskLoss(unimodalLogits[m], m));
      const terms = [
        [state.weights.fused, student] as const,
        ...there.map((m) => [state.weights[m], own[m]] as const),
      ]
        .filter(([weight]) => weight > 0)
        .map(([weight, loss]) => (weight === 1 ? loss : tf.mul(loss, weight)));
      step.log({ blendWeights: perModality(modalities, (m) => state.weights[m]) });
      // With a batch of which no weighted head sees anything nothing is to be learned.
      const total = (terms.length > 0 ? tf.addN(terms) : tf.mul(student, 0)) as tf.Scalar;
      return { ...own, student, total };
    },
    ...(!weights &&
      ({
        epoch(record, { model: { modalities } }, state) {
          if ((record.epoch - 1) % every !== 0) return;
          const now = headLosses(record, modalities);
          if (state.before) state.weights = blendWeights(state.before, now) ?? state.weights;
          state.before = now;
        },
      } satisfies Hooks<M, State<M | 'fused'>>)),
  }),
});

function headLosses<M extends string>(
  record: EpochRecord,
  modalities: readonly M[],
): Record<M | 'fused', HeadLosses> {
  const own = validationLosses('Gradient-Blending', record, ['fused', ...modalities] as const);
  return perModality(['fused', ...modalities] as const, (head) => {
    const validation = own[head];
    // A head that saw no sample neither gained nor overfitted.
    const train = record.loss[head === 'fused' ? 'student' : head] ?? validation;
    return { train, validation };
  });
}
