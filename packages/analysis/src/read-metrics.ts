import { checkFile, epochMetricsSchema, parseJson, type EpochMetrics } from '@g2d/core/run-folder';
import { readText } from './read-file.js';

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
    const place = { path, at: `line ${index + 1}: ` };
    const epoch = checkFile(epochMetricsSchema, parseJson(text, place), place);
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
