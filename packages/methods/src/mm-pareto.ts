import { studentLoss } from '@g2d/distill';
import { concatFusion, lateFusion, type FusionOptions, type MultimodalModel } from '@g2d/fusion';
import { OptionError, perModality, type NamedGradient, type PerModality } from '@g2d/core';
import type { Method } from '@g2d/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { paretoScale, paretoWeights, type GradientProducts, type ParetoWeights } from './pareto.js';
import { presentLoss, presentSamples } from './present-loss.js';
import { separateHeads } from './separate-heads.js';

/** Settings of `mmPareto`. */
export interface MmParetoOptions {
  /** γ > 0: lengthens all gradients of the encoders. Default 1.5, which the released code has built in. */
  readonly gamma?: number;
}

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
 *
 * @throws {OptionError} If γ is not above 0; in the first step if the unimodal heads take part in the fused logits.
 * @example
 * await train({ model, methods: [mmPareto()], … });
 * @see Wei and Hu, MMPareto (ICML 2024); G2D, Sec. 4
 */
export function mmPareto<M extends string>({ gamma = 1.5 }: MmParetoOptions = {}): Method<M> {
  if (!(gamma > 0 && Number.isFinite(gamma))) {
    throw new OptionError(
      `\`gamma\` is ${gamma}; expected a finite number above 0. The paper's code has 1.5.`,
      {
        option: 'gamma',
        value: gamma,
        accepted: 'a finite number > 0',
      },
    );
  }
  let weights: PerModality<M, number>;
  return {
    name: 'mm-pareto',
    fusion: <K extends M>(options: FusionOptions<K>) =>
      separateHeads(concatFusion(options), lateFusion(options)),
    trainStep(step) {
      const { model, task, batch } = step;
      const { labels } = batch;
      let outputs = undefined as ReturnType<typeof step.forward> | undefined;
      const fused = step.differentiate(() => {
        outputs = step.forward();
        return { total: studentLoss(labels, outputs.logits, { task }) };
      });
      assertSeparateHeads(model, fused.gradients);
      const own = step.differentiate(() => {
        const { unimodalLogits } = step.forward({ runningStatistics: 'keep' });
        const losses = model.modalities.map(
          (modality) => [modality, presentLoss(step, modality, unimodalLogits[modality])] as const,
        );
        const total = tf.addN(losses.map(([, loss]) => loss)) as tf.Scalar;
        return { ...Object.fromEntries(losses), total };
      });

      const pairs = fused.gradients.map(({ name, tensor }, i) => ({
        name,
        modality: encoderOf(model, name),
        multimodal: tensor,
        unimodal: own.gradients[i]?.tensor ?? null,
      }));
      const products = productsOf(pairs);
      const found = {} as Record<M, ParetoWeights>;
      for (const modality of model.modalities) {
        found[modality] = paretoWeights(sum(products.filter((_, i) => pairs[i]?.modality === modality)));
      }
      step.optimizer.applyGradients(
        pairs.map(({ name, modality, multimodal, unimodal }, i): NamedGradient => {
          // A head has one of the two only.
          if (modality === undefined || !multimodal || !unimodal)
            return { name, tensor: multimodal ?? unimodal };
          const { a, b } = found[modality];
          const scale = 2 * paretoScale(products[i] as GradientProducts, found[modality], gamma);
          return { name, tensor: tf.add(tf.mul(multimodal, scale * a), tf.mul(unimodal, scale * b)) };
        }),
      );
      const present = model.modalities.filter((modality) => presentSamples(batch, modality)?.length !== 0);
      weights = perModality(model.modalities, (modality) =>
        present.includes(modality) ? found[modality].a : NaN,
      );
      const student = fused.loss['total'] as number;
      const total = student + (own.loss['total'] as number);
      const others = perModality<string, number>(present, (modality) => own.loss[modality] as number);
      return { loss: { total, student, ...others }, outputs: outputs as NonNullable<typeof outputs> };
    },
    // The share of the multimodal gradient, ½ without conflict; no number for a modality that no sample of the batch has.
    stepLog: () => ({ multimodalWeight: weights }),
  };
}

/** The modality whose encoder a variable belongs to. */
function encoderOf<M extends string>(model: MultimodalModel<M>, variable: string): M | undefined {
  const group = model.groups().get(variable);
  return group?.role === 'head' ? undefined : group?.modality;
}

/** Products of each tensor's two gradients, 0 where there are not both; read back at once. */
function productsOf(
  pairs: readonly { readonly multimodal: tf.Tensor | null; readonly unimodal: tf.Tensor | null }[],
): GradientProducts[] {
  const product = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.sum(tf.mul(x, y));
  const rows = tf.stack(
    pairs.map(({ multimodal, unimodal }) =>
      multimodal && unimodal
        ? tf.stack([
            product(multimodal, multimodal),
            product(multimodal, unimodal),
            product(unimodal, unimodal),
          ])
        : tf.zeros([3]),
    ),
  );
  const numbers = rows.arraySync() as [number, number, number][];
  return numbers.map(([multimodal, cross, unimodal]) => ({ multimodal, cross, unimodal }));
}

const sum = (products: readonly GradientProducts[]): GradientProducts =>
  products.reduce(
    (total, each) => ({
      multimodal: total.multimodal + each.multimodal,
      cross: total.cross + each.cross,
      unimodal: total.unimodal + each.unimodal,
    }),
    { multimodal: 0, cross: 0, unimodal: 0 },
  );

function assertSeparateHeads<M extends string>(
  model: MultimodalModel<M>,
  gradients: readonly NamedGradient[],
): void {
  const heads = [...model.groups()].filter(([, { role }]) => role === 'head').map(([name]) => name);
  const fusedHead = gradients.find(({ name, tensor }) => tensor && heads.includes(name));
  if (heads.length > 0 && !fusedHead) return;
  throw new OptionError(
    'MMPareto needs a head for each modality beside the fused one, and the model has none such. Build its fusion with `separateHeads(concatFusion(…), lateFusion(…))`.',
    { option: 'model', value: fusedHead?.name, accepted: 'separate unimodal heads' },
  );
}
