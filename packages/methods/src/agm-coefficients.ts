import { checkKeys, perModality, type PerModality } from '@g2d/core';

/**
 * How far each modality is ahead of the others by its mean loss: above 1 it is ahead, and for two modalities exp(the other's − its own).
 *
 * r_m = exp(k / (k − 1) · (mean_j S_j − S_m))
 *
 * @param scores S_m; those that are NaN are no part of the mean, and their ratio is NaN.
 * @param known Scores that say which are compared. Default: `scores`.
 * @see Li et al., AGM (ICCV 2023), Eq. 7
 */
export function agmRatios<M extends string>(
  scores: PerModality<M, number>,
  known: PerModality<M, number> = scores,
): PerModality<M, number> {
  const all = Object.keys(scores) as M[];
  const there = all.filter((m) => !Number.isNaN(known[m]));
  const k = there.length;
  const mean = there.reduce((sum, m) => sum + scores[m], 0) / k;
  return perModality(all, (m) => {
    if (!there.includes(m)) return NaN;
    return k === 1 ? 1 : Math.exp((k / (k - 1)) * (mean - scores[m]));
  });
}

/**
 * What the gradient through each modality's part is multiplied by.
 *
 * c_m = exp(α min(t_m − r_m, cap)), 1 for a modality that is not compared
 *
 * @see Li et al., AGM (ICCV 2023), Eq. 9 and 10
 */
export function agmCoefficients<M extends string>(
  { ratios, targets }: { readonly ratios: PerModality<M, number>; readonly targets: PerModality<M, number> },
  options: { readonly alpha: number; readonly cap?: number },
): Record<M, number> {
  const { alpha, cap = Infinity } = checkKeys(options, { alpha: true, cap: true }, 'agmCoefficients');
  return perModality(Object.keys(ratios) as M[], (m) =>
    Number.isNaN(ratios[m]) ? 1 : Math.exp(alpha * Math.min(targets[m] - ratios[m], cap)),
  );
}
