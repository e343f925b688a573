import { checkKeys, OptionError, perModality, type PerModality } from '@g2d/core';

/**
 * How one of three or more modalities is compared with the others. With two, all of them are the published rule.
 *
 * - `'pairwise'`: ρ_m = mean of s_m / s_j over the others, as the authors of OGM suggest.
 * - `'min'`: ρ_m = s_m / min_j s_j.
 * - `'others-sum'`: ρ_m = s_m / Σ_{j ≠ m} s_j, and only the modality with the highest score is slowed down, whatever
 *   its ρ_m.
 */
export type OgmComparison = 'pairwise' | 'min' | 'others-sum';

// Equal scores are in balance also where both are 0.
const ratio = (score: number, other: number): number => (score === other ? 1 : score / other);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const RATIOS: Readonly<Record<OgmComparison, (score: number, others: readonly number[]) => number>> = {
  pairwise: (score, others) => sum(others.map((other) => ratio(score, other))) / others.length,
  min: (score, others) => ratio(score, Math.min(score, ...others)),
  'others-sum': (score, others) => ratio(score, sum(others)),
};

/**
 * How much better each modality fits its batch than the others do.
 *
 * ρ_m = s_m / s_j with two modalities; see `OgmComparison` for more
 *
 * @param scores s_m: sum or mean over the batch of softmax(u_m)[y], for two modalities or more.
 * @throws {OptionError} If there are less than two modalities, or the comparison is unknown.
 * @example
 * ogmRatios({ audio: 6, visual: 4 }); // { audio: 1.5, visual: 0.667 }
 * @see Peng et al., "Balanced Multimodal Learning via On-the-fly Gradient Modulation", CVPR 2022
 */
export function ogmRatios<M extends string>(
  scores: PerModality<M, number>,
  multi: OgmComparison = 'pairwise',
): PerModality<M, number> {
  const modalities = Object.keys(scores) as M[];
  if (modalities.length < 2) {
    throw new OptionError(
      `OGM compares modalities with each other, but there is only ${modalities.join() || 'none'}. Give it two or more.`,
      { option: 'scores', value: modalities, accepted: 'two modalities or more' },
    );
  }
  const compare = RATIOS[multi];
  if (!compare) {
    const accepted = Object.keys(RATIOS).join(', ');
    throw new OptionError(`\`multi\` is "${String(multi)}". Use one of ${accepted}.`, {
      option: 'multi',
      value: multi,
      accepted,
    });
  }
  return perModality(modalities, (modality) =>
    compare(
      scores[modality],
      modalities.filter((other) => other !== modality).map((other) => scores[other]),
    ),
  );
}

/**
 * The factor κ_m of each modality's gradients.
 *
 * κ_m = 1 − tanh(α ρ_m) if ρ_m > 1, else 1
 *
 * With two modalities exactly one is slowed down, as in the released code: where both scores are equal, the first.
 *
 * @param scores s_m as for `ogmRatios`, in the modalities' order.
 * @param options `alpha`: α ≥ 0, strength of the modulation. `multi`: for three modalities or more.
 * @throws {OptionError} If there are less than two modalities, or an option is not accepted.
 * @example
 * ogmCoefficients({ audio: 6, visual: 4 }, { alpha: 0.8 }); // { audio: 0.166, visual: 1 }
 * @see Peng et al., CVPR 2022, Eq. 10, and its released code
 */
export function ogmCoefficients<M extends string>(
  scores: PerModality<M, number>,
  options: { readonly alpha: number; readonly multi?: OgmComparison },
): PerModality<M, number> {
  const { alpha, multi = 'pairwise' } = checkKeys(options, { alpha: true, multi: true }, 'ogmCoefficients');
  if (!(Number.isFinite(alpha) && alpha >= 0)) {
    throw new OptionError(
      `\`alpha\` is ${alpha}; it must be a finite number of at least 0. The authors use 0.8 for CREMA-D.`,
      { option: 'alpha', value: alpha, accepted: 'a finite number ≥ 0' },
    );
  }
  const ratios = ogmRatios(scores, multi);
  const modalities = Object.keys(scores) as M[];
  const highest = modalities.reduce((best, modality) => (scores[modality] > scores[best] ? modality : best));
  const slowed =
    modalities.length === 2 || multi === 'others-sum'
      ? [highest]
      : modalities.filter((modality) => ratios[modality] > 1);
  return perModality(modalities, (modality) =>
    slowed.includes(modality) ? 1 - Math.tanh(alpha * ratios[modality]) : 1,
  );
}
