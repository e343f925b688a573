import { cellsTable, commandBlock, markup, renderPage, type Part } from '@g2d/analysis/internal';
import {
  CLAIM_COLUMNS,
  claimLine,
  claimNotes,
  linesOf,
  usualSeeds,
  verdictWords,
  type PrintedCell,
  type PrintedTable,
} from './printed-table.js';

function cellMarkup({ text, mark, isBetter }: PrintedCell): Part {
  if (mark === 'best') return markup`<b>${text}</b>`;
  if (mark === 'second') return markup`<u>${text}</u>`;
  if (mark === 'doubt') return markup`${text}<sup>?</sup>`;
  if (isBetter !== undefined) return markup`<span class="${isBetter ? 'better' : 'worse'}">${text}</span>`;
  return text;
}

const list = (notes: readonly string[]): Part =>
  notes.length > 0 && markup`<ul class="notes">${notes.map((note) => markup`<li>${note}</li>`)}</ul>`;

/** A self-contained page: the table, the claims, the notes. */
export function asPage({ title, heading, grids, claims, notes, command }: PrintedTable): string {
  const usual = usualSeeds(grids);
  const tables = grids.map((grid) => {
    const lines = linesOf(grid, usual).map(({ label, kind, cells }) => ({
      cells: [label.trim(), ...cells.map(cellMarkup)],
      kind: kind === 'ours' ? 'student' : 'reference',
    }));
    return markup`${grid.title !== undefined && markup`<h3 class="table-title">${grid.title}</h3>`}${cellsTable('results compared', [grid.corner, ...grid.columns], lines)}`;
  });
  const verdicts = claims.map((claim) => ({ cells: claimLine(claim), kind: 'student' }));
  return renderPage({
    title,
    lead: heading,
    headline: claims.length === 0 ? 'No claim is tested here.' : verdictWords(claims),
    overview: tables,
    sections: [
      {
        id: 'claims',
        title: 'The paper’s claims',
        hint: 'Paired by seed: mean and 95 % Student’s t interval of the differences; “best” is tested against each of the others (Holm), one seed by McNemar’s exact test. Open: neither shown nor refuted.',
        content: claims.length > 0 && [
          cellsTable('config', CLAIM_COLUMNS, verdicts),
          list(claimNotes(claims)),
        ],
      },
      {
        id: 'notes',
        title: 'Notes',
        hint: 'Bold: best, underlined: second of its row or column; ?: doubtful published value; —: not run.',
        content: list(notes),
      },
      {
        id: 'command',
        title: 'Again',
        hint: 'What is finished is not trained again.',
        content: commandBlock(command),
      },
    ],
  });
}
