import { OptionError, type PassCounts, type Scores } from '@g2d/core';
import { mapValues } from './map-values.js';
import { addPasses, NO_PASSES } from './pass-counts.js';
import { quantile } from './quantile.js';
import type { ScoreSum } from './scores.js';

/** What one step adds to the log. */
export interface StepRecord {
  readonly loss: Readonly<Record<string, number>>;
  readonly scores: Readonly<Record<string, ScoreSum>>;
  /** Not finite where there is no number: a batch in which a modality is missing. */
  readonly series: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Names of series whose values are kept until the epoch ends. Default: none. */
  readonly spread?: readonly string[];
}

/** A sum, and of how many numbers. */
type Sums = Readonly<Record<string, ScoreSum>>;

/** Sums over the steps of an epoch: plain data, a part of every checkpoint in the middle of one. */
export interface EpochTotals {
  readonly steps: number;
  /** Batches that were left out; absent in states of before it was counted. */
  readonly skipped?: number;
  readonly loss: Sums;
  readonly scores: Sums;
  readonly series: Readonly<Record<string, Sums>>;
  /** Values of series by batch, of those that are asked for in an epoch's first step. */
  readonly spread?: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  /** Absent in an epoch that began before it was counted. */
  readonly passes?: PassCounts;
}

/** Means over the steps of an epoch. */
interface EpochSummary {
  readonly loss: Readonly<Record<string, number>>;
  readonly train: Scores;
  readonly skippedSteps?: number;
  readonly passes?: PassCounts;
  readonly [series: string]: unknown;
}

export const NO_STEPS: EpochTotals = { steps: 0, loss: {}, scores: {}, series: {} };

/** The totals with one step more. */
export function addStep(totals: EpochTotals, record: StepRecord): EpochTotals {
  const { loss, scores, series } = record;
  const spread = keptValues(totals, record);
  const added = mapValues(series, (values, name) => addAll(totals.series[name], mapValues(values, one)));
  return {
    ...totals,
    steps: totals.steps + 1,
    loss: addAll(totals.loss, mapValues(loss, one)),
    scores: addAll(totals.scores, scores),
    series: { ...totals.series, ...added },
    ...(spread && { spread }),
  };
}

/** Of an epoch that began before values were kept there are none: a part of them would say something else. */
function keptValues(
  { steps, spread: before }: EpochTotals,
  { series, spread = [] }: StepRecord,
): EpochTotals['spread'] {
  const names = before ? Object.keys(before) : steps === 0 ? spread : [];
  if (names.length === 0) return undefined;
  return Object.fromEntries(
    names.map((name) => {
      const kept = { ...before?.[name] };
      for (const [part, value] of Object.entries(series[name] ?? {}))
        if (Number.isFinite(value)) kept[part] = [...(kept[part] ?? []), value];
      return [name, kept];
    }),
  );
}

/** The totals with passes more. */
export function countPasses(totals: EpochTotals, more: PassCounts): EpochTotals {
  const { steps, passes } = totals;
  if (steps > 0 && !passes) return totals;
  return { ...totals, passes: addPasses(passes ?? NO_PASSES, more) };
}

/** The totals with so many batches more that were left out. */
export const skipSteps = (totals: EpochTotals, count: number): EpochTotals =>
  count === 0 ? totals : { ...totals, skipped: (totals.skipped ?? 0) + count };

/** The mean of series, of what is a number in each. */
export function meanSeries(series: readonly StepRecord['series'][]): StepRecord['series'] {
  const totals = series.reduce((sum, each) => addStep(sum, { loss: {}, scores: {}, series: each }), NO_STEPS);
  return mapValues(totals.series, means);
}

const means = (sums: Sums): Record<string, number> => mapValues(sums, ({ sum, samples }) => sum / samples);

const one = (value: number): ScoreSum =>
  Number.isFinite(value) ? { sum: value, samples: 1 } : { sum: 0, samples: 0 };

const addAll = (before: Sums = {}, more: Sums): Sums => ({
  ...before,
  ...mapValues(more, ({ sum, samples }, name) => ({
    sum: (before[name]?.sum ?? 0) + sum,
    samples: (before[name]?.samples ?? 0) + samples,
  })),
});

/**
 * The log of an epoch from its totals.
 *
 * @throws {OptionError} If there were no steps.
 */
export function summarize({
  steps,
  skipped = 0,
  loss,
  scores,
  series,
  spread = {},
  passes,
}: EpochTotals): EpochSummary {
  if (steps === 0 && skipped > 0) {
    throw new OptionError(
      `All ${skipped} batches of the epoch were left out: in each, one sample alone had a modality, and batch normalization cannot be trained on one value. Take a larger batch size.`,
      { option: 'batchSize', value: skipped, accepted: 'batches with two samples of each modality or more' },
    );
  }
  if (steps === 0) {
    throw new OptionError(
      'An epoch without batches. Is the batch size larger than the dataset while the last incomplete batch is dropped?',
      { option: 'batches', value: 0, accepted: 'at least one batch' },
    );
  }
  return {
    ...(skipped > 0 && { skippedSteps: skipped }),
    loss: means(loss),
    train: means(scores),
    ...mapValues(series, means),
    ...Object.fromEntries(
      Object.entries(spread).flatMap(([name, values]) => [
        [`${name}Low`, mapValues(values, (list) => quantile(list, 0.1))],
        [`${name}High`, mapValues(values, (list) => quantile(list, 0.9))],
      ]),
    ),
    ...(passes && { passes }),
  };
}
