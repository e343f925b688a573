import { formatNumber } from '@g2d/core';
import type { FilledCell, FilledGrid } from '../layout/fill.js';

/** The mean rank of each row over the columns in which all rows have a number: ours, and the published. */
export function meanRanks(grids: readonly FilledGrid[]): string[] {
  return grids.flatMap((grid) => {
    const words = (['mean', 'published'] as const).flatMap((key) => {
      const ranks = ranksBy(grid, (cell) => cell[key]);
      return ranks.length === 0 ? [] : [`${key === 'mean' ? 'ours' : 'published'} ${ranks.join(', ')}`];
    });
    return words.length === 0 ? [] : [`Mean rank over the data: ${words.join('; ')}.`];
  });
}

function ranksBy({ rows, columns }: FilledGrid, value: (cell: FilledCell) => number | undefined): string[] {
  const valuesOf = (column: number): (number | undefined)[] =>
    rows.map(({ cells }) => cells[column] && value(cells[column]));
  const whole = columns
    .map((_, at) => valuesOf(at))
    .filter((values) => values.every((one) => one !== undefined)) as number[][];
  if (whole.length === 0) return [];
  return rows
    .map(({ label }, row) => {
      // Equal values share the mean of their places.
      const ranks = whole.map((values) => {
        const own = values[row] as number;
        const above = values.filter((other) => other > own).length;
        return above + (values.filter((other) => other === own).length + 1) / 2;
      });
      return { label, rank: ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length };
    })
    .sort((a, b) => a.rank - b.rank)
    .map(({ label, rank }) => `${label} ${formatNumber(rank)}`);
}
