import { defineMethod, perModality, type Hooks } from '@g2d/core';
import { g2dLoss, type G2DLossOptions } from '@g2d/distill';
import { z } from 'zod';
import { weightOption } from './options.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  alpha: weightOption
    .default(1)
    .describe('weight α of the feature losses, one for all modalities or one for each'),
  beta: weightOption.default(1).describe('weight β of the logit losses; 0 is UMT'),
  temperature: z.number().positive().default(1).describe('divides the logits that are compared'),
  featureReduction: z
    .enum(['mean', 'sum'])
    .default('mean')
    .describe('of the squared differences of features'),
});

/**
 * Training with the loss of G2D: features and logits of the unimodal teachers are distilled into the student.
 *
 * L = L_S + Σ_m α_m L_feat^m + Σ_m β_m L_logit^m
 *
 * The task is the training's.
 *
 * @throws {OptionError} If a setting is not accepted.
 * @see G2D, Sec. 3.1, Eq. 4
 */
export const g2dDistillation = defineMethod({
  name: 'g2d-loss',
  label: 'G2D loss',
  summary: 'learns from the teachers, no modality goes first',
  source: { paper: 'G2D, ICCV 2025, Eq. 4' },
  needs: { teachers: 'unimodal' },
  recipe: recipes.g2dDistillation,
  options,
  create: <M extends string>(weights: z.output<typeof options>): Hooks<M> => ({
    loss({ logits, features }, step) {
      const { model, task, output, teacherOutputs: teachers } = step;
      const { labels, present } = step.batch;
      const student = { logits, features };
      // Means over the whole batch, also where it is spread over processes or accumulated.
      const taskLoss = step.taskLoss(logits);
      const shares = perModality(model.modalities, (modality) => step.share(modality));
      return {
        ...g2dLoss<M>(
          { labels, student, teachers, taskLoss, shares, ...(present && { present }) },
          { ...(weights as G2DLossOptions<M>), task, output },
        ),
      };
    },
  }),
});
