import { formatNumber } from '@g2d/core';
import { median } from '../shared/median.js';
import { table } from '../shared/table.js';
import type { Program } from './programs.js';
import type { Measurement, Ratio, Rounds } from './ratios.js';

/** The text for a person: milliseconds of every round, then the ratios. */
export function formatResults(
  programs: readonly Program[],
  rounds: Rounds,
  ratios: readonly Ratio[],
): string {
  const times = programs.map(({ name }) => {
    const measured = rounds.get(name) as readonly Measurement[];
    const ms = measured.map((measurement) => measurement.ms);
    const peak = median(measured.map(({ peakRssMB }) => peakRssMB));
    return [name, ...[...ms, median(ms)].map((value) => formatNumber(value, 0)), formatNumber(peak, 0)];
  });
  const first = rounds.get((programs[0] as Program).name) as readonly Measurement[];
  const numbers = first.map((_, round) => `round ${round + 1}`);
  const header = ['one step, ms', ...numbers, 'median', 'memory, MB'];
  const lines = ratios.map(({ name, ratio, min, max, memory, goal, memoryGoal }) => [
    name,
    formatNumber(ratio, 3),
    `${formatNumber(min, 3)} … ${formatNumber(max, 3)}`,
    goalText(ratio, goal),
    formatNumber(memory, 2),
    goalText(memory, memoryGoal),
  ]);
  const quotients = ['ratio', 'of medians', 'rounds', 'goal', 'memory', 'goal'];
  return `${table([header, ...times])}\n${table([quotients, ...lines])}`;
}

const goalText = (value: number, goal: number | undefined): string =>
  goal === undefined ? '–' : `≤ ${goal} ${value <= goal ? '✓' : '✗'}`;
