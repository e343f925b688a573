import { ownValue } from '@g2d/core';
import { formatCount, formatList } from '../format.js';
import { runLabel } from '../methods.js';
import type { Run, Selection, StartedRun, Task } from '../run.js';
import { drawsOwnSplits, trainingDifference } from '../same-data.js';
import type { ComparisonRow, ComparisonTable, Gain } from './comparison.js';
import { isNumber } from './estimate.js';
import { costNotes, settingNotes } from './fairness-notes.js';
import type { RunSeeds } from './group-runs.js';
import { versionNotes } from './version-notes.js';

const SELECTION_WORDS: Readonly<Record<Selection, string>> = {
  'validation-best': 'validation',
  'test-best': 'test',
  last: 'last epoch',
};

/** How the epoch was chosen, in two words for a column. */
export function selectionWords(select: Selection | undefined): string {
  return select === undefined ? 'not said' : SELECTION_WORDS[select];
}

const MEANINGS: Readonly<Partial<Record<Task, string>>> = {
  regression:
    'MAPE is the mean absolute percentage error: less is better. A gain is by how many points it is smaller.',
  'multi-label':
    'Micro F1 is that of all answers of all classes together, at a probability of 0.5; mAP is the mean of the average precision of every class.',
};

/** What has to be known to read a table. */
export function tableNotes(table: Omit<ComparisonTable, 'notes'>, groups: readonly RunSeeds[]): string[] {
  const rows = [...table.rows, ...table.teachers];
  return [
    ...[MEANINGS[table.task] ?? []].flat(),
    ...selectionNotes(rows),
    ...seedNotes(table.rows),
    ...rows.flatMap(missingNotes),
    ...testSizeNotes(rows),
    ...gainNotes(table.rows),
    ...settingNotes(table.rows),
    ...costNotes(table),
    ...versionNotes(rows),
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
      `Selected on the test split (test-best): ${labels('test-best')}. The epoch was chosen by the same samples that it is measured on, so these numbers are too high.`,
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

/** Every seed that is not in a row's numbers, by name. */
function missingNotes(row: ComparisonRow): string[] {
  const { label, runs, seeds, unfinished } = row;
  const others = seeds.length === 1 ? `of seed ${seeds[0]} alone` : `of the other ${seeds.length} seeds`;
  return [
    ...unfinished.map(
      (run) => `${label}: seed ${whichRun(run)} has no result, so its numbers are ${others}.`,
    ),
    ...runs.flatMap((run) => {
      const names = lacking(run, row);
      return names.length === 0
        ? []
        : [
            `${label}: seed ${whichRun(run)} has no number for ${formatList(names)}, and is not in ${names.length === 1 ? 'its mean' : 'their means'}.`,
          ];
    }),
  ];
}

/** What a run has no number for, though its row has one, or should: the main head. */
function lacking({ summary }: Run, { main, test, validation, metrics }: ComparisonRow): string[] {
  const own = summary.metrics?.['test']?.[main];
  return [
    ...new Set(
      [main, ...Object.keys(test)]
        .filter((head) => !isNumber(summary.test[head]))
        .map((head) => `${head} on test`),
    ),
    ...Object.keys(validation)
      .filter((head) => !isNumber(summary.validation[head]))
      .map((head) => `${head} on validation`),
    ...Object.keys(metrics).filter((name) => !isNumber(ownValue(own, name))),
  ];
}

/** `3 (runs/g2d-3)`, with how far it came if it is not finished. */
function whichRun({ config, folder, metrics, summary }: StartedRun): string {
  const progress = summary ? '' : `, not finished: epoch ${metrics.at(-1)?.epoch ?? 0} of ${config.epochs}`;
  return `${config.seed} (${folder}${progress})`;
}

/** Runs that are in no table. */
export function unplacedNotes(runs: readonly StartedRun[]): string[] {
  return runs.map((run) => `${runLabel(run.config)}: seed ${whichRun(run)} is in no row.`);
}

function testSizeNotes(rows: readonly ComparisonRow[]): string[] {
  const sizes = [...new Set(rows.flatMap(({ runs }) => runs.flatMap((run) => testSizeOf(run) ?? [])))];
  if (sizes.length < 2) return [];
  const words = formatList(sizes.sort((a, b) => a - b).map(formatCount));
  return [`The test splits differ in size (${words} samples): these numbers are not of the same samples.`];
}

/** Number of test samples, where a run says so. */
export function testSizeOf({ predictions, summary }: Run): number | undefined {
  if (predictions) return predictions.ids.length;
  const [scores] = Object.values(summary.perClass ?? {});
  // A sample of a multi-label task has any number of classes.
  if (scores && summary.task !== 'multi-label') return scores.reduce((sum, { support }) => sum + support, 0);
  const [table] = Object.values(summary.confusion);
  return table?.flat().reduce((sum, count) => sum + count, 0);
}

function gainNotes(rows: readonly ComparisonRow[]): string[] {
  return [...unpairedNotes(rows), ...basesNotes(rows)];
}

/** Gains that are not over all seeds of both rows. */
function unpairedNotes(rows: readonly ComparisonRow[]): string[] {
  return rows.flatMap(({ label, gain, seeds }) => {
    const joint = rows.find((row) => row.label === gain?.over);
    if (!gain || !joint || (seeds.length === 1 && joint.seeds.length === 1)) return [];
    if (gain.n === seeds.length && gain.n === joint.seeds.length) return [];
    return gain.n === 0
      ? [
          `${label} and ${gain.over} have fewer than two seeds in common: the gain is the difference of their means, without an interval.`,
        ]
      : [
          `The gain of ${label} over ${gain.over} is of the seeds that both have: ${gain.seeds.join(', ')}.${withoutPartner(gain, [{ label, seeds }, joint])}`,
        ];
  });
}

/** Seeds of which only one of two rows has a run with a number. */
function withoutPartner(gain: Gain, rows: readonly Pick<ComparisonRow, 'label' | 'seeds'>[]): string {
  const alone = rows.flatMap(({ label, seeds }) => {
    const own = seeds.filter((seed) => !gain.seeds.includes(seed));
    return own.length > 0 ? [`${label} ${own.join(', ')}`] : [];
  });
  return alone.length > 0 ? ` Without a partner: ${alone.join('; ')}.` : '';
}

function basesNotes(rows: readonly ComparisonRow[]): string[] {
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
