import { csvText } from '@g2d/analysis/internal';
import type { FilledCell } from '../layout/fill.js';
import type { PrintedTable } from './printed-table.js';

const HEADER = [
  'table',
  'scale',
  'protocol',
  'part',
  'row',
  'column',
  'kind',
  'dataset',
  'method',
  'case',
  'head',
  'metric',
  'seeds',
  'n',
  'mean',
  'sd',
  'rank',
  'published',
  'doubt',
  'difference',
] as const;

/** Every cell as a line, with all its digits. */
export function asCsv({ place, scale, protocol, grids }: PrintedTable): string {
  const lines = grids.flatMap(({ title = '', columns, rows }) =>
    rows.flatMap(({ label, cells }) =>
      cells.flatMap((cell, at) =>
        cell ? [[place, scale, protocol, title, label.trim(), columns[at], ...numbersOf(cell)]] : [],
      ),
    ),
  );
  return csvText([HEADER, ...lines]);
}

function numbersOf(filled: FilledCell): readonly (string | number | undefined)[] {
  const { cell, seeds, mean, deviation, rank, published, doubt, difference } = filled;
  const { dataset, method, case: name, head, metric } = cell.kind === 'score' ? cell.score : cell.of;
  return [
    cell.kind,
    dataset,
    method,
    name,
    head,
    metric,
    seeds.join(' '),
    seeds.length,
    mean,
    deviation,
    rank,
    published,
    doubt,
    difference,
  ];
}
