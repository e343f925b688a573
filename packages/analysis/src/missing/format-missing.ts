import { formatNumber } from '@g2d/core';
import { textTable } from '../text-table.js';
import { withPoints } from '../format.js';
import {
  answerOf,
  headUnderMasks,
  lossesWithout,
  SCORES,
  type HeadUnderMasks,
  type MissingResults,
} from './missing-results.js';

/** Heads of a model, the answer of the whole first. */
export const headsOf = ({ modalities }: Pick<MissingResults, 'modalities'>): readonly string[] =>
  modalities.length > 1 ? ['fused', ...modalities] : modalities;

/** `83.4 ± 0.5`: mean and deviation over the masks. */
export const spreadWords = (found: HeadUnderMasks | undefined): string =>
  found === undefined
    ? '–'
    : `${formatNumber(found.mean, 1)}${found.deviation === undefined ? '' : ` ± ${formatNumber(found.deviation, 1)}`}`;

/** `[82.9, 83.9]`. */
export const intervalWords = (found: HeadUnderMasks | undefined): string =>
  found?.interval
    ? `[${formatNumber(found.interval.lower, 1)}, ${formatNumber(found.interval.upper, 1)}]`
    : '–';

/** A table's cells: a line for each rate. */
export const rateCells = (results: MissingResults): readonly (readonly string[])[] => [
  ['missing rate', 'missing cells', 'masks', answerOf(results), '95 %', ...headsOf(results).slice(1)],
  ...results.rates.map((rate) => [
    rate.label,
    `${formatNumber(100 * rate.share, 1)} %`,
    String(rate.masks.length),
    spreadWords(headUnderMasks(rate, answerOf(results))),
    intervalWords(headUnderMasks(rate, answerOf(results))),
    ...headsOf(results)
      .slice(1)
      .map((head) => spreadWords(headUnderMasks(rate, head))),
  ]),
];

/** A table's cells: a line for each set of modalities that is there alone. */
export const patternCells = (results: MissingResults): readonly (readonly string[])[] => [
  ['present', 'samples', ...headsOf(results)],
  ...results.patterns.map(({ present, samples, scores }) => [
    present.join(' + '),
    String(samples),
    // A head that no sample has answers nothing.
    ...headsOf(results).map((head) =>
      Number.isFinite(scores[head]) ? formatNumber(scores[head] as number, 1) : '–',
    ),
  ]),
];

/** Which modality the answer misses most, in a sentence. */
export function missedMost(results: MissingResults): string {
  const [most] = lossesWithout(results);
  if (!most) return '';
  if (most.loss <= 0) return `The answer loses nothing without any one of ${results.modalities.join(', ')}.`;
  return `Without ${most.modality} the answer loses most: ${withPoints(most.loss)}, to ${formatNumber(most.left, 1)} %.`;
}

/** What the numbers are, in words. */
export const measureWords = ({ task, split, sampler }: MissingResults): string =>
  `The ${SCORES[task]} on the ${split} split, in percent; masks drawn by the protocol "${sampler}". Means, deviations and 95 % intervals (Student's t) are over masks of this one model: another training seed changes more. A modality's own head is measured on the samples that have it.`;

/**
 * Both tables for a terminal.
 *
 * @example
 * formatMissing({ run: 'runs/g2d', split: 'test', task: 'classification', modalities: ['audio', 'image'], sampler: 'exact', rates: [], patterns: [] });
 */
export function formatMissing(results: MissingResults): string {
  const tables = [rateCells(results), patternCells(results)].filter((cells) => cells.length > 1);
  return [
    measureWords(results),
    ...tables.map(([header, ...lines]) => textTable(header as readonly string[], lines)),
    missedMost(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
