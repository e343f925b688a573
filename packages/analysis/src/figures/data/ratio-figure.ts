import { confidenceRatio } from '../confidence-ratio.js';
import { barDomain } from './domain.js';
import type { BarsPanel, FigureClaim, FigureData, FigureValue } from './figure-data.js';
import { barOf, labelOf, meanOf, missingRun, seedWords, toneOf, weakestOf } from './select.js';

/** The splits that Figure 6 is drawn of. */
export const RATIO_SPLITS = ['train', 'test'] as const;

/** Mean confidence of a run's heads, in inference mode and without augmentation. */
export interface ConfidenceRun {
  /** `teacher` for the teachers of a seed together. */
  readonly method: string;
  readonly seed: number;
  /** ρ in [0, 1] by split and modality. */
  readonly confidence: Readonly<Record<(typeof RATIO_SPLITS)[number], Readonly<Record<string, number>>>>;
}

/** What a dataset's panels are made from. */
export interface ConfidenceRuns {
  readonly dataset: string;
  readonly modalities: readonly string[];
  readonly runs: readonly ConfidenceRun[];
}

/**
 * Figure 6: how confident a student's head of a modality is of the true class, over how confident its teacher is; 1 is as confident. The
 * paper's is of the weaker modality, that of which the teachers are least confident on the training split; all are shown, and it is marked.
 *
 * @param datasets For each of them `joint`, `g2d` and `teacher` of the same seeds.
 * @throws {OptionError} If a dataset lacks one of them.
 * @see G2D, Fig. 6
 */
export function ratioFigure(datasets: readonly ConfidenceRuns[]): FigureData {
  for (const data of datasets)
    for (const method of ['joint', 'g2d', 'teacher'])
      if (!data.runs.some((run) => run.method === method)) throw missingRun(data, method);
  const found = datasets.map((data) => ({ ...data, weak: weakOf(data), seeds: pairedSeeds(data) }));
  return {
    number: 6,
    title: 'Confidence of a student’s heads over that of their teachers',
    columns: found.length,
    panels: RATIO_SPLITS.flatMap((split) => found.map((data) => panelOf(data, split))),
    values: found.flatMap((data) => valuesOf(data)),
    claims: found.flatMap((data) => RATIO_SPLITS.map((split) => claimOf(data, split))),
    notes: [
      'Confidence is the mean probability of the true class, in inference mode and without augmentation. The modality of which the teachers are least confident on the training split is marked by a star; the paper’s figure is of it.',
      'In late fusion the loss is about the mean of the heads: how sharp each of them is nobody asked for in joint training.',
    ],
  };
}

interface Found extends ConfidenceRuns {
  readonly weak: string;
  readonly seeds: readonly number[];
}

function weakOf({ modalities, runs }: ConfidenceRuns): string {
  const teachers = runs.filter(({ method }) => method === 'teacher');
  const rho = (m: string): number => meanOf(teachers.map(({ confidence }) => confidence.train[m])) ?? NaN;
  return weakestOf(Object.fromEntries(modalities.map((m) => [m, rho(m)]))) ?? '';
}

const runOf = ({ runs }: ConfidenceRuns, method: string, seed: number): ConfidenceRun | undefined =>
  runs.find((run) => run.method === method && run.seed === seed);

/** Seeds that have all three. */
function pairedSeeds(data: ConfidenceRuns): number[] {
  const all = [...new Set(data.runs.map(({ seed }) => seed))].sort((a, b) => a - b);
  const complete = all.filter((seed) =>
    ['joint', 'g2d', 'teacher'].every((method) => runOf(data, method, seed)),
  );
  if (complete.length > 0) return complete;
  throw missingRun(data, 'joint, g2d and the teachers of one seed');
}

const ratioOf = (
  data: ConfidenceRuns,
  {
    method,
    seed,
    split,
    modality,
  }: { method: string; seed: number; split: 'train' | 'test'; modality: string },
): number =>
  confidenceRatio({
    student: runOf(data, method, seed)?.confidence[split][modality] ?? NaN,
    teacher: runOf(data, 'teacher', seed)?.confidence[split][modality] ?? NaN,
  });

/** The students, in the order in which they came. */
const studentsOf = ({ runs }: ConfidenceRuns): string[] =>
  [...new Set(runs.map(({ method }) => method))].filter((method) => method !== 'teacher');

function panelOf(data: Found, split: 'train' | 'test'): BarsPanel {
  const { dataset, modalities, weak, seeds } = data;
  const groups = modalities.map((modality) => ({
    name: modality === weak ? `${modality} *` : modality,
    bars: studentsOf(data).map((method) => ({
      name: labelOf(method),
      tone: toneOf(method),
      ...barOf(
        seeds
          .filter((seed) => runOf(data, method, seed))
          .map((seed) => ratioOf(data, { method, seed, split, modality })),
      ),
    })),
  }));
  return {
    kind: 'bars',
    title: dataset,
    note: `${split === 'train' ? 'training split' : 'test split'}, ${seedWords(seeds)}`,
    y: {
      label: 'student’s confidence / teacher’s',
      domain: barDomain(
        groups.flatMap(({ bars }) => bars),
        1,
      ),
    },
    groups,
    level: 1,
  };
}

function valuesOf(data: Found): FigureValue[] {
  const { dataset, modalities, runs } = data;
  return RATIO_SPLITS.flatMap((split) =>
    runs.flatMap(({ method, seed, confidence }) =>
      modalities.flatMap((head): FigureValue[] => {
        const shared = { dataset, method, head, seed, split };
        const own = { quantity: 'confidence', ...shared, value: confidence[split][head] ?? NaN };
        if (method === 'teacher') return [own];
        const value = ratioOf(data, { method, seed, split, modality: head });
        return [own, { quantity: 'confidenceRatio', ...shared, value }];
      }),
    ),
  );
}

function claimOf(data: Found, split: 'train' | 'test'): FigureClaim {
  const { dataset, weak, seeds } = data;
  return {
    id: 'F6.1',
    dataset,
    words: `confidence ratio of ${weak} on the ${split === 'train' ? 'training' : 'test'} split: G2D − joint training`,
    kind: 'above',
    limit: 0,
    values: seeds.map((seed) => ({
      seed,
      value:
        ratioOf(data, { method: 'g2d', seed, split, modality: weak }) -
        ratioOf(data, { method: 'joint', seed, split, modality: weak }),
    })),
  };
}
