import { escapeMarkdown, markdownTable } from '@g2d/analysis/internal';
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

const LEGEND = 'Bold: best, underlined: second of its row or column; ? doubtful published value.';

function cellMarkdown({ text, mark }: PrintedCell): string {
  const escaped = escapeMarkdown(text);
  if (mark === 'best') return `**${escaped}**`;
  if (mark === 'second') return `<u>${escaped}</u>`;
  return mark === 'doubt' ? `${escaped}?` : escaped;
}

/** A table for a README. */
export function asMarkdown({ title, heading, grids, claims, notes }: PrintedTable): string {
  const usual = usualSeeds(grids);
  const parts = grids.map((grid) => {
    const header = [grid.corner, ...grid.columns].map(escapeMarkdown);
    const lines = linesOf(grid, usual).map(({ label, kind, cells }) => [
      kind === 'ours' ? escapeMarkdown(label.trim()) : `_${label.trim()}_`,
      ...cells.map(cellMarkdown),
    ]);
    const heads = grid.title === undefined ? [] : [`**${escapeMarkdown(grid.title)}**`];
    return [...heads, markdownTable(header, lines)].join('\n\n');
  });
  const list = (all: readonly string[]): string => all.map((note) => `- ${escapeMarkdown(note)}`).join('\n');
  const verdicts =
    claims.length === 0
      ? []
      : [
          `**${escapeMarkdown(verdictWords(claims))}**`,
          markdownTable(
            [...CLAIM_COLUMNS],
            claims.map((claim) => claimLine(claim).map(escapeMarkdown)),
          ),
          list(claimNotes(claims)),
        ];
  return [
    `### ${escapeMarkdown(title)}`,
    escapeMarkdown(heading),
    ...parts,
    ...verdicts,
    list([LEGEND, ...notes]),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
