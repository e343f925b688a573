// Batches that are too small for batch normalization: refused where it is foreseen, counted where it turns out.
import * as tf from '@tensorflow/tfjs';
import { epochMetricsSchema } from '@g2d/core/run-folder';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyConfig, toyTeacher } from '../test/toy-config.js';
import { parseConfig } from './read-config.js';
import type { RunReporter } from './run-reporter.js';
import { trainRun } from './train-run.js';

let root: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  root = mkdtempSync(join(tmpdir(), 'g2d-batches-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

// 60 training samples.
const table = { type: 'tabular-mlp' };
const run = (name: string, changes: object, notes: string[] = []) => {
  const reporter: RunReporter = {
    begin: () => {},
    step: () => {},
    epoch: () => {},
    note: (line) => void notes.push(line),
  };
  const encoders = { loud: table, quiet: table };
  const config = parseConfig(toyConfig({ encoders, epochs: 1, evaluation: { every: 9 }, ...changes }));
  return trainRun(config, { out: join(root, name), reporter });
};

describe('a run whose last batch is one sample', () => {
  it('does not begin where batch normalization needs more', async () => {
    await expect(run('a', { batchSize: 59 })).rejects.toThrow(
      'The training split has 60 samples, so that batches of 59 leave one of a single sample at the end of every epoch; batch normalization of loud has one value of a sample in each channel, and one value has no variance. Set "data.dropLast" to true, or another "batchSize".',
    );
    expect(existsSync(join(root, 'a'))).toBe(false);
    await expect(run('a', { batchSize: 1 })).rejects.toThrow('"batchSize" is 1; batch normalization of loud');
    await expect(run('a', { batchSize: 1, data: { dropLast: true } })).rejects.toThrow('"batchSize" is 1');
  });

  it('begins with what the message says, and without such encoders', async () => {
    const finished = expect.objectContaining({ status: 'finished' });
    await expect(run('b', { batchSize: 59, data: { dropLast: true } })).resolves.toEqual(finished);
    await expect(run('c', { batchSize: 58 })).resolves.toEqual(finished);
    const plain = parseConfig(toyTeacher('loud', { batchSize: 59, epochs: 1 }));
    await expect(trainRun(plain, { out: join(root, 'd') })).resolves.toEqual(finished);
  });
});

describe('a run of which samples lack modalities', () => {
  const metrics = (name: string) =>
    epochMetricsSchema.parse(
      JSON.parse(readFileSync(join(root, name, 'metrics.jsonl'), 'utf8').split('\n')[0]!),
    );

  it('counts what it leaves out where encoders see the present samples alone', async () => {
    const data = { missing: { rate: 0.4, seed: 1 } };
    const notes: string[] = [];
    await run('skip', { batchSize: 3, absentRows: 'skip', data }, notes);
    const { skippedSteps } = metrics('skip');
    expect(skippedSteps).toBeGreaterThan(0);
    expect(skippedSteps).toBeLessThan(20);
    expect(notes).toContain(
      `Epoch 1: ${skippedSteps} ${skippedSteps === 1 ? 'batch was' : 'batches were'} left out, in which one sample alone had a modality: batch normalization needs two.`,
    );
    await run('zeros', { batchSize: 3, data });
    expect(metrics('zeros')).not.toHaveProperty('skippedSteps');
  });
});
