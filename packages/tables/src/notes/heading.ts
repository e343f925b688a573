import { formatList } from '@g2d/analysis/internal';
import type { RunResult } from '../results/run-result.js';

const SCALES: Readonly<Record<string, string>> = {
  smoke:
    'Scale smoke: two or three epochs on a few samples of the tests’ fixtures; that the program works, and nothing about the method.',
  small:
    'Scale small: real data that come with this repository, in the place of the paper’s; no number here is one of the paper’s.',
  paper: 'Scale paper: the paper’s data and settings.',
};

const PROTOCOLS: Readonly<Record<string, string>> = {
  published:
    'Protocol published: all training samples, the best epoch on the test split, as the published numbers were chosen; optimistic.',
  validation:
    'Protocol validation: the best epoch on a validation split that is held out of the training samples.',
};

const SELECTIONS: Readonly<Record<string, string>> = {
  last: 'the last epoch',
  'validation-best': 'the best epoch on the validation split',
  'test-best': 'the best epoch on the test split',
};

/** What the runs of a table are: scale, protocol, seeds. */
export function headingOf({
  scale,
  protocol,
  results,
}: {
  readonly scale: string;
  readonly protocol: string;
  readonly results: readonly RunResult[];
}): string {
  const students = results.filter(({ kind }) => kind === 'student');
  const selections = distinct(students.map(({ select }) => SELECTIONS[select] ?? select));
  const selected = selections.length === 0 ? '' : `Students are measured at ${formatList(selections)}.`;
  const seeds = distinct(students.map(({ seed }) => seed)).sort((a, b) => a - b);
  const words =
    seeds.length === 0
      ? 'Nothing has been run yet.'
      : `Mean ± sample standard deviation over ${seeds.length === 1 ? 'one seed' : `${seeds.length} seeds`} (${seeds.join(', ')}) unless a cell says otherwise.`;
  return [SCALES[scale], PROTOCOLS[protocol] ?? selected, words].filter(Boolean).join(' ');
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];
