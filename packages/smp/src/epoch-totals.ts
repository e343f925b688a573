import { perModality, type PerModality } from '@g2d/core';

/** Sums of confidences over the updates of an epoch, from which their means come. */
export type EpochTotals<M extends string> = PerModality<M, Total>;

/** Σ samples · ρ, and Σ samples. */
export interface Total {
  readonly sum: number;
  readonly samples: number;
}

export const noTotals = <M extends string>(modalities: readonly M[]): EpochTotals<M> =>
  perModality(modalities, () => ({ sum: 0, samples: 0 }));

/** Adds an update; a modality that no sample of its batch has (`null`) stays as it is. */
export const addToTotals = <M extends string>(
  totals: EpochTotals<M>,
  confidence: PerModality<M, number | null>,
  samplesOf: (modality: M) => number,
): EpochTotals<M> =>
  perModality(Object.keys(totals) as M[], (modality) => {
    const rho = confidence[modality];
    const { sum, samples } = totals[modality];
    const weight = rho === null ? 0 : samplesOf(modality);
    return { sum: sum + weight * (rho ?? 0), samples: samples + weight };
  });

/** The mean over an epoch, or over another one if a modality was in no sample of the first. */
export const meanOfTotals = (totals: Total, otherwise: Total): number => {
  const { sum, samples } = totals.samples ? totals : otherwise;
  return sum / samples;
};
