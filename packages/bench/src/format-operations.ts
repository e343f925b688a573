import { formatNumber } from '@g2d/core';
import { formatTable } from '@g2d/cli/internal';
import type { OperationRow } from './operation-rows.js';
import type { ProcessorLimits } from './processor-limits.js';

/** The operations of a step and their limits, for a person. */
export function formatOperations(
  operations: readonly OperationRow[],
  { gigaflopsPerSecond, gigabytesPerSecond, threads }: ProcessorLimits,
): string {
  const table = formatTable(
    [
      ['operation', 'how many', 'ms a step', 'of the step', 'a second', 'of the limit'],
      ...operations.map((row) => [
        row.operation,
        row.calls === undefined ? '' : wholeOrTenths(row.calls),
        formatNumber(row.ms),
        percent(row.share, 1),
        speedOf(row),
        row.ofLimit === undefined ? '' : percent(row.ofLimit, 0),
      ]),
    ],
    [false, true, true, true, true, true],
  );
  const gigaflops = operations.reduce((sum, row) => sum + (row.gigaflops ?? 0), 0);
  const copying = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return `${table}
Convolutions and products are ${formatNumber(gigaflops)} GFLOP a step.
Means of the faster half of the steps. The limits are what this machine was seen to do after them, and not a data sheet's: ${formatNumber(gigaflopsPerSecond, 0)} GFLOP/s (products of 1,024 × 1,024 × 1,024 in float32) and ${formatNumber(gigabytesPerSecond, 0)} GB/s (memory read and written by ${copying} that copy).
An operation is at its limit when it takes as long as its multiplications at the one or its inputs and outputs, once each, at the other, whichever is longer. Convolutions are counted as direct ones: Winograd's algorithm, which multiplies less, may exceed 100 %, and so may what finds its inputs in the cache.
`;
}

/** Of a method with stages they are means. */
const wholeOrTenths = (calls: number): string => formatNumber(calls, Number.isInteger(calls) ? 0 : 1);

const percent = (share: number, decimals: number): string => `${formatNumber(100 * share, decimals)} %`;

function speedOf({ gigaflopsPerSecond, gigabytesPerSecond }: OperationRow): string {
  if (gigaflopsPerSecond !== undefined) return `${formatNumber(gigaflopsPerSecond, 0)} GFLOP/s`;
  return gigabytesPerSecond === undefined ? '' : `${formatNumber(gigabytesPerSecond, 1)} GB/s`;
}
