import { formatNumber } from '@g2d/core';
import { formatCount, formatList, withPercent, withPoints } from '../format.js';
import { percentOf } from '../compare/cells.js';
import type { Task } from '../run.js';
import { standardError } from './comparison.js';
import { markup, type Markup } from './markup.js';

/** What the numbers say, in sentences. */
export interface Findings {
  readonly headline: string;
  readonly points: readonly Point[];
}

/** Stands on its own: what it is about, and what is to be said. */
export interface Point {
  readonly title: string;
  readonly text: string;
}

/** One point, or none where there is nothing to say. */
export const point = (title: string, text: string): Point[] => (text === '' ? [] : [{ title, text }]);

/** Sentences below the main picture. */
export function pointsList(points: readonly Point[]): Markup | undefined {
  if (points.length === 0) return undefined;
  return markup`<ul class="points">${points.map(({ title, text }) => markup`<li><h3>${title}</h3><p>${text}</p></li>`)}</ul>`;
}

/** Heads this far apart, or below their teachers, are worth a sentence, in points. */
export const NOTABLE_GAP = 5;

/** A head that lost this much to another one is, too. */
const NOTABLE_LOSS = 2;

/** By head, in percent. */
type Scores = Readonly<Record<string, number>>;

/** Less error is better. */
export const signOf = (isError: boolean): 1 | -1 => (isError ? -1 : 1);

/** `right on 84.3 % of the test samples`: what the main number says. `seeds` says over how many of them it is a mean. */
export function isHowGood(
  value: number | undefined,
  task: Task,
  { split = 'test', seeds }: { readonly split?: string; readonly seeds?: string } = {},
): string {
  const over = seeds === undefined ? '' : ` ${seeds}`;
  if (task === 'classification') return `right on ${withPercent(value)} of the ${split} samples${over}`;
  if (task === 'multi-label') return `at a micro F1 of ${withPercent(value)} on the ${split} split${over}`;
  return `${withPercent(value)} off on ${seeds === undefined ? 'average on ' : ''}the ${split} split (MAPE)${over}`;
}

/** Who comes behind the best. */
export function nextBest(label: string, value: number | undefined, more = ''): string {
  return `The next best, ${label}, reaches ${withPercent(value)}${more}.`;
}

/** What is said of a lead that another draw could turn round. */
export function canBeChance(points: number): string {
  return `a difference of ${withPoints(points)} can be chance`;
}

/** How far a head is from its teacher. */
export interface Gap {
  readonly modality: string;
  readonly head: number;
  readonly teacher: number;
  /** In points, positive where the teacher is better. */
  readonly gap: number;
}

/** Distances of heads to their teachers, the largest first. */
export function gapsToTeachers(heads: Scores, teachers: Scores, isError = false): Gap[] {
  return Object.entries(teachers)
    .flatMap(([modality, teacher]) => {
      const head = heads[modality];
      if (head === undefined) return [];
      return [{ modality, head, teacher, gap: signOf(isError) * (teacher - head) }];
    })
    .sort((a, b) => b.gap - a.gap);
}

/** `20.7 points below its teacher (58.5 %)`. */
export function fromTeacher({ gap, teacher }: Gap, where: 'below' | 'behind'): string {
  return `${withPoints(gap)} ${where} its teacher (${withPercent(teacher)})`;
}

/** `15.8 points of audio` for each head that is notably worse than before. */
export function losses(before: Scores, after: Scores, isError = false): string[] {
  return Object.entries(after).flatMap(([modality, value]) => {
    const loss = signOf(isError) * ((before[modality] ?? NaN) - value);
    return loss >= NOTABLE_LOSS ? [`${withPoints(loss)} of ${modality}`] : [];
  });
}

/** What such a loss was paid for. */
export function givesUp(who: string, lost: readonly string[]): string {
  return `${who} gives up ${formatList(lost)}`;
}

/** How much one accuracy on so many samples can be off. */
export function samplingError(seed: number, samples = 0, value?: number): Point[] {
  if (samples === 0 || value === undefined) return [];
  const text = `One seed (${seed}), ${formatCount(samples)} test samples: an accuracy near ${withPercent(value)} has a sampling error of ±${formatNumber(standardError(value, samples))}\u00a0points (one standard error). What another seed would change comes on top and is not measured here.`;
  return point('How sure is this?', text);
}

/** What intervals of a mean over seeds say. `counts`: the numbers of seeds of the rows. */
export function seedsError(counts: readonly number[], level: number): Point[] {
  const several = counts.filter((count) => count > 1);
  const [least, most] = [Math.min(...several), Math.max(...several)];
  if (several.length === 0) return [];
  const few = least < 6 ? ' So few seeds say little about their spread, which makes them wide.' : '';
  const n = least === most ? `${least}` : `${least} to ${most}`;
  const text = `Intervals are ${percentOf(level)} intervals of the mean over n = ${n} seeds by Student’s t; those of gains are of the differences seed by seed.${few} The test samples are the same for all seeds; what other samples would change is not in them.`;
  return point('How sure is this?', text);
}
