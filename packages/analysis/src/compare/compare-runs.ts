import { checkKeys, OptionError, ownValue } from '@g2d/core';
import { formatList } from '../format.js';
import { methodRank } from '../methods.js';
import { isFinished, type Run, type StartedRun } from '../run.js';
import { dataOptions, flatSettings } from '../run-settings.js';
import { SCORES } from '../score-words.js';
import { testDifference, type DataDifference } from '../same-data.js';
import type { Comparison, ComparisonRow, ComparisonTable, Gain } from './comparison.js';
import { withoutLastBits } from './equal.js';
import { costOf } from './cost.js';
import { estimate, type Estimate, type EstimateOptions } from './estimate.js';
import { gainOver } from './gain.js';
import { groupBySeed, isSeedOf, rowSettings, type RunSeeds } from './group-runs.js';
import { tableNotes, unplacedNotes } from './notes.js';
import { withOwnSeeds } from './own-seeds.js';
import { settingDifferences } from './setting-differences.js';

/**
 * Compares runs: one table per dataset and set of modalities, one row per method, the mean over seeds.
 *
 * - Runs are one row if they differ by nothing but their seed (and name, teachers' paths, machine). Methods of the same name
 *   but with other settings are several rows; what distinguishes them stands in the label: `G2D (scope encoder)`.
 * - Rows are sorted from the worst to the best mean on test (fused head), equal ones in the order in which methods are known.
 *   Teachers are a block of their own.
 * - Runs on other data, with other options of the dataset, with other modalities or of another task are never in one table, nor are
 *   runs whose test splits differ in samples, labels, classes or contents, as far as their folders tell; a teacher belongs to every
 *   table of its data that has its modality. Runs that were trained on other data with the same settings are rows of their own.
 * - Every row has what its training took, in joint steps and in seconds, its teachers' apart, and the settings other than the method in
 *   which it differs from joint training.
 * - Nothing is hidden: a selection on the test split, different numbers of seeds or of test samples, repeated runs, and every seed
 *   that has no number, be it that its run is not finished or that a number is not finite, are notes.
 *
 * @param given From `readRun` or `readStartedRun`, in any order, at least one of them finished.
 * @param options Of the intervals.
 * @throws {OptionError} If there is no finished run.
 * @example
 * const runs = ['joint', 'g2d'].map((name) => readRun(`packages/analysis/fixtures/run-group/${name}`));
 * console.log(formatComparison(compareRuns(runs), 'text'));
 */
export function compareRuns(given: readonly StartedRun[], options: EstimateOptions = {}): Comparison {
  checkKeys(options, { level: true }, 'compareRuns');
  const all = withOwnSeeds(given);
  const runs = all.filter(isFinished);
  if (runs.length === 0) {
    throw new OptionError('There are no runs to compare; give at least one finished run folder.', {
      option: 'runs',
      value: given,
      accepted: 'at least one finished run',
    });
  }
  const level = options.level ?? 0.95;
  const settings = { ...options, level };
  const parts = partition(runs);
  const unfinished = all.filter((run) => !isFinished(run));
  const tables = parts.map(({ title, part }) => makeTable(title, part, unfinished, settings));
  const rows = tables.flatMap((table) => [...table.rows, ...table.teachers]);
  const unplaced = unfinished.filter((run) => !rows.some((row) => row.unfinished.includes(run)));
  return { tables, notes: [...partitionNotes(parts), ...unplacedNotes(unplaced)], level };
}

interface Part {
  readonly title: string;
  readonly part: readonly Run[];
  /** Where an earlier part is of the same settings of the data, but has another test split. */
  readonly difference?: DataDifference & { readonly from: readonly Run[] };
}

/** What the data of a run are, without where they lie. */
function dataKey({ config, summary }: Run): string {
  const { modalities: _, ...options } = dataOptions(config);
  return JSON.stringify([
    summary.dataset ?? '',
    summary.task ?? 'classification',
    [...flatSettings(options)],
  ]);
}

function partition(runs: readonly Run[]): Part[] {
  const students = runs.filter(({ config }) => config.kind === 'student');
  const teachers = runs.filter(({ config }) => config.kind === 'teacher');
  const found: { readonly key: string; readonly part: Run[] }[] = [];
  const add = (key: string, run: Run): void => {
    const same = found.find((other) => other.key === key && isSameTest(other.part, run));
    if (same) same.part.push(run);
    else found.push({ key, part: [run] });
  };
  for (const run of students)
    add(`${dataKey(run)} ${JSON.stringify([...run.config.modalities].sort())}`, run);
  for (const run of teachers) {
    const isOwn = ([first, ...rest]: readonly Run[]): boolean =>
      first !== undefined &&
      first.config.kind === 'student' &&
      dataKey(first) === dataKey(run) &&
      run.config.modalities.every((modality) => first.config.modalities.includes(modality)) &&
      isSameTest([first, ...rest], run);
    const own = found.filter(({ part }) => isOwn(part));
    for (const { part } of own) part.push(run);
    if (own.length === 0) add(`teachers of ${dataKey(run)}`, run);
  }
  const parts = found.map(({ part }) => part);
  const titles = parts.map((part) => titleOf(part, parts));
  return found.map(({ key, part }, at) => {
    const first = found.find((other) => other.key === key)?.part ?? part;
    const difference = differenceOf(first, part);
    const title = difference ? `${titles[at]} (other test split)` : (titles[at] as string);
    return { title, part, ...(difference && { difference: { ...difference, from: first } }) };
  });
}

const isSameTest = (part: readonly Run[], run: Run): boolean =>
  part.every((other) => !testDifference(other, run));

/** In what the test splits of two parts differ. */
function differenceOf(first: readonly Run[], part: readonly Run[]): DataDifference | undefined {
  if (first === part) return undefined;
  for (const one of first)
    for (const other of part) {
      const found = testDifference(one, other);
      if (found) return found;
    }
  return undefined;
}

/** The dataset in words, with the options that tell it from another of the same name. */
function titleOf(part: readonly Run[], all: readonly (readonly Run[])[]): string {
  const first = part[0] as Run;
  const name = datasetName(first);
  const namesakes = all.flatMap(([other]) => (other && datasetName(other) === name ? [other] : []));
  const optionsOf = (run: Run): Map<string, string> => {
    const { modalities: _, name: __, ...options } = dataOptions(run.config);
    return flatSettings(options);
  };
  const own = optionsOf(first);
  const differing = [...own].filter(([key, value]) =>
    namesakes.some((run) => optionsOf(run).get(key) !== value),
  );
  const options = differing.map(([key, value]) => `${key} ${value}`);
  return options.length === 0 ? name : `${name} (${options.join(', ')})`;
}

function datasetName({ config, summary }: Run): string {
  return summary.dataset ?? config.dataset?.name ?? 'unnamed data';
}

function partitionNotes(parts: readonly Part[]): string[] {
  if (parts.length < 2) return [];
  const names = parts.map(({ title, part }) => `${title} with ${formatList(modalitiesOf(part))}`);
  return [
    `These runs are not all on the same data with the same modalities, so there are ${parts.length} tables, and their numbers are not to be compared with each other: ${names.join('; ')}.`,
    ...parts.flatMap(({ part, difference }) =>
      difference
        ? [
            `The test split of ${foldersOf(part)} is not that of ${foldersOf(difference.from)} (${difference.what}: ${difference.other}, there ${difference.first}).`,
          ]
        : [],
    ),
  ];
}

const foldersOf = (part: readonly Run[]): string => formatList(part.map(({ folder }) => folder));

function modalitiesOf(part: readonly Run[]): string[] {
  const [student] = part.filter(({ config }) => config.kind === 'student');
  return [...(student?.config.modalities ?? new Set(part.flatMap(({ config }) => config.modalities)))];
}

function makeTable(
  dataset: string,
  part: readonly Run[],
  unfinished: readonly StartedRun[],
  options: EstimateOptions,
): ComparisonTable {
  const task = part[0]?.summary.task ?? 'classification';
  const modalities = modalitiesOf(part);
  const groups = groupBySeed(part);
  const rows = groups.map((group) =>
    makeRow(
      group,
      unfinished.filter((run) => isSeedOf(run, group)),
      { ...options, modalities },
    ),
  );
  const students = rows.filter(({ kind }) => kind === 'student');
  const joints = students.filter(({ method }) => method === 'joint');
  const sign = SCORES[task].isError ? -1 : 1;
  const score = ({ test, main }: ComparisonRow): number =>
    withoutLastBits(sign * (test[main]?.mean ?? -sign * Infinity));
  const withGains = students
    .map((row) => ({ ...row, ...gainOf(row, joints, sign, options), ...againstOf(row, joints, students) }))
    .sort((a, b) => compare(score(a), score(b)) || rankOf(a) - rankOf(b));
  const position = ({ modalities: [own = ''] }: ComparisonRow): number => modalities.indexOf(own);
  const teachers = rows
    .filter(({ kind }) => kind === 'teacher')
    .sort((a, b) => position(a) - position(b) || compare(score(a), score(b)));
  const table = { dataset, task, modalities, rows: withGains, teachers };
  return { ...table, notes: tableNotes(table, groups) };
}

const rankOf = ({ runs: [run] }: ComparisonRow): number => (run ? methodRank(run.config) : 0);

// A plain difference of two infinities would be NaN.
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

function makeRow(
  { label, runs }: RunSeeds,
  unfinished: readonly StartedRun[],
  { modalities, ...options }: EstimateOptions & { readonly modalities: readonly string[] },
): ComparisonRow {
  const [first] = runs;
  const { config, summary } = first;
  const over = (
    read: (run: Run) => Readonly<Record<string, number>> | undefined,
  ): Record<string, Estimate> => {
    const keys = [...new Set(runs.flatMap((run) => Object.keys(read(run) ?? {})))];
    const entries = keys.flatMap((key) => {
      const found = estimate(
        runs.map((run) => ownValue(read(run), key)),
        options,
      );
      return found ? [[key, found] as const] : [];
    });
    return Object.fromEntries(entries);
  };
  const test = over((run) => run.summary.test);
  const [modality = 'fused'] = config.modalities;
  const main = config.kind === 'teacher' && test[modality] ? modality : 'fused';
  const {
    accuracy: _,
    meanAbsolutePercentageError: __,
    microF1: ___,
    // For figures: folders of before it was measured stand beside others without a word.
    confidence: ____,
    ...metrics
  } = over((run) => run.summary.metrics?.['test']?.[main]);
  return {
    label,
    method: config.method,
    kind: config.kind,
    modalities: config.modalities,
    seeds: runs.map((run) => run.config.seed),
    runs,
    unfinished,
    select: summary.select ?? config.select,
    main,
    test,
    validation: over((run) => run.summary.validation),
    metrics,
    cost: costOf(runs, modalities),
  };
}

function gainOf(
  row: ComparisonRow,
  joints: readonly ComparisonRow[],
  sign: 1 | -1,
  options: EstimateOptions,
): { gain?: Gain } {
  if (row.method === 'joint') return {};
  const joint = nearest(row, joints);
  const gain = joint && gainOver(row, joint, { ...options, sign });
  return gain ? { gain } : {};
}

/** In what else than the method a row differs from the one that it is compared with. */
function againstOf(
  row: ComparisonRow,
  joints: readonly ComparisonRow[],
  students: readonly ComparisonRow[],
): Pick<ComparisonRow, 'against'> {
  const base = row.method === 'joint' ? joints[0] : (nearest(row, joints) ?? students[0]);
  const [[own], [other]] = [row.runs, base?.runs ?? []];
  if (!base || base === row || !own || !other) return {};
  return { against: { label: base.label, differences: settingDifferences(own, other) } };
}

/** Of several joint trainings, the one whose settings are nearest to the row's. */
function nearest(row: ComparisonRow, joints: readonly ComparisonRow[]): ComparisonRow | undefined {
  const own = rowSettings(row.runs[0] as Run);
  const distance = (joint: ComparisonRow): number => {
    const other = rowSettings(joint.runs[0] as Run);
    return [...new Set([...own.keys(), ...other.keys()])].filter(
      (key) => !/^(method|teacher )/.test(key) && own.get(key) !== other.get(key),
    ).length;
  };
  return [...joints].sort((a, b) => distance(a) - distance(b))[0];
}
