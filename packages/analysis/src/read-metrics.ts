import {
  numberField,
  numberRecordField,
  optional,
  parseObject,
  partMetricsField,
  readText,
  type Source,
} from './read-fields.js';
import type { EpochMetrics } from './run.js';

/**
 * Reads `metrics.jsonl`, one object per line.
 *
 * A run that goes on from a checkpoint may repeat epochs that were written before it was stopped: where the number of the
 * epoch goes back, the later lines stand in place of the earlier ones.
 *
 * @param options `isFinished: false` leaves out a last line that has no line end yet and cannot be parsed.
 */
export function readMetrics(path: string, { isFinished }: { readonly isFinished: boolean }): EpochMetrics[] {
  const metrics: EpochMetrics[] = [];
  const lines = readText(path).split('\n');
  for (const [index, text] of lines.entries()) {
    if (text.trim() === '') continue;
    // Only the last line has no line end.
    if (!isFinished && index === lines.length - 1 && isTorn(text)) break;
    const epoch = readEpoch(parseObject(text, path, `line ${index + 1}: `));
    while ((metrics.at(-1)?.epoch ?? -Infinity) >= epoch.epoch) metrics.pop();
    metrics.push(epoch);
  }
  return metrics;
}

function isTorn(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
}

function readEpoch(source: Source): EpochMetrics {
  return {
    epoch: numberField(source, 'epoch'),
    loss: numberRecordField(source, 'loss'),
    train: numberRecordField(source, 'train'),
    ...optional(source, 'learningRate', numberField),
    ...optional(source, 'seconds', numberField),
    ...optional(source, 'memoryMB', numberField),
    ...optional(source, 'validation', numberRecordField),
    ...optional(source, 'test', numberRecordField),
    ...optional(source, 'confidence', numberRecordField),
    ...optional(source, 'coefficients', numberRecordField),
    ...optional(source, 'metrics', partMetricsField),
  };
}
