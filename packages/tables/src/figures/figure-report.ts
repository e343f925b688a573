import type { FigureData } from '@g2d/analysis';
import { escapeMarkdown, markdownTable, oneLine, textTable, wrapped } from '@g2d/analysis/internal';
import { formatDigits } from '@g2d/core';
import type { JudgedFigureClaim } from './judge-claims.js';

/** What stands below a figure. */
export interface FigureReport {
  readonly figure: FigureData;
  /** Scale, protocol, seeds. */
  readonly heading: string;
  readonly claims: readonly JudgedFigureClaim[];
  /** Beside those of the figure. */
  readonly notes: readonly string[];
  /** The command line that makes it again. */
  readonly command: string;
}

const COLUMNS = ['claim', 'data', 'mean', '95 % interval', 'n', 'verdict'];

const LIMITS: Readonly<Record<JudgedFigureClaim['kind'], (limit: number) => string>> = {
  above: (limit) => `> ${limit}`,
  below: (limit) => `< ${limit}`,
  'at most': (limit) => `≤ ${limit}`,
  always: () => '= 1 with every seed',
};

/** `F4.1: gap …: G2D − joint training > 0`. */
export const claimWords = ({ id, words, kind, limit }: JudgedFigureClaim): string =>
  `${id === '' ? 'beside' : id}: ${words} ${LIMITS[kind](limit)}`;

/** For a terminal. @param width In characters. */
export function figureText({ figure, heading, claims, notes }: FigureReport, width: number): string {
  const lines = claims.map((claim) => cellsOf(claim));
  return [
    `Figure ${figure.number}. ${oneLine(figure.title)}`,
    wrapped(oneLine(heading), width).replaceAll('\n  ', '\n'),
    textTable(COLUMNS, lines),
    claims.map((claim) => `  ${wrapped(oneLine(claimLine(claim)), width)}`).join('\n'),
    [...figure.notes, ...notes].map((note) => `* ${wrapped(oneLine(note), width)}`).join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** For a README, with the picture of that name beside it. */
export function figureMarkdown(
  { figure, heading, claims, notes, command }: FigureReport,
  picture: string,
): string {
  const title = `Figure ${figure.number}. ${figure.title}`;
  return [
    `### ${escapeMarkdown(title)}`,
    `![${escapeMarkdown(title)}](${picture})`,
    escapeMarkdown(heading),
    markdownTable(
      [...COLUMNS],
      claims.map((claim) => cellsOf(claim).map(escapeMarkdown)),
    ),
    claims.map((claim) => `- ${escapeMarkdown(claimLine(claim))}`).join('\n'),
    [...figure.notes, ...notes].map((note) => `- ${escapeMarkdown(note)}`).join('\n'),
    `\`${command}\``,
  ].join('\n\n');
}

function cellsOf({ id, dataset, judged }: JudgedFigureClaim): string[] {
  const { verdict, mean, interval, n } = judged;
  const range = interval && `${signed(interval.lower)} to ${signed(interval.upper)}`;
  return [
    id === '' ? 'beside' : id,
    oneLine(dataset),
    mean === undefined ? '' : signed(mean),
    range ?? '',
    n === undefined ? '' : String(n),
    verdict,
  ];
}

const claimLine = (claim: JudgedFigureClaim): string => {
  const { dataset, judged } = claim;
  const why = judged.why === undefined ? '' : ` (${judged.why})`;
  return `${claimWords(claim)}, ${dataset}${why}`;
};

/** With a true minus sign. */
function signed(value: number): string {
  const text = formatDigits(value, 3);
  return value > 0 ? `+${text}` : text.replace('-', '−');
}
