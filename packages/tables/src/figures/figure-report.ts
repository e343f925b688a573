import type { FigureData } from '@g2d/analysis';
import {
  escapeMarkdown,
  foldColumns,
  markdownTable,
  oneLine,
  textTable,
  wrapped,
} from '@g2d/analysis/internal';
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

const COLUMNS = ['claim', 'is', 'data', 'mean', '95 % interval', 'n', 'verdict'];

const LIMITS: Readonly<Record<JudgedFigureClaim['kind'], (limit: number) => string>> = {
  above: (limit) => `> ${limit}`,
  below: (limit) => `< ${limit}`,
  'at most': (limit) => `≤ ${limit}`,
  always: () => '= 1 with every seed',
};

/** For a terminal. @param width In characters. */
export function figureText({ figure, heading, claims, notes }: FigureReport, width: number): string {
  // Words to the left, numbers to the right.
  const rows = [
    COLUMNS.filter((column) => column !== 'is'),
    ...claims.map((claim) => {
      const [id, words, ...rest] = cellsOf(claim);
      return [`${id} ${words}`, ...rest];
    }),
  ];
  const tables = foldColumns(rows, width).map((columns) => {
    const [header = [], ...lines] = rows.map((row) => columns.map((column) => row[column] ?? ''));
    return textTable(header, lines);
  });
  return [
    `Figure ${figure.number}. ${oneLine(figure.title)}`,
    wrapped(oneLine(heading), width).replaceAll('\n  ', '\n'),
    ...tables,
    [...reasonsOf(claims), ...figure.notes, ...notes]
      .map((note) => `* ${wrapped(oneLine(note), width)}`)
      .join('\n'),
  ].join('\n\n');
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
    [...reasonsOf(claims), ...figure.notes, ...notes].map((note) => `- ${escapeMarkdown(note)}`).join('\n'),
    `\`${command}\``,
  ].join('\n\n');
}

function cellsOf({ id, words, kind, limit, dataset, judged }: JudgedFigureClaim): string[] {
  const { verdict, mean, interval, n } = judged;
  const isDifference = kind === 'above' || kind === 'below';
  const shown = isDifference ? signed : plain;
  const range = interval && `${shown(interval.lower)} to ${shown(interval.upper)}`;
  return [
    id === '' ? 'beside' : id,
    `${words} ${LIMITS[kind](limit)}`,
    oneLine(dataset),
    mean === undefined ? '' : shown(mean),
    range ?? '',
    n === undefined ? '' : String(n),
    verdict,
  ];
}

/** Why a claim has its verdict, each reason once. */
function reasonsOf(claims: readonly JudgedFigureClaim[]): string[] {
  const reasons = [...new Set(claims.flatMap(({ judged }) => judged.why ?? []))];
  return reasons.map((why) => {
    const of = claims.filter(({ judged }) => judged.why === why);
    const names = new Set(of.map(({ id, dataset }) => `${id === '' ? 'beside' : id}, ${dataset}`));
    return `${of.length === claims.length ? 'All claims' : [...names].join('; ')}: ${why}.`;
  });
}

/** With a true minus sign. */
const plain = (value: number): string => formatDigits(value, 3).replace('-', '−');

const signed = (value: number): string => (value > 0 ? `+${plain(value)}` : plain(value));
