import { OptionError } from '@g2d/core';
import { defineCommand } from '@g2d/cli';
import { formatTable } from '@g2d/cli/internal';
import { paperValues } from './data/paper-values.js';
import { parseScale, SCALES, sweepFiles, TABLES, type Scale } from './plan/places.js';
import { planTable } from './plan/plan-table.js';
import { knownResults } from './results/known-results.js';
import { readResults } from './results/results-file.js';
import type { RunResult } from './results/run-result.js';

/** The paper's figures that are results. */
const FIGURES = [1, 3, 4, 5, 6];

/** `g2d tables`. */
export const tablesCommand = defineCommand({
  usage: '[options]',
  description: "Lists the paper's tables and figures, and how many of the runs of each are finished.",
  options: {
    scale: { value: 'NAME', default: 'small', help: `${SCALES.join(', ')} (default: small)` },
    results: {
      value: 'FILE',
      multiple: true,
      help: 'results that g2d tables collect wrote; may be given several times',
    },
    json: { help: 'as JSON' },
  },
  details: 'Example: g2d tables --scale small',
  async run({ values, positionals: [more] }, { out }) {
    if (more !== undefined) {
      throw new OptionError(`"${more}" is one argument too many; g2d table ${more} prints one table.`, {
        option: 'arguments',
        value: more,
        accepted: 'none',
      });
    }
    const scale = parseScale(values.scale);
    const collected = values.results.flatMap((path) => readResults(path, scale));
    const places = [
      ...TABLES.map((number) => ({ command: `g2d table ${number}`, place: `table-${number}` })),
      ...FIGURES.map((number) => ({ command: `g2d figure ${number}`, place: `figure-${number}` })),
    ];
    const rows = [];
    for (const { command, place } of places)
      rows.push({ command, place, ...(await stateOf(place, scale, collected)) });
    if (values.json) {
      out(`${JSON.stringify(rows)}\n`);
      return 0;
    }
    const lines = rows.map(({ command, title, datasets, runs, finished }) => [
      command,
      title,
      runs === 0 ? '' : `${finished} of ${runs}`,
      datasets.join(', '),
    ]);
    out(formatTable([['command', 'what', 'runs', 'data'], ...lines], [false, false, true, false]));
    return 0;
  },
});

interface State {
  readonly title: string;
  readonly datasets: readonly string[];
  /** Students and teachers. */
  readonly runs: number;
  readonly finished: number;
}

async function stateOf(place: string, scale: Scale, collected: readonly RunResult[]): Promise<State> {
  const { tables, figures } = paperValues();
  const { title } = (tables[place] ?? figures[place]) as { readonly title: string };
  // Table 10 is measured.
  if (sweepFiles(scale, place).length === 0) return { title, datasets: [], runs: 0, finished: 0 };
  const plan = await planTable(place, { scale });
  const { results } = knownResults(plan, collected);
  const datasets = [...new Set(plan.members.map(({ combination }) => combination.dataset))];
  return { title, datasets, runs: plan.pool.runs.length, finished: results.size };
}
