import { g2dLoss, type FeatureDistillationOptions } from '@g2d/distill';
import { OptionError, type PerModality } from '@g2d/core';
import type { Method } from '@g2d/trainer';

/** Settings of `umt`. */
export interface UmtOptions<M extends string = string> {
  /** λ ≥ 0, weight of the distances, one for all or one for each modality. Default 1, as the released code of G2D. */
  readonly lambda?: number | PerModality<M, number>;
  /**
   * `'mean'` (default): over batch and features, as the released code of G2D. `'sum'`: ‖f_m − f_m^T‖², averaged over the batch. With
   * features of width D it is D times as large, so λ = 1 of one is λ = D of the other.
   */
  readonly reduction?: NonNullable<FeatureDistillationOptions['reduction']>;
}

const REDUCTIONS = ['mean', 'sum'];

/**
 * UMT: each encoder is held close to the features of its own teacher; the teachers' logits have no part in it.
 *
 * L = L_S + λ Σ_m D(f_m, f_m^T),  D: mean of the squared differences, or with `reduction: 'sum'` the squared norm
 *
 * The loss of `g2dDistillation` with β = 0. It stacks with gradient edits, such as `modalityPrioritization`.
 *
 * @throws {OptionError} If a setting is not accepted.
 * @example
 * await train({ model, methods: [umt({ lambda: 50 })], teachers, … });
 * @see Du et al., On Uni-Modal Feature Learning in Supervised Multi-Modal Learning (2023); G2D, Sec. 4 and Table 4
 */
export function umt<M extends string>({
  lambda = 1,
  reduction = 'mean',
}: UmtOptions<NoInfer<M>> = {}): Method<M> {
  const weights: readonly unknown[] = typeof lambda === 'object' ? Object.values(lambda) : [lambda];
  const wrong = weights.find((weight) => !(Number.isFinite(weight) && (weight as number) >= 0));
  if (wrong !== undefined || weights.length === 0) {
    throw new OptionError(
      `\`lambda\` is ${String(wrong)}; expected a finite number of at least 0, or one for each modality. The released code of G2D has 1.`,
      { option: 'lambda', value: lambda, accepted: 'a finite number ≥ 0' },
    );
  }
  if (!REDUCTIONS.includes(reduction)) {
    throw new OptionError(
      `\`reduction\` is "${String(reduction)}"; it must be one of ${REDUCTIONS.join(', ')}.`,
      { option: 'reduction', value: reduction, accepted: REDUCTIONS.join(', ') },
    );
  }
  const options = { alpha: lambda, beta: 0, featureReduction: reduction };
  return {
    name: 'umt',
    teachers: 'unimodal',
    loss({ task, batch: { labels, present }, teachers }, { logits, features }) {
      const inputs = { labels, student: { logits, features }, teachers, ...(present && { present }) };
      const { total, student, feature } = g2dLoss<M>(inputs, { ...options, task });
      return { total, student, feature };
    },
  };
}
