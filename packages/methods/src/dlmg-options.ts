import { z } from 'zod';
import { referenceOption } from './options.js';

const learning = z
  .strictObject({
    rate: z.number().min(0).default(1e-4).describe('η, of the weights'),
    halvedEvery: z.int().min(1).default(20).describe('after how many epochs η is halved, each time'),
    range: z
      .tuple([z.number().min(0).max(1), z.number().min(0).max(1)])
      .refine(([floor, ceiling]) => floor <= ceiling, { error: '[least, most], both in [0, 1]' })
      .readonly()
      .default([0.05, 0.95])
      .describe('least and most w_m'),
    held: z.int().min(1).default(16).describe('training samples that leave the training'),
    used: z
      .int()
      .min(1)
      .optional()
      .describe('how many of them the weights are learned on; default: all, official the first half'),
    parameter: z
      .string()
      .optional()
      .describe(
        "learnable: of which parameter q's mean is taken; default, as the released code: the model's first",
      ),
  })
  .refine(({ held, used = held }) => used <= held, {
    path: ['used'],
    error: 'no more than `held`',
  });

const weight = z.number().min(0);

/** How weights are learned where nothing is said. */
export const LEARNING = learning.parse({});

/** Options of DLMG. */
export const options = z
  .strictObject({
    schedule: z
      .enum(['heuristic', 'fitted', 'learnable', 'learnable-exact', 'fixed'])
      .default('heuristic')
      .describe(
        "of the weights; fitted: to CREMA-D, the released code's default; learnable: by a product with the Hessian, as released; learnable-exact: the gradient of the paper's problem",
      ),
    matching: z
      .enum(['contrastive', 'divergence'])
      .optional()
      .describe(
        "the paper's, of features, or the released code's, of predictions; default: that of `reference`",
      ),
    temperature: z
      .number()
      .positive()
      .optional()
      .describe('contrastive: τ of the cosines; default 1, the paper’s is not known to us'),
    width: z
      .int()
      .min(1)
      .optional()
      .describe(
        'for the fusion: a linear layer takes every feature vector to this width first, for encoders of different widths',
      ),
    start: z
      .strictObject({ classification: weight, matching: weight })
      .optional()
      .describe('w_c and w_m of `fixed`, and before `learnable` moves them; default 0.05 and 0.95'),
    factor: z
      .number()
      .positive()
      .optional()
      .describe('c of the loss; default 1, official 2, as in the released code'),
    learning: learning
      .optional()
      .describe(
        'how weights are learned; default: rate 1e-4, halvedEvery 20 epochs, range [0.05, 0.95], held 16 samples',
      ),
    reference: referenceOption.describe(
      'official, as the released code: divergence, loss times 2, the first half of the held samples, the first update on batch statistics, fitted weights beyond [0, 1]',
    ),
  })
  .refine(({ schedule, learning: given }) => given === undefined || schedule.startsWith('learnable'), {
    path: ['learning'],
    error: 'left out unless the schedule is "learnable" or "learnable-exact"',
  })
  .refine(({ schedule, start }) => start === undefined || !['heuristic', 'fitted'].includes(schedule), {
    path: ['start'],
    error: 'left out where the schedule is "heuristic" or "fitted"',
  })
  .refine(
    ({ matching, reference, temperature }) =>
      temperature === undefined ||
      (matching ?? (reference === 'official' ? 'divergence' : 'contrastive')) === 'contrastive',
    { path: ['temperature'], error: 'left out unless `matching` is "contrastive"' },
  );
