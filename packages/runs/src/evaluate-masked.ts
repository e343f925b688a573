import { missingModalities, missingShare, someSamples } from '@g2d/datasets';
import type { MultimodalDataset, Scores } from '@g2d/core';
import type { EvaluateOptions, Predictor } from '@g2d/trainer';
import { evaluateSplit } from './evaluate-split.js';

/** What a model comes to where modalities are taken away. */
export interface MaskedEvaluation {
  /** Accuracy, or mean absolute percentage error, by head. */
  readonly scores: Scores;
  /** Share of (sample, modality) cells that are missing, in [0, 1], also of those that the data lack themselves. */
  readonly share: number;
  /** Those that have a modality left. */
  readonly samples: number;
}

/** Which modalities of a model its samples really have: `[N, k]` row by row. */
export async function presenceOf(
  dataset: MultimodalDataset<string>,
  modalities: readonly string[],
): Promise<Uint8Array> {
  const { size, incomplete = [] } = dataset;
  const presence = new Uint8Array(size * modalities.length).fill(1);
  if (!modalities.some((modality) => incomplete.includes(modality))) return presence;
  for (let i = 0; i < size; i++) {
    const { present } = await dataset.sample(i, { modalities: [] });
    modalities.forEach((modality, j) => {
      if (present?.[modality] === false) presence[i * modalities.length + j] = 0;
    });
  }
  return presence;
}

/**
 * Evaluates a split without what a mask takes away. Samples with nothing left are left out, and counted.
 *
 * @param options `mask`: `[N, k]` row by row, of the modalities of the model. `presence`: what `presenceOf` gave.
 * @returns `undefined` if no sample has anything left.
 */
export async function evaluateMasked(
  predict: Predictor<string>,
  dataset: MultimodalDataset<string>,
  {
    mask,
    presence,
    modalities,
    ...options
  }: EvaluateOptions & {
    readonly mask: Uint8Array;
    readonly presence: Uint8Array;
    readonly modalities: readonly string[];
  },
): Promise<MaskedEvaluation | undefined> {
  const left = mask.map((cell, i) => cell & (presence[i] as number));
  const rowOf = (i: number): Uint8Array => left.subarray(i * modalities.length, (i + 1) * modalities.length);
  const whole = [...dataset.ids.keys()].filter((i) => rowOf(i).includes(1));
  if (whole.length === 0) return undefined;
  const masked = missingModalities(dataset, { mask, modalities });
  const part = whole.length < dataset.size ? someSamples(masked, whole) : masked;
  const { scores } = await evaluateSplit(predict, part, options);
  const kept = Uint8Array.from(whole.flatMap((i) => [...rowOf(i)]));
  return { scores, share: missingShare(kept), samples: whole.length };
}
