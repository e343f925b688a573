import { checkOptions, defineMethod, type Hooks, type Method } from '@g2d/core';
import { deriveSeed } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { enhanceGradient, noisyGradient, type GradientNoise } from './gradient-noise.js';
import { modulate, options } from './ogm-modulation.js';
import { scopeNeeds } from './scope.js';
import * as recipes from './recipes.js';

const geOptions = options.extend({
  seed: z.int().optional().describe("of the noise; default: it follows from the training's"),
});

const facts = {
  source: { paper: 'Peng et al., CVPR 2022', code: 'OGM-GE_CVPR2022 343dc1d' },
  needs: { task: 'classification', modalities: { min: 2 } },
} as const;

/**
 * On-the-fly gradient modulation: in each step, the gradients of the modality that is ahead are made smaller.
 *
 * s_m = Σ_i softmax(u_m)_i[y_i],  ρ_m = s_m / s_j,  κ_m = 1 − tanh(α ρ_m) if ρ_m > 1, else 1,  g ← κ_m g
 *
 * Works on any loss and needs class labels and two modalities or more. The log has `scores` (s_m / B), `ratios` (ρ_m) and
 * `coefficients` (κ_m, 1 outside of `epochs`). With presence masks s_m / B is the mean over the samples that have the modality;
 * one that no sample of the batch has is not compared, and if fewer than two are left all κ_m are 1. Several processes that train
 * together compare the scores of all their batches.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if the scope contains no parameter of some modality.
 * @example
 * await train({ model, methods: [ogm({ alpha: 0.8, epochs: [1, 51] })], … });
 * @see Peng et al., "Balanced Multimodal Learning via On-the-fly Gradient Modulation", CVPR 2022, Eq. 10; G2D, Sec. 4
 */
export const ogm = defineMethod({
  name: 'ogm',
  label: 'OGM',
  summary: 'slows down the modality that is ahead, batch by batch',
  ...facts,
  recipe: recipes.ogm,
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M> => ({
    needs: { ...facts.needs, ...scopeNeeds(own.scope) },
    edit: (gradients, outputs, step) =>
      modulate(own, gradients, outputs, step, (gradient, coefficient) =>
        coefficient === 1 ? gradient : tf.mul(gradient, coefficient),
      ),
  }),
});

/**
 * OGM with generalization enhancement: `ogm`, and noise of each gradient's own standard deviation.
 *
 * g ← κ_m g + (std(g) + 1e-8) n,  n ~ N(0, 1),  std before scaling
 *
 * Every modality gets noise, also where κ_m = 1, in `epochs` only. The noise of a parameter depends on the seed, its
 * name, the epoch and the place of the batch in its epoch, so that a run which resumes at any step continues alike.
 *
 * @throws {OptionError} As `ogm`.
 * @example
 * await train({ model, methods: [ogmGe({ alpha: 0.8, epochs: [1, 51] })], … });
 * @see Peng et al., CVPR 2022; released code, `main.py`; G2D, Sec. 4
 */
export const ogmGe = defineMethod({
  name: 'ogm-ge',
  label: 'OGM-GE',
  summary: 'OGM, with noise added to the slowed gradients',
  ...facts,
  recipe: recipes.ogmGe,
  options: geOptions,
  create: <M extends string>(own: z.output<typeof geOptions>): Hooks<M, { readonly seed: number }> => ({
    needs: { ...facts.needs, ...scopeNeeds(own.scope) },
    init: ({ random }) => ({ seed: own.seed ?? random('ogm-ge/noise').integer(2 ** 32) }),
    edit: (gradients, outputs, step, { seed }) =>
      modulate(own, gradients, outputs, step, (gradient, coefficient, parameter) => {
        const stream = `gradient-noise/epoch-${step.epoch}/step-${step.batchIndex}/${parameter}`;
        return noisyGradient(gradient, { coefficient, seed: deriveSeed(seed, stream) });
      }),
  }),
});

/**
 * `ogmGe` with noise from elsewhere, for comparisons with other programs.
 *
 * @param noise Its tensors are left alone unless they were made in the call.
 */
export function ogmGeWithNoise<M extends string>(
  given: z.input<typeof options>,
  noise: GradientNoise,
): Method<M> {
  const own = checkOptions(options, given, ogmGe.name);
  return {
    ...ogm<M>(given),
    name: ogmGe.name,
    edit: (gradients, outputs, step) =>
      modulate(own, gradients, outputs, step, (gradient, coefficient, parameter) =>
        enhanceGradient(gradient, { coefficient, noise: noise(parameter, gradient.shape) }),
      ),
  };
}
