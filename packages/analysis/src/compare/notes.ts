import { formatCount, formatList } from '../format.js';
import type { Run, Selection } from '../run.js';
import { drawsOwnSplits, trainingDifference } from '../same-data.js';
import type { ComparisonRow, ComparisonTable } from './comparison.js';
import type { RunSeeds } from './group-runs.js';

const SELECTION_WORDS: Readonly<Record<Selection, string>> = {
  'validation-best': 'validation',
  'test-best': 'test',
  last: 'last epoch',
};

/** How the epoch was chosen, in two words for a column. */
export function selectionWords(select: Selection | undefined): string {
  return select === undefined ? 'not said' : SELECTION_WORDS[select];
}

const REGRESSION =
  'MAPE is the mean absolute percentage error: less is better. A gain is by how many points it is smaller.';

/** What has to be known to read a table. */
export function tableNotes(table: Omit<ComparisonTable, 'notes'>, groups: readonly RunSeeds[]): string[] {
  const rows = [...table.rows, ...table.teachers];
  return [
    ...(table.task === 'regression' ? [REGRESSION] : []),
    ...selectionNotes(rows),
    ...seedNotes(table.rows),
    ...testSizeNotes(rows),
    ...gainNotes(table.rows),
    ...repeatedNotes(groups),
    ...contentNotes(groups),
    ...ownSplitNotes(rows),
    ...changeNotes(rows),
  ];
}

function selectionNotes(rows: readonly ComparisonRow[]): string[] {
  const kinds = new Set(rows.map(({ select }) => select));
  const labels = (select: Selection): string => labelsOf(rows.filter((row) => row.select === select));
  const notes: string[] = [];
  if (kinds.has('test-best')) {
    notes.push(
      `Selected on the test part (test-best): ${labels('test-best')}. The epoch was chosen by the same samples that it is measured on, so these numbers are too high.`,
    );
  }
  if (kinds.size > 1) {
    notes.push(
      'The rows are of epochs that were chosen in different ways; part of their differences is that.',
    );
  }
  return notes;
}

function seedNotes(rows: readonly ComparisonRow[]): string[] {
  const sets = new Set(rows.map(({ seeds }) => seeds.join(', ')));
  if (rows.length > 1 && sets.size > 1) {
    return ['The rows do not all have the same seeds; the more seeds, the more a mean says.'];
  }
  const [seeds] = sets;
  if (rows.length > 0 && rows.every((row) => row.seeds.length === 1)) {
    return [`One seed (${seeds}): what another seed would change is not known.`];
  }
  return [];
}

function testSizeNotes(rows: readonly ComparisonRow[]): string[] {
  const sizes = [...new Set(rows.flatMap(({ runs }) => runs.flatMap((run) => testSizeOf(run) ?? [])))];
  if (sizes.length < 2) return [];
  const words = formatList(sizes.sort((a, b) => a - b).map(formatCount));
  return [`The test parts differ in size (${words} samples): these numbers are not of the same samples.`];
}

/** Number of test samples, where a run says so. */
export function testSizeOf({ predictions, summary }: Run): number | undefined {
  if (predictions) return predictions.ids.length;
  const [scores] = Object.values(summary.perClass ?? {});
  if (scores) return scores.reduce((sum, { support }) => sum + support, 0);
  const [table] = Object.values(summary.confusion);
  return table?.flat().reduce((sum, count) => sum + count, 0);
}

function gainNotes(rows: readonly ComparisonRow[]): string[] {
  const bases = new Set(rows.flatMap(({ gain }) => gain?.over ?? []));
  if (bases.size < 2) return [];
  const words = rows.flatMap(({ label, gain }) => (gain ? [`${label} over ${gain.over}`] : []));
  return [
    `There is more than one joint training; each gain is over the one with the nearest settings: ${words.join('; ')}.`,
  ];
}

function repeatedNotes(groups: readonly RunSeeds[]): string[] {
  return groups
    .filter(({ repeated }) => repeated.length > 0)
    .map(({ label, repeated }) => {
      const folders = formatList(repeated.map((run) => `${run.folder} (seed ${run.config.seed})`));
      return `${label}: left out, since a run with the same settings and seed is there already: ${folders}.`;
    });
}

/** Rows of the same settings, which were trained on other data or by another module. */
function contentNotes(groups: readonly RunSeeds[]): string[] {
  return groups.flatMap(({ label, runs: [run], otherwise }) => {
    const difference = otherwise && trainingDifference(otherwise, run);
    if (!difference) return [];
    return [
      `${label} has the settings of ${otherwise.folder}, but was not trained on the same (${difference.what}: ${difference.other}, there ${difference.first}).`,
    ];
  });
}

function ownSplitNotes(rows: readonly ComparisonRow[]): string[] {
  if (!rows.some(({ runs }) => drawsOwnSplits(...runs))) return [];
  return ['The data are divided by the seed: every seed has splits of its own.'];
}

/** Runs that went on with other data than they began with. */
function changeNotes(rows: readonly ComparisonRow[]): string[] {
  return rows.flatMap(({ runs }) =>
    runs.flatMap(({ folder, config: { changes = [] } }) =>
      changes.map(({ epoch, what }) => `${folder} went on in epoch ${epoch} although: ${what.join(' ')}`),
    ),
  );
}

const labelsOf = (rows: readonly ComparisonRow[]): string => formatList(rows.map(({ label }) => label));
