import type { Program } from './programs.js';
import { median, type Measurement, type Ratio, type Rounds } from './ratios.js';

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
    return [name, ...[...ms, median(ms)].map((value) => value.toFixed(0)), peak.toFixed(0)];
  });
  const first = rounds.get((programs[0] as Program).name) as readonly Measurement[];
  const numbers = first.map((_, round) => `round ${round + 1}`);
  const header = ['one step, ms', ...numbers, 'median', 'memory, MB'];
  const lines = ratios.map(({ name, ratio, min, max, memory, goal, memoryGoal }) => [
    name,
    ratio.toFixed(3),
    `${min.toFixed(3)} … ${max.toFixed(3)}`,
    goalText(ratio, goal),
    memory.toFixed(2),
    goalText(memory, memoryGoal),
  ]);
  const quotients = ['ratio', 'of medians', 'rounds', 'goal', 'memory', 'goal'];
  return `${table([header, ...times])}\n${table([quotients, ...lines])}`;
}

const goalText = (value: number, goal: number | undefined): string =>
  goal === undefined ? '–' : `≤ ${goal} ${value <= goal ? '✓' : '✗'}`;

/** Columns two spaces apart, all but the first aligned to the right, a rule under the header. */
function table(rows: readonly (readonly string[])[]): string {
  const columns = rows[0] as readonly string[];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell[column === 0 ? 'padEnd' : 'padStart'](widths[column] as number))
      .join('  '),
  );
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [lines[0], rule, ...lines.slice(1)].map((line) => `${line}\n`).join('');
}
