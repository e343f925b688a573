import { defineMethod, OptionError, perModality, type Gradients, type Hooks } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { paretoScale, paretoWeights, productsOf, sumOf, type GradientProducts } from './pareto.js';
import { separateLinearHeads } from './separate-heads.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  gamma: z
    .number()
    .positive()
    .default(1.5)
    .describe('γ lengthens all gradients of the encoders; the released code has 1.5 built in'),
});

/**
 * MMPareto: the gradients that the fused loss and a modality's own loss give its encoder are combined so that neither is
 * worked against.
 *
 * L_0 = CE(z, y), L_m = CE(u_m, y); for each encoder a, b from `paretoWeights`, for each of its tensors
 * g ← γ λ h,  h = 2 a ∇L_0 + 2 b ∇L_m,  λ = max(1, ‖∇L_0 + ∇L_m‖ / ‖h‖). Heads keep the gradient of L_0 + Σ_m L_m.
 *
 * The model needs heads of each modality beside the fused one: `separateHeads`; the hook `fusion` makes a fused head on the
 * concatenated features and linear ones beside it. A step costs two forward and two backward passes (the unimodal losses share one,
 * since each reaches its own encoder and head alone); batch statistics count once, dropout is drawn for each pass. Any k; regressions
 * too. With presence masks L_m is over the samples that have the modality; an encoder whose modality no sample has gets no gradient.
 * The log has `multimodalWeight`: a, the share of the multimodal gradient, ½ without conflict.
 *
 * @throws {OptionError} If γ is not above 0; in the first step if the unimodal heads take part in the fused logits.
 * @example
 * await train({ model, methods: [mmPareto()], … });
 * @see Wei and Hu, MMPareto (ICML 2024); G2D, Sec. 4
 */
export const mmPareto = defineMethod({
  name: 'mm-pareto',
  label: 'MMPareto',
  summary: 'seeks a step that helps the fused and the single losses',
  source: { paper: 'Wei and Hu, ICML 2024', code: 'MMPareto_ICML2024 a339db3' },
  recipe: recipes.mmPareto,
  options,
  create: <M extends string>({ gamma }: z.output<typeof options>): Hooks<M> => ({
    fusion: separateLinearHeads,
    step(step) {
      const { modalities } = step.model;
      const fused = step.valueAndGrads(() => {
        const outputs = step.forward();
        return { loss: { total: step.taskLoss(outputs.logits) }, outputs };
      });
      assertSeparateHeads(fused.gradients);
      const own = step.valueAndGrads(() => {
        const outputs = step.forward({ runningStatistics: 'keep' });
        const losses = perModality(modalities, (m) => step.taskLoss(outputs.unimodalLogits[m], m));
        const total = tf.addN(modalities.map((m) => losses[m])) as tf.Scalar;
        return { loss: { ...losses, total }, outputs };
      });

      const pairs = fused.gradients.map((gradient, i) => {
        const { parameter, tensor: multimodal } = gradient;
        const encoder = parameter.role === 'head' ? undefined : parameter.modality;
        return { gradient, encoder, multimodal, unimodal: own.gradients[i]?.tensor ?? null };
      });
      const products = productsOf(pairs);
      const weights = perModality(modalities, (m) =>
        paretoWeights(sumOf(products.filter((_, i) => pairs[i]?.encoder === m))),
      );
      step.update(
        pairs.map(({ gradient, encoder, multimodal, unimodal }, i) => {
          // A head has one of the two only.
          if (encoder === undefined || !multimodal || !unimodal)
            return { ...gradient, tensor: multimodal ?? unimodal };
          const { a, b } = weights[encoder];
          const scale = 2 * paretoScale(products[i] as GradientProducts, weights[encoder], gamma);
          return { ...gradient, tensor: tf.add(tf.mul(multimodal, scale * a), tf.mul(unimodal, scale * b)) };
        }),
        fused.outputs,
      );
      const there = modalities.filter((m) => step.presentSamples[m] > 0);
      step.log({
        multimodalWeight: perModality(modalities, (m) => (there.includes(m) ? weights[m].a : NaN)),
      });
      const student = fused.losses['total'] as number;
      const total = student + (own.losses['total'] as number);
      const others = perModality<string, number>(there, (m) => own.losses[m] as number);
      return { losses: { total, student, ...others }, outputs: fused.outputs };
    },
  }),
});

/** @param gradients Of the fused loss. */
function assertSeparateHeads<M extends string>(gradients: Gradients<M>): void {
  const heads = gradients.filter(({ parameter }) => parameter.role === 'head');
  const fusedHead = heads.find(({ tensor }) => tensor);
  if (heads.length > 0 && !fusedHead) return;
  throw new OptionError(
    'MMPareto needs a head for each modality beside the fused one, and the model has none such. Build its fusion with `separateHeads(concatFusion(…), lateFusion(…))`.',
    { option: 'model', value: fusedHead?.name, accepted: 'separate unimodal heads' },
  );
}
