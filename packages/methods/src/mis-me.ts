import { defineMethod, perModality, type Hooks, type LossTerms } from '@g2d/core';
import { readTogether } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { misMeFusion, type ScaledOutputs } from './mis-me-fusion.js';
import { beginRates, FIRST_RATE, nextRate, type MisMeRates } from './mis-me-schedule.js';
import { assertEach, weightOf, weightOption } from './options.js';
import { validationLosses } from './validation-losses.js';
import * as recipes from './recipes.js';

const rate = z.number().min(0).lt(1);

const options = z.strictObject({
  variant: z
    .enum(['concat', 'hybrid', 'one-scalar', 'two-scalars'])
    .default('hybrid')
    .describe(
      'a head on all features; also a head of each modality, with a loss of its own; or heads whose outputs are summed, weighed by one learned number (α, 1 − α; two modalities) or by one for each',
    ),
  fusedWeight: z.number().min(0).default(1).describe('δ of the hybrid loss: of the fused head'),
  weights: weightOption
    .default(1)
    .describe(
      "of the hybrid loss: of the modalities' heads, for the authors γ of the table and λ of the image",
    ),
  dropout: z
    .tuple([rate, rate])
    .default([0.3, 0.5])
    .describe(
      'share of values that training sets to 0 after the first and the second hidden layer of a head',
    ),
  linearHeads: z
    .array(z.string())
    .optional()
    .describe(
      'modalities whose own head is one linear layer, as the table of the authors; others have two hidden layers. Default: those with 16 features or fewer',
    ),
  schedule: z
    .enum(['warm-up-and-plateau', 'run'])
    .default('warm-up-and-plateau')
    .describe(
      "the learning rate begins at 0.001, grows to the optimizer's in five epochs and is halved where the validation loss gets no better; or it is the run's own",
    ),
});

/**
 * MIS-ME: features of an image and of a table, fused by a head with batch normalization, for a regression.
 *
 * concat: z = head([f_1; …; f_k]), L = MSE(z, y).  hybrid: L = δ MSE(z, y) + Σ_m w_m MSE(u_m, y), u_m = head_m(f_m)
 * two-scalars: z = Σ_m a_m u_m, u_m = head_m(a_m f_m), L = MSE(z, y), a_m learned from 1 on.  one-scalar: a = α for the last modality and 1 − α for the
 * first, which begins with 0 and gets gradients through α alone in the first step
 *
 * Values are outputs as they are: `loss: { output: 'identity' }`. With presence masks losses are over the samples that have the modality, features of absent ones are 0, and sums leave them out.
 * Modalities are concatenated in their order, image first for the authors. Any number of modalities but for `one-scalar`. The log has `scalars`: a_m.
 *
 * The validation loss is the mean over samples; in the released code over batches. That code saves the last weights for the best, and reports the best of three seeds.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, without validation in every epoch (but for `schedule: 'run'`) or with sigmoids.
 * @example
 * const method = misMe();
 * await train({ model, methods: [method], task: 'regression', loss: { output: 'identity' }, optimizer: { type: 'adam', learningRate: 0.05 }, … });
 * @see Rakib et al., MIS-ME: A Multi-Modal Framework for Soil Moisture Estimation (2024); released code, `model.py`, `train.py`
 */
export const misMe = defineMethod({
  name: 'mis-me',
  label: 'MIS-ME',
  summary: 'a normalized head on all features, with losses of each modality beside it',
  source: { paper: 'Rakib et al., MIS-ME, 2024', code: 'OSU-Complex-Systems/MIS-ME ee0ad1b' },
  recipe: recipes.misMe,
  needs: { task: 'regression', output: 'identity' },
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M, { rates: MisMeRates }> => {
    const { variant, fusedWeight, weights, schedule } = own;
    const common: Hooks<M, { rates: MisMeRates }> = {
      fusion: (given) => misMeFusion(given, own),
      init({ model: { modalities }, optimizer }) {
        if (typeof weights === 'object')
          assertEach(Object.keys(weights), { option: 'weights', method: 'MIS-ME', modalities });
        return { rates: beginRates(optimizer.learningRate) };
      },
      loss({ logits, unimodalLogits, scalars }: ScaledOutputs<M>, step): LossTerms {
        const { modalities } = step.model;
        const student = step.taskLoss(logits);
        if (scalars) {
          const values = readTogether(modalities.map((m) => scalars[m]));
          step.log({ scalars: perModality(modalities, (m) => values[modalities.indexOf(m)]?.[0] as number) });
        }
        if (variant !== 'hybrid') return { student, total: student };
        const single = perModality(modalities, (m) => step.taskLoss(unimodalLogits[m], m));
        const terms = modalities.map((m) => tf.mul(single[m], weightOf(weights, m)));
        const total = tf.addN([tf.mul(student, fusedWeight), ...terms]) as tf.Scalar;
        return { ...single, student, total };
      },
    };
    if (schedule === 'run') return common;
    return {
      ...common,
      needs: { task: 'regression', output: 'identity', validation: 'every-epoch' },
      plan(step) {
        // The loop begins every training with the optimizer's own.
        if (step.epoch === 1) step.optimizer.learningRate = FIRST_RATE;
        return {};
      },
      epoch(record, training, state) {
        const { fused: loss } = validationLosses('MIS-ME', record, ['fused']);
        const { rates, learningRate } = nextRate(state.rates, { epoch: record.epoch, loss });
        state.rates = rates;
        training.optimizer.learningRate = learningRate;
      },
    };
  },
});
