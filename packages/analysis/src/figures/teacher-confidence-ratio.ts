import { UnknownModalityError } from '@g2d/core';
import type { EpochMetrics } from '../run.js';

/** A ratio in one epoch. */
export interface EpochRatio {
  /** Counts from 1. */
  readonly epoch: number;
  /** 1: equally confident. Infinity where the other modality's confidence is 0. */
  readonly ratio: number;
}

/**
 * How much more confident one modality's teacher is than another's, epoch by epoch: of two lines of Figure 3 the ratio. A student's
 * confidence over its teacher's is `confidenceRatio`.
 *
 * ρ_of / ρ_over, of the means of ρ (Eq. 5) that a run with SMP records
 *
 * @param metrics `metrics` of a run, from `readRun`.
 * @param of The modality above the line.
 * @param over The modality below.
 * @returns One entry for each epoch in which both have a confidence; none for a run that recorded none.
 * @throws {UnknownModalityError} If confidences were recorded, but never one of such a modality.
 * @example
 * const { metrics } = readRun('packages/analysis/fixtures/run-group/g2d');
 * const ratios = teacherConfidenceRatio(metrics, 'audio', 'image');
 * @see G2D, Fig. 3
 */
export function teacherConfidenceRatio(
  metrics: readonly EpochMetrics[],
  of: string,
  over: string,
): EpochRatio[] {
  const known = [...new Set(metrics.flatMap(({ confidence }) => Object.keys(confidence ?? {})))];
  for (const modality of [of, over]) {
    if (known.length === 0 || known.includes(modality)) continue;
    throw new UnknownModalityError({ modality, known, where: "The run's confidence" });
  }
  return metrics.flatMap(({ epoch, confidence }) => {
    const [above, below] = [confidence?.[of], confidence?.[over]];
    return above === undefined || below === undefined ? [] : [{ epoch, ratio: above / below }];
  });
}
