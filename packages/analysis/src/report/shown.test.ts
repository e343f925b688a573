import { describe, expect, it } from 'vitest';
import type { StartedRun } from '../run.js';
import { taskOf } from './shown.js';

describe('taskOf', () => {
  const started = (metric: string): StartedRun => ({
    name: 'run',
    folder: 'run',
    config: {} as StartedRun['config'],
    metrics: [
      { epoch: 1, loss: {}, train: {}, metrics: { validation: { fused: { loss: 1, [metric]: 50 } } } },
      { epoch: 2, loss: {}, train: {} },
    ],
  });

  it('knows a run that has not ended by what it measures', () => {
    expect(taskOf(started('microF1'))).toBe('multi-label');
    expect(taskOf(started('meanAbsolutePercentageError'))).toBe('regression');
    expect(taskOf(started('accuracy'))).toBe('classification');
  });
});
