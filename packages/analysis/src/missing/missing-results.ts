import type { Task } from '../run.js';
import { meanAndDeviation, meanInterval, type Interval } from '../mean-interval.js';

/** What one trained model comes to on one split with modalities missing. */
export interface MissingResults {
  readonly run: string;
  readonly split: string;
  readonly task: Task;
  readonly modalities: readonly string[];
  /** How masks were drawn: the protocol's name. */
  readonly sampler: string;
  /** One for each rate or mask file. */
  readonly rates: readonly MaskedScores[];
  /** One for each set of modalities that all samples have alone, the whole one first. */
  readonly patterns: readonly (Scored & { readonly present: readonly string[] })[];
}

interface Scored {
  /** Samples that have a modality left. */
  readonly samples: number;
  /** By head, in percent, see `SCORES`. Heads that no sample has are absent. */
  readonly scores: Readonly<Record<string, number>>;
}

/** The same model under several masks of one rate. */
export interface MaskedScores {
  /** The rate as it was asked for, or the mask's file. */
  readonly label: string;
  /** Share of (sample, modality) cells that were missing on average, in [0, 1]. */
  readonly share: number;
  /** One for each mask. */
  readonly masks: readonly Scored[];
}

/** What a head comes to under several masks. */
export interface HeadUnderMasks {
  readonly mean: number;
  /** Of single masks; undefined for one. */
  readonly deviation: number | undefined;
  /** Of the mean over very many masks of this rate, for this one model. */
  readonly interval: Interval | undefined;
}

/** A head under all masks of a rate; `undefined` if it was in none of them. */
export function headUnderMasks({ masks }: MaskedScores, head: string): HeadUnderMasks | undefined {
  const values = masks.flatMap(({ scores }) => scores[head] ?? []).filter(Number.isFinite);
  if (values.length === 0) return undefined;
  const spread = meanAndDeviation(values);
  return { ...spread, interval: values.length > 1 ? meanInterval(values) : undefined };
}

/** What the numbers of each task are called. */
export const SCORES: Readonly<Record<Task, string>> = {
  classification: 'accuracy',
  regression: 'mean absolute percentage error',
  'multi-label': 'micro F1',
};

/** The head that answers for the whole model. */
export const answerOf = ({ modalities }: Pick<MissingResults, 'modalities'>): string =>
  modalities.length > 1 ? 'fused' : (modalities[0] as string);

/** What the answer loses where one modality is gone from all samples, in points, the most first. */
export function lossesWithout(
  results: MissingResults,
): { readonly modality: string; readonly loss: number; readonly left: number }[] {
  const { modalities, patterns, task } = results;
  const head = answerOf(results);
  const whole = patterns.find(({ present }) => present.length === modalities.length)?.scores[head];
  return modalities
    .flatMap((modality) => {
      const without = patterns.find(
        ({ present }) => present.length === modalities.length - 1 && !present.includes(modality),
      );
      const left = without?.scores[head];
      if (whole === undefined || left === undefined) return [];
      return [{ modality, left, loss: task === 'regression' ? left - whole : whole - left }];
    })
    .sort((a, b) => b.loss - a.loss);
}
