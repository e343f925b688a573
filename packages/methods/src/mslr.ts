import { defineMethod, perModality, type Hooks } from '@g2d/core';
import { z } from 'zod';
import { assertEach, isInside, windowOption } from './options.js';
import { validationLosses } from './validation-losses.js';
import * as recipes from './recipes.js';

const options = z
  .strictObject({
    strategy: z
      .enum(['keep', 'smooth', 'dynamic'])
      .default('dynamic')
      .describe(
        "keep: the factors as they are; smooth: from them to 1; dynamic: times how a modality's own validation score moves",
      ),
    factors: z
      .record(z.string(), z.number().positive())
      .optional()
      .describe(
        "by what each modality's learning rate differs from the run's; default: 1. The paper takes the rates that were best for each alone; AGM's code has 0.9 and 1.1 for CREMA-D, 1.3 and 0.7 for AV-MNIST, 0.9, 1.4 and 0.7 for UR-Funny",
      ),
    memory: z.int().min(1).default(5).describe('dynamic: with how many epochs an epoch is compared'),
    smoothEpochs: z
      .int()
      .min(1)
      .optional()
      .describe('smooth: after how many epochs every factor is 1; default: those of the training'),
    epochs: windowOption.optional().describe('first and last epoch in which it acts, from 1; default: all'),
    scoreOf: z
      .record(z.string(), z.string())
      .optional()
      .describe(
        "dynamic: whose score counts for a modality; the released code for CREMA-D counts audio where visual is right: { audio: 'visual' }",
      ),
  })
  .refine(({ strategy, smoothEpochs }) => strategy === 'smooth' || smoothEpochs === undefined, {
    path: ['smoothEpochs'],
    error: 'left out unless "strategy" is "smooth"',
  })
  .refine(({ strategy, scoreOf }) => strategy === 'dynamic' || scoreOf === undefined, {
    path: ['scoreOf'],
    error: 'left out unless "strategy" is "dynamic"',
  });

interface State<M extends string> {
  /** Scores of the last epochs; larger is better. */
  memory: Record<M, number[]>;
  /** r_m of the next epoch. */
  ratios: Record<M, number>;
}

/**
 * MSLR: every modality has a learning rate of its own.
 *
 * g ← a_m r_m(e) g for the encoder and the head of m, L = CE(z, y)
 *
 * `keep`: r_m = 1. `smooth`: a_m goes to 1, in equal steps (the paper's formula is not known to us). `dynamic`: r_m(e + 1) = acc_m(e) / mean of acc_m in the `memory`
 * epochs before e, 1 until so many are known; it does not accumulate. For a regression acc_m is 1 / the validation loss. Gradients are scaled, as in the
 * code that later papers ran, so weight decay is not. A mean of 0 changes nothing. Any fusion; what all modalities share has the run's rate. With all factors 1 and
 * `keep` the training is joint training, bit for bit. The log has `rateFactors`.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if `factors` or `scoreOf` name no modality; after an epoch without validation scores.
 * @example
 * await train({ model, methods: [mslr({ factors: { audio: 0.9, visual: 1.1 } })], evaluate, … });
 * @see Yao and Mihalcea, Modality-specific Learning Rates for Effective Multimodal Additive Late-fusion (ACL Findings 2022); dynamic: code of AGM (ICCV 2023)
 */
export const mslr = defineMethod({
  name: 'mslr',
  label: 'MSLR',
  summary: 'every modality has a learning rate of its own',
  source: { paper: 'Yao and Mihalcea, ACL Findings 2022', code: 'AGM_ICCV2023 5a65542' },
  needs: { validation: 'every-epoch' },
  recipe: recipes.mslr,
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M, State<M>> => {
    const { strategy, memory, epochs = [1, Infinity], scoreOf = {} } = own;
    const given = (m: M): number => own.factors?.[m] ?? 1;
    return {
      needs: strategy === 'dynamic' ? { validation: 'every-epoch' } : {},
      init({ model: { modalities } }) {
        if (own.factors)
          assertEach(Object.keys(own.factors), { option: 'factors', method: 'MSLR', modalities });
        for (const m of Object.entries(scoreOf).flat())
          if (!modalities.includes(m as M))
            assertEach([m], { option: 'scoreOf', method: 'MSLR', modalities });
        return { memory: perModality(modalities, () => []), ratios: perModality(modalities, () => 1) };
      },
      plan(step, { ratios }) {
        const { epoch, model, epochs: length } = step;
        const rest = Math.max(0, 1 - (epoch - 1) / (own.smoothEpochs ?? length));
        const factors = perModality(model.modalities, (m) => {
          if (!isInside(epoch, epochs)) return 1;
          return strategy === 'smooth' ? 1 + (given(m) - 1) * rest : given(m) * ratios[m];
        });
        step.log({ rateFactors: factors });
        return { coefficient: ({ modality }) => (modality === undefined ? 1 : factors[modality]) };
      },
      ...(strategy === 'dynamic' &&
        ({
          epoch(record, { task, model: { modalities } }, state) {
            const losses = validationLosses('MSLR', record, modalities);
            const scoreIn = (m: string): number =>
              task === 'regression'
                ? 1 / Math.max(losses[m as M], 1e-12)
                : (record.validation?.[m] as number);
            for (const m of modalities) {
              const score = scoreIn(scoreOf[m] ?? m);
              const known = state.memory[m];
              const mean = known.reduce((sum, each) => sum + each, 0) / known.length;
              state.ratios[m] = known.length < memory || mean === 0 ? 1 : score / mean;
              state.memory[m] = [...known, score].slice(-memory);
            }
          },
        } satisfies Hooks<M, State<M>>)),
    };
  },
});
