import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Everything that a run has learned and said, without what time and memory it took. */
export function runContents(out: string): unknown {
  const read = (...path: string[]): string => readFileSync(join(out, ...path), 'utf8');
  const { seconds: _, stages: __, ...summary } = JSON.parse(read('summary.json')) as Record<string, unknown>;
  const labels = ['last', 'best'].filter((label) => existsSync(join(out, 'checkpoints', label)));
  return {
    summary,
    predictions: read('predictions.json'),
    metrics: read('metrics.jsonl')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ ...(JSON.parse(line) as object), seconds: 0, memoryMB: 0 })),
    checkpoints: labels.flatMap((label) =>
      ['model.safetensors', 'optimizer.safetensors'].map((file) =>
        readFileSync(join(out, 'checkpoints', label, file)).toString('base64'),
      ),
    ),
  };
}
