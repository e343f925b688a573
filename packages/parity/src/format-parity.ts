import { formatNumber } from '@g2d/core';
import { exceeds, ratio, type Check } from './compare.js';
import { worstOf, type Status } from './judge.js';
import type { CaseReport } from './run-case.js';
import { formatTable } from '@g2d/cli/internal';

/** How much is printed: a line for each case, for each quantity, or for each tensor of the tables too. */
export type Detail = 'cases' | 'quantities' | 'all';

/** The text for a person: the quantities asked for, a table of the cases, and what went wrong in each that did not pass. */
export function formatParity(reports: readonly CaseReport[], detail: Detail): string {
  const summary = [
    ['case', 'status', 'closest to its tolerance, or beyond', 'deviation', 'allowed', 'of it', 'seconds'],
    ...reports.map(({ name, status, checks, seconds }) => {
      const worst = worstOf(checks);
      return [name, status, ...cells(worst), formatNumber(seconds)];
    }),
  ];
  return [
    ...(detail === 'cases' ? [] : reports.map((report) => `${formatChecks(report, detail)}\n`)),
    formatTable(summary, [false, false, false, true, true, true, true]),
    `\n${count(reports)}\n`,
    ...reports.filter(({ status }) => status !== 'pass').map(explain),
  ].join('');
}

const cells = (check: Check): string[] => [
  check.key,
  scientific(check.deviation),
  scientific(check.tolerance),
  check.tolerance === 0 ? (exceeds(check) ? 'not equal' : 'equal') : percent(ratio(check)),
];

const scientific = (value: number): string =>
  value === 0 ? '0' : Number.isFinite(value) ? value.toExponential(1) : '–';

const percent = (part: number): string =>
  part < 10
    ? `${formatNumber(100 * part, 0)} %`
    : `${part < 1e6 ? formatNumber(part, 0) : part.toExponential(0)} ×`;

function formatChecks({ name, checks }: CaseReport, detail: Detail): string {
  const shown = detail === 'all' ? checks : worstOfColumns(checks);
  const rows = [['', name, 'deviation', 'allowed', 'of it'], ...shown.map(row)];
  return formatTable(rows, [false, false, true, true, true]);
}

const row = (check: Check): string[] => [exceeds(check) ? '✗' : '', ...cells(check)];

/** Of every column of a table only the tensor closest to its tolerance, or farthest beyond. */
export function worstOfColumns(checks: readonly Check[]): Check[] {
  const columns = new Map<string, Check>();
  for (const check of checks) {
    const column = check.column ?? check.key;
    const worst = columns.get(column);
    if (!worst || ratio(check) > ratio(worst)) columns.set(column, check);
  }
  return [...columns.values()];
}

function count(reports: readonly CaseReport[]): string {
  const of = (status: Status): number => reports.filter((report) => report.status === status).length;
  const cases = `${reports.length} ${reports.length === 1 ? 'case' : 'cases'}`;
  return `${cases}: ${of('pass')} pass, ${of('inconclusive')} inconclusive, ${of('fail')} fail`;
}

/** Where a case begins to differ, in the order of computation. */
function explain({ name, status, checks, ties }: CaseReport): string {
  const excesses = checks.filter(exceeds);
  const decisive = status === 'fail' ? excesses.filter(({ origin }) => origin !== 'gradient') : excesses;
  const first = decisive[0] as Check;
  const what =
    first.origin === 'exact'
      ? 'which has to be equal'
      : `${scientific(first.deviation)} where ${scientific(first.tolerance)} is allowed`;
  const near = ties.reduce((sum, step) => sum + step, 0);
  const advice =
    status === 'fail'
      ? 'It does not depend on a gradient, so this is a mistake and not an accident of rounding.'
      : `Only gradients, or what is computed from them, are off; near ties that PyTorch counts in this case: ${near}.`;
  return `${name}: ${excesses.length} of ${checks.length} beyond, at first ${first.key}, ${what}. ${advice}\n`;
}
