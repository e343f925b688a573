import { defineMethod, perModality, type Hooks } from '@g2d/core';
import { g2dLoss } from '@g2d/distill';
import { z } from 'zod';
import { weightOption } from './options.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  lambda: weightOption
    .default(1)
    .describe(
      'weight λ of the distances, one for all modalities or one for each; the released code of G2D has 1',
    ),
  reduction: z
    .enum(['mean', 'sum'])
    .default('mean')
    .describe(
      'of the squared differences: mean over batch and features, as the released code of G2D, or their sum for each sample: with features of width D that is D times as large',
    ),
});

/**
 * UMT: each encoder is held close to the features of its own teacher; the teachers' logits have no part in it.
 *
 * L = L_S + λ Σ_m D(f_m, f_m^T),  D: mean of the squared differences, or with `reduction: 'sum'` the squared norm
 *
 * The loss of `g2dDistillation` with β = 0. It stacks with gradient edits, such as `modalityPrioritization`.
 *
 * @throws {OptionError} If a setting is not accepted.
 * @example
 * await train({ model, methods: [umt({ lambda: 50 })], teachers, … });
 * @see Du et al., On Uni-Modal Feature Learning in Supervised Multi-Modal Learning (2023); G2D, Sec. 4 and Table 4
 */
export const umt = defineMethod({
  name: 'umt',
  label: 'UMT',
  summary: 'learns from the teachers’ features',
  source: { paper: 'Du et al. 2023' },
  needs: { teachers: 'unimodal' },
  recipe: recipes.umt,
  options,
  create: <M extends string>({ lambda, reduction }: z.output<typeof options>): Hooks<M> => ({
    loss({ logits, features }, step) {
      const { model, task, output, teacherOutputs: teachers } = step;
      const { labels, present } = step.batch;
      // With the weights of classes, and over the whole batch, also where it is spread over processes or accumulated.
      const taskLoss = step.taskLoss(logits);
      const shares = perModality(model.modalities, (modality) => step.share(modality));
      const { total, student, feature } = g2dLoss<string>(
        { labels, student: { logits, features }, teachers, taskLoss, shares, ...(present && { present }) },
        { alpha: lambda, beta: 0, featureReduction: reduction, task, output },
      );
      return { total, student, feature };
    },
  }),
});
