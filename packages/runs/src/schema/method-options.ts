import { z } from 'zod';
import { countSchema, positiveSchema, seedSchema } from './numbers.js';

const perModality = z.record(z.string(), z.number());
const scope = z.enum(['conv', 'encoder', 'encoder+head']).optional();

const distillation = {
  alpha: z.union([z.number().min(0), perModality]).optional(),
  featureReduction: z.enum(['mean', 'sum']).optional(),
};

const modulation = {
  alpha: z.number().min(0),
  epochs: z.tuple([positiveSchema, positiveSchema]).optional(),
  scope,
  multi: z.enum(['pairwise', 'others-sum', 'min']).optional(),
};

/** Options by method. */
export const methodOptionsSchema = z
  .object({
    smp: z
      .strictObject({
        phaseEpochs: z.array(countSchema).describe('τ_1 … τ_k in epochs.'),
        scope,
        onZero: z.enum(['zero', 'freeze']).optional(),
        suppression: z.enum(['complete', 'partial']).optional(),
        ranking: z
          .union([z.enum(['batch', 'epoch', 'dataset']), z.strictObject({ fixed: z.array(z.string()) })])
          .optional(),
        schedule: z.enum(['paper', 'released']).optional(),
        ties: z.enum(['together', 'order']).optional(),
        suppressedBatchNorm: z.enum(['training', 'inference']).optional(),
      })
      .optional(),
    'g2d-loss': z
      .strictObject({
        ...distillation,
        beta: z.union([z.number().min(0), perModality]).optional(),
        temperature: z.number().positive().optional(),
      })
      .optional(),
    umt: z
      .strictObject({
        lambda: z.union([z.number().min(0), perModality]).optional(),
        reduction: z.enum(['mean', 'sum']).optional(),
      })
      .optional(),
    ume: z.strictObject({ average: z.enum(['logits', 'probabilities']).optional() }).optional(),
    ogm: z.strictObject(modulation).optional(),
    'ogm-ge': z.strictObject({ ...modulation, seed: seedSchema.optional() }).optional(),
    mla: z
      .strictObject({
        order: z.array(z.string()).optional(),
        projection: z.enum(['off', 'scalar', 'released-elementwise']).optional(),
        weights: z.union([z.enum(['entropy', 'batch-entropy']), perModality]).optional(),
        width: positiveSchema.optional(),
        otherEncoders: z.enum(['freeze', 'zero']).optional(),
      })
      .optional(),
    'mm-pareto': z.strictObject({ gamma: z.number().positive().optional() }).optional(),
    mses: z
      .strictObject({
        patience: positiveSchema,
        form: z.enum(['paper', 'released']).optional(),
        weights: z.union([z.number().min(0), perModality]).optional(),
        epochs: z.tuple([positiveSchema, positiveSchema]).optional(),
      })
      .optional(),
    'linear-probe': z.strictObject({ heads: z.enum(['fused', 'each']).optional() }).optional(),
  })
  .catchall(z.record(z.string(), z.unknown()));
