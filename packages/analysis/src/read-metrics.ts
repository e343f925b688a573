import {
  isObject,
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

const KNOWN = ['loss', 'train', 'validation', 'test', 'confidence', 'coefficients', 'metrics'];

// What a method records under a name of its own: taken if it is an object of numbers, else left alone.
function readSeries(source: Source): { series?: NonNullable<EpochMetrics['series']> } {
  const entries = Object.entries(source.object).flatMap(([key, value]) => {
    const isSeries =
      isObject(value) && Object.values(value).every((item) => item === null || typeof item === 'number');
    return isSeries && !KNOWN.includes(key) ? [[key, numberRecordField(source, key)] as const] : [];
  });
  return entries.length === 0 ? {} : { series: Object.fromEntries(entries) };
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
    ...readSeries(source),
  };
}
