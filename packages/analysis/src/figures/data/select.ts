import { OptionError } from '@g2d/core';
import { meanAndDeviation } from '../../mean-interval.js';
import type { Run } from '../../run.js';
import type { FigureRuns, Tone } from './figure-data.js';

/** Seeds of which there is a run that `wanted` holds for, in ascending order. */
export function seedsOf(runs: readonly Run[]): number[] {
  return [...new Set(runs.map(({ config }) => config.seed))].sort((a, b) => a - b);
}

/** The student of a method and seed. */
export const studentOf = (runs: readonly Run[], method: string, seed: number): Run | undefined =>
  runs.find(({ config }) => config.kind === 'student' && config.method === method && config.seed === seed);

/** The teacher of a modality and seed, with its curves. */
export const teacherOf = (runs: readonly Run[], modality: string, seed: number): Run | undefined =>
  runs.find(
    ({ config }) => config.kind === 'teacher' && config.modalities[0] === modality && config.seed === seed,
  );

/**
 * The modalities of a dataset's students, in their order.
 *
 * @throws {OptionError} If there is no student, or they have different ones.
 */
export function modalitiesOf({ dataset, runs }: FigureRuns<Run>): readonly string[] {
  const lists = runs.filter(({ config }) => config.kind === 'student').map(({ config }) => config.modalities);
  const [first] = lists;
  if (first && lists.every((list) => list.join() === first.join())) return first;
  const found = [...new Set(lists.map((list) => list.join(', ')))].join('; ') || 'none';
  throw new OptionError(
    `A figure shows students of the same modalities, and those of ${dataset} have: ${found}. Give runs of one set of modalities.`,
    { option: 'runs', value: found, accepted: 'students of the same modalities' },
  );
}

/** The methods of a dataset's students that are wanted, in the order in which they are wanted. */
export const methodsOf = ({ runs }: FigureRuns<Run>, wanted: readonly string[]): string[] =>
  wanted.filter((method) => runs.some(({ config }) => config.kind === 'student' && config.method === method));

/** @throws {OptionError} If a dataset has no run of a method, or of a teacher, that a figure cannot do without. */
export function missingRun({ dataset }: { readonly dataset: string }, what: string): OptionError {
  return new OptionError(
    `There is no finished run of ${what} on ${dataset}. Train it, then draw the figure.`,
    {
      option: 'runs',
      value: dataset,
      accepted: `a finished run of ${what}`,
    },
  );
}

/** The modality of which the teachers are least confident: Eq. 5 over the epochs of runs with SMP, else of the teachers on test. */
export function weakestOf(confidences: Readonly<Record<string, number>>): string | undefined {
  const known = Object.entries(confidences).filter(([, rho]) => Number.isFinite(rho));
  return known.sort(([, a], [, b]) => a - b)[0]?.[0];
}

/** Mean of what is a number; `undefined` of nothing. */
export function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  return known.length > 0 ? meanAndDeviation(known).mean : undefined;
}

/** Mean and deviation for a bar. */
export function barOf(values: readonly number[]): { readonly value: number; readonly deviation?: number } {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return { value: NaN };
  const { mean, deviation } = meanAndDeviation(known);
  return { value: mean, ...(deviation !== undefined && { deviation }) };
}

/** One colour for each modality, in their order. */
export const MODALITY_TONES: readonly Tone[] = ['blue', 'orange', 'green', 'purple', 'sky', 'vermilion'];

/** One colour for each method, the same in every figure. */
export const METHOD_TONES: Readonly<Record<string, Tone>> = {
  teacher: 'gray',
  joint: 'vermilion',
  umt: 'purple',
  smp: 'green',
  'g2d-loss': 'sky',
  g2d: 'blue',
};

/** How a method is called in a picture. */
const LABELS: Readonly<Record<string, string>> = {
  teacher: 'teacher',
  joint: 'joint training',
  umt: 'UMT',
  smp: 'SMP',
  'g2d-loss': 'G2D loss',
  g2d: 'G2D',
};

export const labelOf = (method: string): string => LABELS[method] ?? method;
export const toneOf = (method: string): Tone => METHOD_TONES[method] ?? 'black';

/** `seed 0`, `mean of 3 seeds`. */
export const seedWords = (seeds: readonly number[]): string =>
  seeds.length === 1 ? `seed ${seeds[0]}` : `mean of ${seeds.length} seeds`;
