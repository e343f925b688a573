import { perModality, type Gradients, type Outputs, type Step } from '@g2d/core';
import { trueClassProbability } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { classIds } from './class-ids.js';
import { ogmCoefficients, ogmRatios } from './ogm-coefficients.js';
import { isInside, windowOption } from './options.js';
import { inScope, scopeOption } from './scope.js';

/** Options of OGM. */
export const options = z.strictObject({
  alpha: z.number().min(0).describe('strength α; the authors have 0.8 for CREMA-D and 0.1 for VGGSound'),
  epochs: windowOption
    .optional()
    .describe(
      'first and last epoch of the modulation, from 1; default: all. The 0 to 50 of the released code are [1, 51]',
    ),
  scope: scopeOption('conv'),
  multi: z
    .enum(['pairwise', 'others-sum', 'min'])
    .default('pairwise')
    .describe('how one of three modalities or more is compared with the others'),
});

/** What happens to a gradient g, given κ and the name of its parameter. */
type Change = (gradient: tf.Tensor, coefficient: number, parameter: string) => tf.Tensor;

/** s_m, ρ_m and κ_m of a step, into the log; then every gradient in the scope is changed. */
export function modulate<M extends string>(
  { alpha, epochs = [1, Infinity], scope, multi }: z.output<typeof options>,
  gradients: Gradients<M>,
  { unimodalLogits }: Outputs<M>,
  step: Step<M>,
  change: Change,
): Gradients<M> {
  const { model, batch, epoch } = step;
  const modulates = isInside(epoch, epochs);
  const scores = step.meanByModality(
    perModality(model.modalities, (modality) =>
      trueClassProbability(classIds(batch), unimodalLogits[modality]),
    ),
  );
  const there = model.modalities.filter((modality) => !Number.isNaN(scores[modality]));
  const compared = there.length > 1 && perModality(there, (modality) => scores[modality]);
  const ratios = {
    ...perModality(model.modalities, () => NaN),
    ...(compared && ogmRatios(compared, multi)),
  };
  const coefficients = {
    ...perModality(model.modalities, () => 1),
    ...(compared && modulates && ogmCoefficients(compared, { alpha, multi })),
  };
  step.log({ scores, ratios, coefficients });
  if (!modulates) return gradients;
  return gradients.map((gradient) => {
    const { parameter, tensor } = gradient;
    const modality = inScope(parameter, scope);
    if (!tensor || modality === undefined) return gradient;
    return { ...gradient, tensor: tf.tidy(() => change(tensor, coefficients[modality], parameter.name)) };
  });
}
