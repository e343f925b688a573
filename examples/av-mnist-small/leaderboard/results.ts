// The numbers of a finished leaderboard, and what is made of them: a table for the terminal, a README and a page.
import { join, resolve } from 'node:path';
import {
  compareRuns,
  formatComparison,
  readRun,
  readStartedRun,
  renderComparison,
  type Comparison,
  type ComparisonColumn,
  type ComparisonRow,
  type RunEnvironment,
  type StartedRun,
} from '@g2d/analysis';
import { formatNumber, ownValue } from '@g2d/core';
import { isThere, writeFileAtomic } from '@g2d/formats/node';
import { parityCounts } from './parity-counts.js';
import { settingWords, TUNING_SEED } from './plan.js';
import type { Choice } from './tuning.js';

/** The numbers that the README's table is made from. */
export const PUBLISHED = resolve(import.meta.dirname, '../results/leaderboard.json');

/** Everything that the tables are made from, as it is kept: `leaderboard.json`. */
export interface Results {
  readonly command: string;
  readonly epochs: number;
  /** Of the first run. */
  readonly environment: RunEnvironment | undefined;
  readonly tuning: { readonly seed: number; readonly choices: readonly Choice[] };
  /** By method. */
  readonly parityCases: Readonly<Record<string, number>>;
  /** Of the runs at the chosen settings alone, without the runs themselves. */
  readonly comparison: Comparison;
}

/** Reads the runs at the chosen settings; one that has begun and is not finished is named in the table. */
export const readChosen = (ids: readonly string[], out: string): readonly StartedRun[] =>
  ids.flatMap((id) => {
    const folder = join(out, id);
    if (isThere(join(folder, 'summary.json'))) return readRun(folder);
    return isThere(join(folder, 'config.json')) ? readStartedRun(folder) : [];
  });

/** @throws {OptionError} If no run is finished. */
export function resultsOf(
  runs: readonly StartedRun[],
  {
    choices,
    epochs,
    command,
  }: { readonly choices: readonly Choice[]; readonly epochs: number; readonly command: string },
): Results {
  const { tables, ...comparison } = compareRuns(runs);
  const numbers = (row: ComparisonRow): ComparisonRow => ({ ...row, runs: [], unfinished: [] });
  return {
    command,
    epochs,
    environment: runs[0]?.config.environment,
    tuning: { seed: TUNING_SEED, choices },
    parityCases: parityCounts(choices.map(({ method }) => method)),
    comparison: {
      ...comparison,
      tables: tables.map((table) => ({
        ...table,
        rows: table.rows.map(numbers),
        teachers: table.teachers.map(numbers),
      })),
    },
  };
}

/** What the leaderboard says of a method beside what every comparison does. */
export const columnsOf = ({ tuning, parityCases }: Results): readonly ComparisonColumn[] => [
  {
    title: 'setting',
    cell: ({ method }) => {
      const choice = tuning.choices.find((one) => one.method === method);
      return choice ? settingWords(choice.setting) : '–';
    },
  },
  { title: 'parity cases', cell: ({ method }) => String(ownValue(parityCases, method) ?? '–') },
];

/** Methods that do worse than joint training, and whether what they compute is known to be right. */
export function worseWords({ comparison, parityCases }: Results): string {
  const worse = comparison.tables.flatMap(({ rows }) => rows.filter(({ gain }) => gain && gain.mean < 0));
  if (worse.length === 0) return 'No method is worse than joint training.';
  const names = worse.map(({ label, method }) => {
    const count = ownValue(parityCases, method) ?? 0;
    return `${label} (${count === 0 ? 'no parity case' : count === 1 ? '1 parity case' : `${count} parity cases`})`;
  });
  return `Worse than joint training on average: ${names.join(', ')}. With parity cases, a method computes step by step what its official code does (\`npx g2d parity test/parity/methods\`), so that it is the method that is worse here, not this implementation; without, that is open.`;
}

/** How the numbers came about, in a paragraph. */
export function originWords({ command, epochs, environment, tuning }: Results): string {
  const { versions = {}, backend, device, host } = environment ?? {};
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const cpu = (host as { readonly cpu?: string; readonly cpus?: number } | undefined) ?? {};
  const machine = cpu.cpu === undefined ? [] : [`${cpu.cpus ?? 1} × ${cpu.cpu}`];
  const where = [...names, ...(backend === undefined ? [] : [`backend ${backend} (${device})`]), ...machine];
  return `\`${command}\`: ${epochs} epochs of every method${where.length > 0 ? ` on ${where.join(', ')}` : ''}. Of at most four settings the best on the validation split with seed ${tuning.seed} was taken; test scores are of that one alone.`;
}

/** For the README of `@g2d/methods`. */
export const leaderboardMarkdown = (results: Results): string =>
  [
    originWords(results),
    formatComparison(results.comparison, 'markdown', { columns: columnsOf(results) }),
    worseWords(results),
  ].join('\n\n');

/** For a terminal. */
export const leaderboardText = (results: Results, width: number): string =>
  `${formatComparison(results.comparison, 'text', { width, columns: columnsOf(results) })}\n\n${worseWords(results).replaceAll('`', '')}\n`;

/** Writes numbers, table and page into the folder of the runs. */
export function writeResults(results: Results, runs: readonly StartedRun[], out: string): readonly string[] {
  const page = renderComparison({
    title: 'Every method on the small AV-MNIST',
    introduction: `${originWords(results)} ${worseWords(results)}`.replaceAll('`', ''),
    runs,
    command: results.command,
    columns: columnsOf(results),
  });
  const files = {
    'leaderboard.json': resultsJson(results),
    'leaderboard.md': `${leaderboardMarkdown(results)}\n`,
    'leaderboard.html': page,
  };
  return Object.entries(files).map(([name, text]) => {
    const path = join(out, name);
    writeFileAtomic(path, text);
    return path;
  });
}

/** Digits that say something: percents of thousands of samples, seconds. */
export const resultsJson = (results: Results): string =>
  `${JSON.stringify(results, (_, value: unknown) => (typeof value === 'number' ? Number(formatNumber(value, 6)) : value), 2)}\n`;
