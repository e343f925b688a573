import { defineMethod, type Hooks } from '@g2d/core';
import { z } from 'zod';
import { multitaskLoss } from './multitask-loss.js';
import { separateLinearHeads } from './separate-heads.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  heads: z
    .enum(['fused', 'each'])
    .default('fused')
    .describe("the fusion's own heads, or also a linear one for each modality, with a loss of its own"),
});

/**
 * Linear probe: the encoders stay as they are, bit for bit, in inference mode, and only the fusion trains. What linear heads can make of
 * features that were learned before.
 *
 * With `heads: 'each'` L = CE(z, y) + Σ_m CE(u_m, y), so that the unimodal scores are those of linear probes too; the hook `fusion` makes
 * such heads.
 *
 * The encoders' weights come from other trainings: give the model the very encoders of the teachers or of a joint model, or copy
 * their weights with `copyEncoders`.
 *
 * Whether UMT or UME suits a dataset is decided by a probe of the teachers' encoders with `concatFusion`: if it is better than
 * `teacherEnsemble` on the validation split, paired features matter and UMT is the one to take, otherwise UME.
 *
 * @throws {OptionError} If `heads` is another.
 * @example
 * const model = new MultimodalModel({ encoders: { audio, image }, fusion: concatFusion(options) });
 * await train({ model, methods: [linearProbe()], … });
 * @see G2D, Sec. 4; the rule: Du et al., On Uni-Modal Feature Learning in Supervised Multi-Modal Learning (2023)
 */
export const linearProbe = defineMethod({
  name: 'linear-probe',
  label: 'Linear probe',
  summary: 'the teachers’ encoders, frozen, with a new output layer',
  source: { paper: 'Du et al. 2023' },
  recipe: recipes.linearProbe,
  options,
  create: <M extends string>({ heads }: z.output<typeof options>): Hooks<M> => ({
    plan: () => ({
      coefficient: ({ role }) => (role === 'head' || role === 'shared' ? 1 : null),
      inference: () => true,
    }),
    ...(heads === 'each' && { fusion: separateLinearHeads, loss: multitaskLoss }),
  }),
});
