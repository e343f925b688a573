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
  samples: (modality: M) => number,
): EpochTotals<M> =>
  perModality(Object.keys(totals) as M[], (modality) => {
    const [rho, total] = [confidence[modality], totals[modality]];
    if (rho === null) return total;
    const weight = samples(modality);
    return { sum: total.sum + weight * rho, samples: total.samples + weight };
  });

/** The mean over an epoch, or over another one if a modality was in no sample of the first. */
export const meanOfTotals = ({ sum, samples }: Total, otherwise: Total): number =>
  samples > 0 ? sum / samples : otherwise.sum / otherwise.samples;
