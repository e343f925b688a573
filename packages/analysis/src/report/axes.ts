import { shortNumber } from '../format.js';
import type { LineChartOptions } from './line-chart.js';

/**
 * The axis of accuracies and of F1, the same everywhere; or of errors, from zero to a little above the largest, and logarithmic where
 * the first epochs would press the others flat.
 */
export function scoreAxis(isError: boolean, values: readonly number[]): LineChartOptions['y'] {
  const format = (value: number): string => shortNumber(value, 3);
  if (!isError) return { domain: [0, 100], format };
  return { ...errorAxis(values), format };
}

/** An axis for numbers that are not negative. */
export function errorAxis(values: readonly number[]): Pick<LineChartOptions['y'], 'domain' | 'type'> {
  const known = values.filter((value) => Number.isFinite(value) && value > 0);
  if (known.length === 0) return { domain: [0, 1] };
  const low = known.reduce((a, b) => Math.min(a, b));
  const high = known.reduce((a, b) => Math.max(a, b));
  if (high / low < 20) return { domain: [0, high * 1.08] };
  return { domain: [low * 0.8, high * 1.25], type: 'log' };
}
