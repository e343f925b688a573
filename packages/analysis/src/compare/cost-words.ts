import { formatCount, formatSeconds, shortNumber } from '../format.js';
import type { RowCost, TeachersCost } from './cost.js';

/** `930`; fewer than ten with a digit after the point, as a short stage may have. */
export const stepsWords = (steps: number): string =>
  steps < 10 ? shortNumber(steps, 2) : formatCount(Math.round(steps));

/** Two digits, and a third where 1.02 would read as none more. */
const shortRatio = (ratio: number): string => shortNumber(ratio, ratio >= 1 && ratio < 1.1 ? 3 : 2);

/** `2.1 ×`. */
export const timesWords = (ratio: number): string => `${shortRatio(ratio)} ×`;

type Part = RowCost | TeachersCost;

/** `930 + 900`: of a row, and of its teachers where it needed some; `?` where they are not known. */
function withTeachers(cost: RowCost, read: (part: Part) => string | undefined): string | undefined {
  const own = read(cost);
  return own === undefined || !cost.teachers ? own : `${own} + ${read(cost.teachers) ?? '?'}`;
}

export const stepsCell = (cost: RowCost): string | undefined =>
  withTeachers(cost, ({ steps }) => steps && stepsWords(steps.mean));

/** @param joint Joint steps of the row that others are compared with. */
export const ratioCell = (cost: RowCost, joint: number | undefined): string | undefined =>
  joint === undefined || joint === 0
    ? undefined
    : withTeachers(cost, ({ steps }) => steps && shortRatio(steps.mean / joint));

export const secondsCell = (cost: RowCost): string | undefined =>
  withTeachers(cost, ({ seconds }) => seconds && formatSeconds(seconds.mean));
