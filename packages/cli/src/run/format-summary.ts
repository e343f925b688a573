import { formatNumber } from '@g2d/core';
import type { RunSummary } from '@g2d/runs';
import { formatTable } from '../format-table.js';

const COLUMNS: Readonly<
  Record<RunSummary['task'], readonly (readonly [key: string, title: string, digits: number])[]>
> = {
  classification: [
    ['accuracy', 'accuracy', 1],
    ['macroF1', 'macro F1', 1],
    ['calibrationError', 'calibration error', 1],
    ['loss', 'loss', 3],
  ],
  'multi-label': [
    ['microF1', 'micro F1', 1],
    ['macroF1', 'macro F1', 1],
    ['subsetAccuracy', 'all classes right', 1],
    ['meanAveragePrecision', 'mAP', 1],
    ['loss', 'loss', 3],
  ],
  regression: [
    ['meanAbsolutePercentageError', 'MAPE', 2],
    ['rSquared', 'R²', 3],
    ['loss', 'MSE', 5],
  ],
};

/** A finished run for the terminal. */
export function formatSummary(summary: RunSummary, out: string, report?: string): string {
  const { name, seed, seconds, last } = summary;
  const took = seconds < 120 ? `${formatNumber(seconds, 0)} s` : `${formatNumber(seconds / 60, 0)} min`;
  return `${name}, seed ${seed}: ${last.epoch} epochs in ${took}, ${selectionWords(summary)}

${formatMetrics(summary)}${missingWords(summary)}
${out}${report === undefined ? '' : `, look at ${report}`}
`;
}

/** Each head on each split. */
export function formatMetrics({
  task,
  metrics,
}: {
  readonly task: RunSummary['task'];
  readonly metrics: Readonly<Record<string, Readonly<Record<string, object>>>>;
}): string {
  const columns = COLUMNS[task];
  const rows = Object.entries(metrics).flatMap(([split, heads]) =>
    Object.entries(heads).map(([head, found]) => [
      `${split}, ${head}`,
      ...columns.map(([key, , digits]) => {
        const value = (found as Readonly<Record<string, unknown>>)[key];
        return typeof value === 'number' && Number.isFinite(value) ? formatNumber(value, digits) : '–';
      }),
    ]),
  );
  return formatTable(
    [['', ...columns.map(([, title]) => title)], ...rows],
    [false, ...columns.map(() => true)],
  );
}

/** Rates of different protocols are not alike; the share of cells is. */
function missingWords({ missing = {} }: RunSummary): string {
  const shares = Object.entries(missing).map(
    ([split, share]) => `${split} ${formatNumber(100 * share, 1)} %`,
  );
  return shares.length === 0 ? '' : `\nmissing cells: ${shares.join(', ')}\n`;
}

/** Which epoch the numbers are of, and how it was chosen. */
function selectionWords({ select, selectedEpoch, epochs }: RunSummary): string {
  if (epochs === 0) return 'not trained';
  const words = {
    'validation-best': `epoch ${selectedEpoch}, the best on the validation split`,
    'test-best': `epoch ${selectedEpoch}, chosen ON THE TEST SPLIT as in most published code: optimistic`,
    last: `the last epoch`,
  };
  return `results of ${words[select]}`;
}
