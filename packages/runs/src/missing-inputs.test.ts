// Runs of methods that learn from what masks hide, and from a teacher of all modalities.
import * as tf from '@tensorflow/tfjs';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../test/toy-config.js';
import { evaluateSplit } from './evaluate-split.js';
import { loadRun } from './load-run.js';
import { parseConfig } from './read-config.js';
import { trainRun } from './train-run.js';

let root: string;
const at = (name: string): string => join(root, name);
const train = (changes: object, name: string, options: Partial<Parameters<typeof trainRun>[1]> = {}) =>
  trainRun(parseConfig(toyConfig(changes)), { out: at(name), ...options });

const sizes = { units: [4], blocks: 1, hidden: [5], initialization: 'xavier' };
const missing = { missing: { rate: 0.3 } };
const adam = { type: 'adam', learningRate: 1e-2, betas: [0.5, 0.999], clipping: { norm: 1, per: 'network' } };
const common = {
  data: missing,
  epochs: 2,
  optimizer: { ...adam, schedule: { type: 'linear', constant: 1, epochs: 2 } },
};
const craRun = { ...common, method: 'cra', methodOptions: { cra: sizes } };
const mminRun = () => ({
  ...common,
  method: 'mmin',
  methodOptions: { mmin: sizes },
  teachers: { fused: at('teacher') },
});

beforeAll(async () => {
  await tf.setBackend('cpu');
  root = mkdtempSync(join(tmpdir(), 'g2d-missing-'));
  await train({ epochs: 1, fusion: { type: 'concat-mlp', hidden: [6] } }, 'teacher');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.each([
  ['cra', () => craRun, ['total', 'student', 'reconstruction']],
  ['mmin', mminRun, ['total', 'student', 'imagination', 'cycle']],
])('a run of %s', (name, config, parts) => {
  it('goes on bit for bit after a stop, and is evaluated on what is there', async () => {
    const before = tf.memory().numTensors;
    await train(config(), name);
    const lines = (folder: string) =>
      readFileSync(join(at(folder), 'metrics.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => ({ ...(JSON.parse(line) as { loss: object; learningRate: number }), seconds: 0 }));
    const [first, second] = lines(name);
    expect(Object.keys(first!.loss).sort()).toEqual([...parts].sort());
    expect([first!.learningRate, second!.learningRate]).toEqual([1e-2, 5e-3]);

    const controller = new AbortController();
    let steps = 0;
    const reporter = {
      begin: () => {},
      step: () => void (++steps === 2 && controller.abort()),
      epoch: () => {},
      note: () => {},
    };
    await train(config(), `${name}-stopped`, { signal: controller.signal, reporter });
    await train(config(), `${name}-stopped`, { resume: true });
    const loss = (folder: string) => lines(folder).map((line) => line.loss);
    expect(loss(`${name}-stopped`)).toEqual(loss(name));
    const loaded = await loadRun(at(name), { trust: true });
    const { metrics } = await evaluateSplit(loaded.predict, loaded.data.test, {});
    expect(Object.keys(metrics)).toEqual(['fused', 'loud', 'quiet']);
    await loaded.close();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('what a run needs', () => {
  it('is a teacher of the same modalities', async () => {
    await expect(train({ ...mminRun(), teachers: {} }, 'none')).rejects.toThrow(
      /"mmin" needs a teacher of all modalities, and "teachers" names none\. Train one/,
    );
    await train({ modalities: ['loud'], epochs: 1 }, 'alone');
    await expect(train({ ...mminRun(), teachers: { fused: at('alone') } }, 'other')).rejects.toThrow(
      /The teacher of all modalities in .* has the modalities \["loud"\], but this run has \["loud","quiet"\]/,
    );
    await expect(train({ ...mminRun(), teacherOutputs: 'stored' }, 'stored')).rejects.toThrow(
      /"mmin" shows its teacher other inputs than the data's.*"online"/,
    );
  });

  it('is data in which nothing is missing, where the method learns from what masks hide', async () => {
    const dataset = (options: object) => ({
      dataset: { ...(toyConfig() as { dataset: object }).dataset, options },
    });
    await expect(train({ ...craRun, ...dataset({ lacking: true }) }, 'lacking')).rejects.toThrow(
      /"cra" learns from the true inputs of what masks hide .*, but samples of toy really lack loud: nobody knows/,
    );
    // What stands in a missing place is no number: nobody reads it, but who learns from it.
    const hiding = { missing: { rate: 0.3, seed: 0 } };
    await train({ data: hiding, epochs: 1, name: 'masks' }, 'masks');
    const rows = readFileSync(join(at('masks'), 'masks/train.csv'), 'utf8')
      .split('\n')
      .slice(1);
    const broken = rows.findIndex((row) => row.endsWith(',0,1'));
    await train({ data: hiding, epochs: 1, ...dataset({ broken }) }, 'broken');
    const weights = (name: string) =>
      readFileSync(join(at(name), 'checkpoints/last/model.safetensors')).toString('base64');
    expect(weights('broken')).toBe(weights('masks'));
    await expect(train({ ...craRun, data: hiding, ...dataset({ broken }) }, 'broken-cra')).rejects.toThrow(
      new RegExp(`Sample "${rows[broken]!.split(',')[0]}": its loud input holds NaN`),
    );
  });
});
