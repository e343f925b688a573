import { foldColumns, oneLine, textTable, wrapped } from '@g2d/analysis/internal';
import {
  CLAIM_COLUMNS,
  claimLine,
  claimNotes,
  claimWords,
  linesOf,
  usualSeeds,
  verdictWords,
  type PrintedCell,
  type PrintedTable,
} from './printed-table.js';

const MARKS = { best: '¹', second: '²', doubt: '?' } as const;

/** What the marks of this format mean. */
export const TEXT_LEGEND = '¹ best and ² second of its row or column; ? doubtful published value.';

const cellText = ({ text, mark }: PrintedCell): string => (mark ? text + MARKS[mark] : text);

/** A table for a terminal. @param width In characters; a table that is wider goes on below itself. */
export function asText(table: PrintedTable, width: number): string {
  const { title, heading, grids, claims, notes } = table;
  const usual = usualSeeds(grids);
  const parts = grids.map((grid) => {
    const header = [grid.corner, ...grid.columns];
    const lines = linesOf(grid, usual).map(({ label, cells }) => [label, ...cells.map(cellText)]);
    return [...(grid.title === undefined ? [] : [grid.title]), folded(header, lines, width)].join('\n\n');
  });
  const verdicts = claims.length === 0 ? [] : [verdictWords(claims), claimsText(table, width)];
  const all = [TEXT_LEGEND, ...notes].map((note) => `* ${wrapped(oneLine(note), width)}`);
  return [
    oneLine(title),
    wrapped(oneLine(heading), width).replaceAll('\n  ', '\n'),
    ...parts,
    ...verdicts,
    all.join('\n'),
  ].join('\n\n');
}

function folded(header: readonly string[], lines: readonly (readonly string[])[], width: number): string {
  return foldColumns([header, ...lines], width)
    .map((columns) => {
      const pick = (line: readonly string[]): string[] => columns.map((column) => line[column] ?? '');
      return textTable(pick(header), lines.map(pick));
    })
    .join('\n\n');
}

/** The inequality is long: it stands in a line of its own. */
function claimsText({ claims }: PrintedTable, width: number): string {
  const lines = claims.map((claim) => {
    const [id, dataset, ...rest] = claimLine(claim).slice(0, -1);
    return [`${id} ${dataset}`, ...rest];
  });
  const header = ['claim', ...CLAIM_COLUMNS.slice(2, -1)];
  const words = claimWords(claims);
  const reasons = claimNotes(claims);
  return [
    folded(header, lines, width),
    [...words, ...reasons]
      .map((line) => `  ${wrapped(oneLine(line), width).replaceAll('\n  ', '\n    ')}`)
      .join('\n'),
  ].join('\n\n');
}
