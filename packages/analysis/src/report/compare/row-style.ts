import type { ComparisonRow, ComparisonTable } from '../../compare/comparison.js';
import { COLORS } from '../heads.js';
import type { LineSeries } from '../line-chart.js';

/** The form of a dot. */
export type MarkShape = 'circle' | 'diamond' | 'square' | 'triangle';

/** How a row is drawn everywhere on a page: on this page a colour is a method. */
export interface RowStyle {
  readonly color: string;
  readonly stroke: LineSeries['stroke'];
  readonly shape: MarkShape;
}

const STROKES: readonly LineSeries['stroke'][] = ['solid', 'dashed', 'dotted', 'dashdot'];
const SHAPES: readonly MarkShape[] = ['circle', 'diamond', 'square', 'triangle'];

/** What is drawn for a row that has no style of its own. */
export const PLAIN: RowStyle = { color: 'muted', stroke: 'solid', shape: 'circle' };

/** A colour for each of six rows, then the same colours with other strokes and shapes; teachers are grey. */
export function rowStyles({ rows, teachers }: ComparisonTable): Map<ComparisonRow, RowStyle> {
  const styles = new Map<ComparisonRow, RowStyle>();
  for (const [index, row] of rows.entries()) {
    const round = Math.floor(index / COLORS) % STROKES.length;
    const stroke = STROKES[round] ?? 'solid';
    const shape = SHAPES[round] ?? 'circle';
    styles.set(row, { color: `m${index % COLORS}`, stroke, shape });
  }
  for (const row of teachers) styles.set(row, PLAIN);
  return styles;
}
