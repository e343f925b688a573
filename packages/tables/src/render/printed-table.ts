import { formatNumber } from '@g2d/core';
import type { FilledCell, FilledGrid, FilledRow } from '../layout/fill.js';
import { DECIMALS } from '../layout/fill.js';
import type { JudgedClaim } from '../verdicts.js';

/** A table with everything that is printed of it, in whatever format. */
export interface PrintedTable {
  /** `table-4`. */
  readonly place: string;
  readonly scale: string;
  readonly protocol: string;
  readonly title: string;
  /** What these runs are, below the title. */
  readonly heading: string;
  readonly grids: readonly FilledGrid[];
  readonly claims: readonly JudgedClaim[];
  readonly notes: readonly string[];
  /** The command line that prints it again. */
  readonly command?: string | undefined;
}

/** A cell as text; every format marks the best and the doubtful in its own way. */
export interface PrintedCell {
  readonly text: string;
  readonly mark?: 'best' | 'second' | 'doubt';
  /** Of a difference: whether ours is the better one. */
  readonly isBetter?: boolean;
}

/** A line of a table. */
export interface PrintedLine {
  readonly label: string;
  readonly kind: 'ours' | 'published' | 'difference';
  readonly cells: readonly PrintedCell[];
}

/** What has not been run. */
export const NONE = '—';

const EMPTY: PrintedCell = { text: '' };

/**
 * The lines of a table: ours, and below each the published numbers and what is between the two, where there are any.
 *
 * @param usual The number of seeds that is not said again in every cell.
 */
export function linesOf({ rows, decimals = DECIMALS }: FilledGrid, usual: number): readonly PrintedLine[] {
  return rows.flatMap((row) => {
    const { label, cells } = row;
    const has = (key: 'published' | 'difference'): boolean => cells.some((cell) => cell?.[key] !== undefined);
    return [
      { label, kind: 'ours', cells: cells.map((cell) => ours(cell, row, { usual, decimals })) },
      ...(has('published') ? [published(row, decimals)] : []),
      ...(has('difference') ? [difference(row, decimals)] : []),
    ];
  });
}

function ours(
  cell: FilledCell | undefined,
  { isDerived }: FilledRow,
  { usual, decimals }: { readonly usual: number; readonly decimals: number },
): PrintedCell {
  if (!cell) return EMPTY;
  const { mean, deviation, seeds, rank } = cell;
  if (mean === undefined) return { text: NONE };
  const spread = deviation === undefined ? '' : ` ± ${formatNumber(deviation, decimals)}`;
  const count = seeds.length === usual ? '' : ` (n=${seeds.length})`;
  const text = `${isDerived ? signed(mean, decimals) : plain(mean, decimals)}${spread}${count}`;
  return { text, ...(rank && { mark: rank }) };
}

const published = ({ cells, isDerived }: FilledRow, decimals: number): PrintedLine => ({
  label: '  published',
  kind: 'published',
  cells: cells.map((cell) => {
    if (cell?.published === undefined) return EMPTY;
    const text = isDerived ? signed(cell.published, decimals) : plain(cell.published, decimals);
    return cell.doubt === undefined ? { text } : { text, mark: 'doubt' };
  }),
});

const difference = ({ cells }: FilledRow, decimals: number): PrintedLine => ({
  label: '  difference',
  kind: 'difference',
  cells: cells.map((cell) => {
    if (cell?.difference === undefined) return EMPTY;
    const isBetter = cell.difference > 0 !== cell.isBetterLow;
    return { text: signed(cell.difference, decimals), isBetter };
  }),
});

/** With a true minus sign. */
const plain = (value: number, decimals: number): string => formatNumber(value, decimals).replace('-', '−');

export function signed(value: number, decimals = DECIMALS): string {
  const text = formatNumber(value, decimals);
  return Number(text) > 0 ? `+${text}` : text.replace('-', '−');
}

/** How many seeds most cells have. */
export function usualSeeds(grids: readonly FilledGrid[]): number {
  const counts = new Map<number, number>();
  for (const cell of grids.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells))) {
    const n = cell?.seeds.length ?? 0;
    if (n > 0) counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  return [...counts].sort(([a, one], [b, two]) => two - one || b - a)[0]?.[0] ?? 0;
}

/** Claims as a table: its header, and a line for each. */
export const CLAIM_COLUMNS = [
  'claim',
  'data',
  'verdict',
  'by',
  '95 % interval',
  'n',
  'published',
  'what',
] as const;

/** A claim in the order of `CLAIM_COLUMNS`, and what else there is to say of it. */
export function claimLine(judged: JudgedClaim): readonly string[] {
  const { id, dataset, claim, verdict, mean, interval, n, published: inPaper } = judged;
  const range = interval && `${signed(interval.lower)} to ${signed(interval.upper)}`;
  return [
    id,
    dataset,
    verdict,
    verdict === 'not tested' || mean === undefined ? '' : signed(mean),
    verdict === 'not tested' ? '' : (range ?? ''),
    verdict === 'not tested' || n === undefined ? '' : String(n),
    inPaper,
    claim,
  ];
}

/** `8 claims: 5 hold, 2 are open, 1 fails.` */
export function verdictWords(claims: readonly JudgedClaim[]): string {
  const count = (verdict: JudgedClaim['verdict']): number =>
    claims.filter((claim) => claim.verdict === verdict).length;
  const parts = [
    [count('holds'), 'holds', 'hold'],
    [count('open'), 'is open', 'are open'],
    [count('fails'), 'fails', 'fail'],
    [count('not tested'), 'is not tested', 'are not tested'],
  ] as const;
  const words = parts.flatMap(([n, one, several]) => (n === 0 ? [] : [`${n} ${n === 1 ? one : several}`]));
  return `${claims.length} ${claims.length === 1 ? 'claim' : 'claims'}: ${words.join(', ')}.`;
}

/** A verdict's reason, with the claim that it is about. */
export const claimNotes = (claims: readonly JudgedClaim[]): readonly string[] => {
  const said = claims.flatMap(({ id, dataset, why }) =>
    why === undefined ? [] : [{ of: `${id}, ${dataset}`, why }],
  );
  const reasons = [...new Set(said.map(({ why }) => why))];
  return reasons.map((why) => {
    const of = said.filter((one) => one.why === why).map((one) => one.of);
    return of.length === claims.length && of.length > 1
      ? `All claims: ${why}.`
      : `${[...new Set(of)].join('; ')}: ${why}.`;
  });
};

/** What the claims say, each once; with the data where it is not the same on all of them. */
export function claimWords(claims: readonly JudgedClaim[]): readonly string[] {
  const ids = [...new Set(claims.map(({ id }) => id))];
  return ids.flatMap((id) => {
    const own = claims.filter((claim) => claim.id === id);
    const words = [...new Set(own.map(({ claim }) => claim))];
    return words.map((claim) => {
      const datasets = [...new Set(own.filter((one) => one.claim === claim).map(({ dataset }) => dataset))];
      const of = words.length === 1 || datasets.length === own.length ? '' : `, ${datasets.join(' and ')}`;
      return `${id}${of}: ${claim}`;
    });
  });
}
