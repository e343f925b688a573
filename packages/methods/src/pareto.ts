import * as tf from '@tensorflow/tfjs-core';

/** Products of two gradients: of the multimodal loss (mm) and of a modality's own (uni). */
export interface GradientProducts {
  /** ⟨g_mm, g_mm⟩. */
  readonly multimodal: number;
  /** ⟨g_mm, g_uni⟩. */
  readonly cross: number;
  /** ⟨g_uni, g_uni⟩. */
  readonly unimodal: number;
}

/** Weights a of the multimodal and b of the unimodal gradient, a + b = 1. */
export interface ParetoWeights {
  readonly a: number;
  readonly b: number;
}

/**
 * How to combine two gradients of one encoder.
 *
 * Without conflict (⟨g_mm, g_uni⟩ > 0) a = b = ½; otherwise those that make ‖a g_mm + b g_uni‖ smallest, kept within
 * [0.001, 0.999] as the released solver does.
 *
 * @see Wei and Hu, MMPareto (ICML 2024), Eq. 4; released code, `min_norm_solvers.py`
 */
export function paretoWeights({ multimodal, cross, unimodal }: GradientProducts): ParetoWeights {
  const a = weight();
  return { a, b: 1 - a };

  function weight(): number {
    if (cross > 0) return 0.5;
    if (cross >= multimodal) return 0.999;
    if (cross >= unimodal) return 0.001;
    return (unimodal - cross) / (multimodal + unimodal - 2 * cross);
  }
}

/**
 * What one tensor's combined gradient h = 2 (a g_mm + b g_uni) is multiplied by, so that it is no shorter than the plain sum.
 *
 * γ max(1, ‖g_mm + g_uni‖ / ‖h‖)
 *
 * @param products Those of this tensor. A combination of length 0 keeps it.
 */
export function paretoScale(
  { multimodal, cross, unimodal }: GradientProducts,
  { a, b }: ParetoWeights,
  gamma: number,
): number {
  const sum = Math.sqrt(Math.max(0, multimodal + 2 * cross + unimodal));
  const combined = 2 * Math.sqrt(Math.max(0, a * a * multimodal + 2 * a * b * cross + b * b * unimodal));
  return combined === 0 ? gamma : gamma * Math.max(1, sum / combined);
}

/** The two gradients of one tensor; `null` where a loss does not reach it. */
interface GradientPair {
  readonly multimodal: tf.Tensor | null;
  readonly unimodal: tf.Tensor | null;
}

/** Products of each tensor's two gradients, 0 where there are not both; read back at once. */
export function productsOf(pairs: readonly GradientPair[]): GradientProducts[] {
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

/** Products of several tensors taken as one. */
export const sumOf = (products: readonly GradientProducts[]): GradientProducts =>
  products.reduce(
    (total, each) => ({
      multimodal: total.multimodal + each.multimodal,
      cross: total.cross + each.cross,
      unimodal: total.unimodal + each.unimodal,
    }),
    { multimodal: 0, cross: 0, unimodal: 0 },
  );
