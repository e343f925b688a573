import { meanAndDeviation } from '@g2d/analysis';
import { formatNumber } from '@g2d/core';
import type { PaperCell } from '../data/paper-values.js';
import { commonSeeds, scoreOf } from '../statistics/arm.js';
import { kendall } from '../statistics/kendall.js';
import type { Gathered, Scores } from './gather.js';
import type { Grid, GridCell, GridRow } from './grid.js';
import type { Translation } from './published.js';
import { isError, type Score } from './score.js';

/** A cell with its numbers. */
export interface FilledCell {
  readonly cell: GridCell;
  /** Over seeds; absent where nothing has been run. */
  readonly mean?: number;
  /** Sample deviation; absent for one seed. */
  readonly deviation?: number;
  readonly seeds: readonly number[];
  /** Best and second of its row or column, by the mean as it is shown. */
  readonly rank?: 'best' | 'second';
  readonly published?: number;
  /** The level of a doubt about the published number. */
  readonly doubt?: string;
  /** Ours minus the published number: only where both are of the same setting. */
  readonly difference?: number;
  readonly isBetterLow: boolean;
  /** Seeds that are planned and not there. */
  readonly without: readonly number[];
}

/** A line with its numbers. */
export interface FilledRow {
  readonly label: string;
  readonly isDerived: boolean;
  readonly cells: readonly (FilledCell | undefined)[];
}

/** A table with its numbers. */
export interface FilledGrid extends Omit<Grid, 'rows'> {
  readonly rows: readonly FilledRow[];
  /** How much of the published order came back, by row or column. */
  readonly agreement: readonly { readonly of: string; readonly tau: number; readonly count: number }[];
}

/** As they are printed: what looks equal is equal. */
export const DECIMALS = 2;

const shown = (value: number): number => Number(formatNumber(value, DECIMALS));

/**
 * @param comparable Whether a cell's runs are of the paper's setting, so that a difference means something.
 */
export function fillGrid(
  grid: Grid,
  {
    scores,
    translation,
    comparable,
  }: {
    readonly scores: Scores;
    readonly translation: Translation;
    readonly comparable: (gathered: Gathered) => boolean;
  },
): FilledGrid {
  const fill = (cell: GridCell | undefined): FilledCell | undefined =>
    cell && (cell.kind === 'score' ? ofScore(cell) : ofDifference(cell));

  function ofScore(cell: Extract<GridCell, { kind: 'score' }>): FilledCell {
    const gathered = scores.of(cell.score);
    const seeds = commonSeeds([gathered]);
    const values = seeds.map((seed) => scoreOf(gathered, seed));
    return made(cell, cell.score, {
      values,
      seeds,
      published: [translation.published(cell.score)],
      isComparable: comparable(gathered),
      without: gathered.without,
    });
  }

  function ofDifference(cell: Extract<GridCell, { kind: 'difference' }>): FilledCell {
    const [of, minus] = [scores.of(cell.of), scores.of(cell.minus)];
    const seeds = commonSeeds([of, minus]);
    return made(cell, cell.of, {
      values: seeds.map((seed) => scoreOf(of, seed) - scoreOf(minus, seed)),
      seeds,
      published: [translation.published(cell.of), translation.published(cell.minus)],
      isComparable: comparable(of) && comparable(minus),
      without: [...new Set([...of.without, ...minus.without])],
    });
  }

  const rows = grid.rows.map(({ label, cells, isDerived = false }: GridRow) => ({
    label,
    isDerived,
    cells: cells.map(fill),
  }));
  const contests = contestsOf(grid, rows);
  const ranks = new Map(contests.flatMap(({ cells }) => ranksOf(cells)));
  return {
    ...grid,
    rows: rows.map((row) => ({
      ...row,
      cells: row.cells.map((cell) => {
        const rank = cell && ranks.get(cell);
        return rank ? { ...cell, rank } : cell;
      }),
    })),
    agreement: contests.flatMap(({ name, cells }) => {
      const both = cells.filter(({ mean, published }) => mean !== undefined && published !== undefined);
      const tau = kendall(
        both.map(({ mean }) => mean as number),
        both.map(({ published }) => published as number),
      );
      // Of two there is nothing but right and wrong, which the claims say.
      return tau === undefined || both.length < 3 ? [] : [{ of: name, tau, count: both.length }];
    }),
  };
}

interface Numbers {
  readonly values: readonly number[];
  readonly seeds: readonly number[];
  /** Of a difference, of both sides. */
  readonly published: readonly (PaperCell | undefined)[];
  readonly isComparable: boolean;
  readonly without: readonly number[];
}

function made(cell: GridCell, score: Score, numbers: Numbers): FilledCell {
  const { values, seeds, isComparable, without } = numbers;
  const { mean, deviation } = values.length > 0 ? meanAndDeviation(values) : {};
  const cells = numbers.published.flatMap((one) => one ?? []);
  const [first, second] = cells.map(({ value }) => value);
  const isWhole = cells.length === numbers.published.length;
  const published = isWhole && first !== undefined ? first - (second ?? 0) : undefined;
  const doubt = cells.find((one) => one.doubt !== undefined && one.doubt !== UNCHECKED)?.doubt;
  return {
    cell,
    seeds,
    without,
    isBetterLow: isError(score),
    ...(mean !== undefined && { mean }),
    ...(deviation !== undefined && { deviation }),
    ...(published !== undefined && { published: shown(published) }),
    ...(published !== undefined && doubt !== undefined && { doubt }),
    ...(mean !== undefined && published !== undefined && isComparable && { difference: mean - published }),
  };
}

/** That a number stands once in the paper is no doubt about it. */
const UNCHECKED = 'unchecked';

interface Contest {
  readonly name: string;
  readonly cells: readonly FilledCell[];
}

/** Cells that compete: of a row or a column, without teachers and differences. */
function contestsOf({ contest, columns, title }: Grid, rows: readonly FilledRow[]): Contest[] {
  const own = rows.filter(({ isDerived }) => !isDerived);
  const competing = (cells: readonly (FilledCell | undefined)[]): FilledCell[] =>
    cells.flatMap((one) => (one && !isTeacher(one) ? [one] : []));
  return contest === 'row'
    ? own.map(({ label, cells }) => ({
        name: own.length === 1 ? (title ?? label) : label,
        cells: competing(cells),
      }))
    : columns.map((name, at) => ({ name, cells: competing(own.map(({ cells }) => cells[at])) }));
}

const isTeacher = ({ cell }: FilledCell): boolean => cell.kind === 'score' && cell.score.method === 'teacher';

/** Equal ones share a place; where several are best, none is second. */
function ranksOf(cells: readonly FilledCell[]): [FilledCell, 'best' | 'second'][] {
  const run = cells.filter(({ mean }) => mean !== undefined);
  const sign = run[0]?.isBetterLow ? -1 : 1;
  const height = ({ mean }: FilledCell): number => sign * shown(mean as number);
  const heights = [...new Set(run.map(height))].sort((a, b) => b - a);
  const best = run.filter((cell) => height(cell) === heights[0]);
  if (run.length < 2 || best.length === run.length) return [];
  const second = best.length > 1 ? [] : run.filter((cell) => height(cell) === heights[1]);
  return [
    ...best.map((cell): [FilledCell, 'best'] => [cell, 'best']),
    ...second.map((cell): [FilledCell, 'second'] => [cell, 'second']),
  ];
}
