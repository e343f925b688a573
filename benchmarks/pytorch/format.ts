import { formatNumber } from '@g2d/core';
import { networks } from './networks.js';
import type { Ratio } from './ratios.js';

const HEADER = [
  'dataset',
  'what',
  'ours, ms',
  'against',
  'ms',
  'ratio of minima',
  'of medians (of rounds)',
  'goal',
  'memory, MB',
  'ratio',
  'goal',
];

/** The rows of the table, its header first: milliseconds are the fastest steps. */
export function rowsOf(ratios: readonly Ratio[]): string[][] {
  const lines = ratios.map(({ dataset, name, ours, against, ...ratio }) => [
    networks[dataset]?.title ?? dataset,
    name,
    formatNumber(ours.min, 0),
    against.name,
    formatNumber(against.min, 0),
    formatNumber(ratio.minima, 2),
    `${formatNumber(ratio.medians, 2)} (${ratio.rounds.map((value) => formatNumber(value, 2)).join(' – ')})`,
    goalText(ratio.minima, ratio.goal),
    `${formatNumber(ours.peakRssMB, 0)} / ${formatNumber(against.peakRssMB, 0)}`,
    formatNumber(ratio.memory, 2),
    goalText(ratio.memory, ratio.memoryGoal),
  ]);
  return [HEADER, ...lines];
}

const goalText = (value: number, goal: number | undefined): string =>
  goal === undefined ? '' : `≤ ${goal} ${value <= goal ? '✓' : '✗'}`;
