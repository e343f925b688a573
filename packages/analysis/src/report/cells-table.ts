import { markup, type Markup, type Part } from './markup.js';

/** A line of a table: what it is the line of, then its cells. */
export interface TableLine {
  readonly cells: readonly Part[];
  /** CSS class. */
  readonly kind?: string | undefined;
}

/** A table that scrolls in a box of its own: results are numbers, configurations are words. */
export function cellsTable(
  kind: 'results' | 'results compared' | 'config',
  header: readonly string[],
  lines: readonly TableLine[],
): Markup {
  const number = kind !== 'config' && markup` class="number"`;
  return markup`<div class="scroll"><table class="${kind}"><thead><tr>${header.map((cell, column) => markup`<th scope="col"${column > 0 && number}>${cell}</th>`)}</tr></thead><tbody>${lines.map(
    (line) =>
      markup`<tr${line.kind !== undefined && markup` class="${line.kind}"`}>${line.cells.map((cell, column) => (column === 0 ? markup`<th scope="row">${cell}</th>` : markup`<td${number}>${cell}</td>`))}</tr>`,
  )}</tbody></table></div>`;
}
