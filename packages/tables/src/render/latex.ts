import { oneLine } from '@g2d/analysis/internal';
import {
  CLAIM_COLUMNS,
  claimLine,
  linesOf,
  usualSeeds,
  verdictWords,
  type PrintedCell,
  type PrintedTable,
} from './printed-table.js';

/** What LaTeX would take for a command, and letters that its plain fonts do not have. */
const LETTERS: Readonly<Record<string, string>> = {
  '\\': String.raw`\textbackslash{}`,
  '{': String.raw`\{`,
  '}': String.raw`\}`,
  '%': String.raw`\%`,
  '&': String.raw`\&`,
  '#': String.raw`\#`,
  $: String.raw`\$`,
  _: String.raw`\_`,
  '^': String.raw`\textasciicircum{}`,
  '~': String.raw`\textasciitilde{}`,
  '<': '$<$',
  '>': '$>$',
  '≥': String.raw`$\geq$`,
  '≤': String.raw`$\leq$`,
  '±': String.raw`$\pm$`,
  '−': '$-$',
  '×': String.raw`$\times$`,
  '✗': String.raw`$\times$`,
  '✓': String.raw`$\checkmark$`,
  '—': '---',
  '–': '--',
  '…': String.raw`\dots{}`,
  '²': '$^2$',
  '₁': '$_1$',
  α: String.raw`$\alpha$`,
  β: String.raw`$\beta$`,
  τ: String.raw`$\tau$`,
  κ: String.raw`$\kappa$`,
  δ: String.raw`$\delta$`,
  '“': '``',
  '”': "''",
  '’': "'",
};

/** Text in which LaTeX finds nothing but text. */
export const escapeLatex = (text: string): string =>
  oneLine(text)
    .replaceAll(/./gu, (letter) => LETTERS[letter] ?? letter)
    .replaceAll('?`', '?{}`')
    .replaceAll('!`', '!{}`');

function cellLatex({ text, mark }: PrintedCell): string {
  const escaped = escapeLatex(text);
  if (mark === 'best') return String.raw`\textbf{${escaped}}`;
  if (mark === 'second') return String.raw`\underline{${escaped}}`;
  return mark === 'doubt' ? `${escaped}$^?$` : escaped;
}

const line = (cells: readonly string[]): string => `${cells.join(' & ')} \\\\`;

function tabular(columns: string, header: readonly string[], lines: readonly string[]): string {
  return [
    String.raw`\begin{tabular}{${columns}}`,
    String.raw`\toprule`,
    line(header.map(escapeLatex)),
    String.raw`\midrule`,
    ...lines,
    String.raw`\bottomrule`,
    String.raw`\end{tabular}`,
  ].join('\n');
}

/** More columns are scaled down to the width of the page. */
const WIDE = 8;

/** A table for a paper: packages booktabs, amssymb and graphicx. Notes stand below it, claims in a table of their own. */
export function asLatex({ place, title, heading, grids, claims, notes }: PrintedTable): string {
  const usual = usualSeeds(grids);
  const parts = grids.map((grid) => {
    const lines = linesOf(grid, usual).map(({ label, kind, cells }) => {
      const name = escapeLatex(label.trim());
      const words = kind === 'ours' ? name : String.raw`\quad\textit{${name}}`;
      return line([words, ...cells.map(cellLatex)]);
    });
    const table = tabular(`l${'r'.repeat(grid.columns.length)}`, [grid.corner, ...grid.columns], lines);
    // Narrower letters would do for fewer.
    const fitted = grid.columns.length > WIDE ? String.raw`\resizebox{\linewidth}{!}{${table}}` : table;
    return grid.title === undefined ? fitted : `${escapeLatex(grid.title)}\\\\[2pt]\n${fitted}`;
  });
  const float = (caption: string, label: string, body: readonly string[]): string =>
    [
      String.raw`\begin{table*}`,
      String.raw`\centering`,
      String.raw`\caption{${escapeLatex(caption)}}`,
      String.raw`\label{tab:${label}}`,
      String.raw`\footnotesize\setlength{\tabcolsep}{3pt}`,
      body.join('\n\\\\[6pt]\n'),
      String.raw`\end{table*}`,
    ].join('\n');
  const below = [
    String.raw`\parbox{\linewidth}{\footnotesize Bold: best, underlined: second; $^?$: doubtful published value. ${notes.map(escapeLatex).join(' ')}}`,
  ];
  const verdicts =
    claims.length === 0
      ? []
      : [
          float(verdictWords(claims), `${place}-claims`, [
            tabular(
              'lllrlrlp{0.35\\linewidth}',
              CLAIM_COLUMNS,
              claims.map((claim) => line(claimLine(claim).map(escapeLatex))),
            ),
          ]),
        ];
  return [
    String.raw`% \usepackage{booktabs, amssymb, graphicx}`,
    float(`${title}. ${heading}`, place, [...parts, ...below]),
    ...verdicts,
  ].join('\n\n');
}
