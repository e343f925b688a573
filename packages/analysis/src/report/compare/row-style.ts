import type { ComparisonRow, ComparisonTable } from '../../compare/compare-runs.js';
import { COLORS } from '../heads.js';
import type { LineSeries } from '../line-chart.js';

/** How a row is drawn everywhere on a page: on this page a colour is a method. */
export interface RowStyle {
  readonly color: string;
  readonly stroke: LineSeries['stroke'];
}

const STROKES: readonly LineSeries['stroke'][] = ['solid', 'dashed', 'dotted', 'dashdot'];

/** A colour for each of six rows, then the same colours with other strokes; teachers are grey. */
export function rowStyles({ rows, teachers }: ComparisonTable): Map<ComparisonRow, RowStyle> {
  const styles = new Map<ComparisonRow, RowStyle>();
  for (const [index, row] of rows.entries()) {
    const stroke = STROKES[Math.floor(index / COLORS) % STROKES.length] ?? 'solid';
    styles.set(row, { color: `m${index % COLORS}`, stroke });
  }
  for (const row of teachers) styles.set(row, { color: 'muted', stroke: 'solid' });
  return styles;
}
