import type { Score } from './score.js';

/** What stands in a cell: a score, or by how much one is above another, seed by seed. */
export type GridCell =
  | { readonly kind: 'score'; readonly score: Score }
  | { readonly kind: 'difference'; readonly of: Score; readonly minus: Score };

/** One line of a table. */
export interface GridRow {
  readonly label: string;
  /** `undefined`: nothing stands there, in the paper neither. */
  readonly cells: readonly (GridCell | undefined)[];
  /** Nobody is best here: of differences. */
  readonly isDerived?: boolean;
}

/** A table of the paper, or a part of one with columns of its own. */
export interface Grid {
  readonly title?: string;
  /** Over the labels of the rows. */
  readonly corner: string;
  readonly columns: readonly string[];
  readonly rows: readonly GridRow[];
  /** Whose cells compete: those of a row, or those of a column. Teachers never do. */
  readonly contest: 'row' | 'column';
  /** Digits behind the point. Default: 2, as in the paper. */
  readonly decimals?: number;
}

export const scoreCell = (score: Score): GridCell => ({ kind: 'score', score });
