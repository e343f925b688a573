// Settings that the loop takes as they are: in configurations, in run folders, and in runs that are stopped and go on.
import * as tf from '@tensorflow/tfjs';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EpochRecord } from '@g2d/core';
import { readState } from '@g2d/trainer';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toyConfig, toyTeacher } from '../test/toy-config.js';
import { loadRun } from './load-run.js';
import { RunFolder } from './node/run-folder.js';
import { parseConfig } from './read-config.js';
import type { RunReporter } from './run-reporter.js';
import { trainRun } from './train-run.js';
import { tryRun } from './try-run.js';

let root: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-settings-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, name);

const train = (config: object, name: string, options: Partial<Parameters<typeof trainRun>[1]> = {}) =>
  trainRun(parseConfig(config), { out: at(name), ...options });

const records = (name: string): EpochRecord[] =>
  readFileSync(join(at(name), 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as EpochRecord);

/** Everything that must not depend on whether the run was stopped. */
const contents = (name: string) => ({
  metrics: records(name).map((record) => ({ ...record, seconds: 0, memoryMB: 0 })),
  weights: readFileSync(join(at(name), 'checkpoints/last/model.safetensors'), 'hex'),
  optimizer: readFileSync(join(at(name), 'checkpoints/last/optimizer.safetensors'), 'hex'),
});

/** Stops after so many steps; remembers what it was told. */
function reporting(steps = Infinity): { signal: AbortSignal; reporter: RunReporter; told: unknown[] } {
  const controller = new AbortController();
  const told: unknown[] = [];
  let count = 0;
  const reporter: RunReporter = {
    begin: (progress) => void told.push(progress),
    step: () => void (++count === steps && controller.abort()),
    epoch: () => {},
    note: (line) => void told.push(line),
  };
  return { signal: controller.signal, reporter, told };
}

const sgd = { type: 'sgd', learningRate: 0.1, momentum: 0.9 };

describe('settings of the training', () => {
  it('make a run that goes on after a stop at any step, bit for bit', async () => {
    const config = toyConfig({
      epochs: 8,
      accumulate: 2,
      loss: { classWeights: 'balanced', labelSmoothing: 0.1 },
      freeze: ['head/loud'],
      earlyStopping: { patience: 2, metric: 'loss', minDelta: 0.5, after: 1 },
      optimizer: {
        ...sgd,
        clipping: { norm: 0.5 },
        learningRates: { loud: 0.02, fusion: { factor: 2 } },
        schedule: { type: 'plateau', patience: 0, threshold: 0.5, factor: 0.5, min: 0.01 },
      },
    });
    const { reporter, told } = reporting();
    const outcome = await train(config, 'whole', { reporter });
    expect(outcome).toMatchObject({ status: 'finished', summary: { last: { epoch: 4 }, epochs: 8 } });
    const log = records('whole');
    expect(log.map(({ learningRate }) => learningRate)).toEqual([0.1, 0.1, 0.05, 0.025]);
    expect(log[2]!.learningRates).toEqual({ loud: 0.01, fusion: 0.1 });
    expect(log[3]).toMatchObject({ stopped: true, stoppedBy: 'early-stopping' });
    // Three batches are two steps.
    expect(told).toContainEqual({ total: 16, done: 0 });
    expect(told).toContainEqual(expect.stringMatching(/Epoch 4 is the last: early-stopping ended the run/));
    for (const stop of [1, 2, 3, 5, 7]) {
      const { told: _, ...stopping } = reporting(stop);
      const first = await train(config, `stopped-${stop}`, stopping);
      expect(first).toMatchObject({ status: 'interrupted', epoch: Math.ceil(stop / 2) });
      const second = reporting();
      await train(config, `stopped-${stop}`, { resume: true, reporter: second.reporter });
      expect(second.told).toContainEqual({ total: 16, done: stop });
      expect(contents(`stopped-${stop}`)).toEqual(contents('whole'));
    }
    const { model, close } = await loadRun(at('whole'), { trust: true });
    expect(Object.keys(readState(model))).toContain('head/loud/kernel');
    await close();
  });

  it('of other modalities are not those of a teacher', async () => {
    const optimizer = { ...sgd, learningRates: { loud: 0.2, quiet: 0.3, 'head/quiet': 0.4 } };
    await train(toyTeacher('loud', { epochs: 1, optimizer, freeze: ['quiet'] }), 'teacher');
    expect(records('teacher')[0]!.learningRates).toEqual({ loud: 0.2 });
  });

  it('freeze encoders that have learned something, or it is said', async () => {
    const { reporter, told } = reporting();
    await train(toyTeacher('loud', { epochs: 1 }), 'loud');
    const { encoders } = toyConfig() as { encoders: Record<string, object> };
    const loaded = { encoders: { ...encoders, loud: { ...encoders['loud'], weights: at('loud') } } };
    await train(toyConfig({ ...loaded, epochs: 1, freeze: ['loud', 'quiet'] }), 'frozen', { reporter });
    expect(told.filter((line) => typeof line === 'string')).toEqual([
      expect.stringMatching(/"freeze" has quiet, whose encoder keeps random weights: give "encoders.quiet/),
    ]);
    const teacher = new RunFolder(at('loud')).weights();
    const student = new RunFolder(at('frozen')).weights();
    const names = Object.keys(teacher).filter((name) => name.startsWith('loud/'));
    expect(names).toHaveLength(2);
    for (const name of names) expect(student[name]).toEqual(teacher[name]);
  });

  it('of a student are checked before its teachers are trained', async () => {
    const config = toyConfig({
      method: 'g2d',
      methodOptions: { smp: { phaseEpochs: [1, 1], scope: 'encoder' } },
      freeze: ['lout'],
    });
    await expect(tryRun(parseConfig(config))).rejects.toThrow(/`freeze` names "lout"/);
    const scoped = toyConfig({
      method: 'g2d',
      methodOptions: { smp: { phaseEpochs: [1, 1], scope: 'encoder' } },
      optimizer: { ...sgd, learningRates: { lout: 1 } },
    });
    await expect(tryRun(parseConfig(scoped))).rejects.toThrow(/`optimizer.learningRates` names "lout"/);
  });

  it('weigh classes by name', async () => {
    const weighted = (classWeights: unknown) => toyConfig({ epochs: 1, loss: { classWeights } });
    await train(weighted({ b: 3 }), 'by-name');
    await train(weighted([1, 3, 1]), 'by-place');
    expect(contents('by-name').weights).toBe(contents('by-place').weights);
    await train(toyConfig({ epochs: 1 }), 'plain');
    expect(contents('by-name').weights).not.toBe(contents('plain').weights);
  });

  it.each([
    [
      { loss: { classWeights: { d: 1 } } },
      /"loss.classWeights" names "d", which is no class of the data: a, b, c/,
    ],
    [
      { loss: { classWeights: [1, 2] } },
      /"loss.classWeights" has 2 numbers, but there are 3 classes: a, b, c/,
    ],
    [{ freeze: ['lout'] }, /`freeze` names "lout".*parts are loud, quiet, head\/loud, fusion, head\/quiet/],
    [{ optimizer: { ...sgd, learningRates: { all: 1 } } }, /`optimizer.learningRates` names "all"/],
    [{ accumulate: 2, method: 'mla' }, /`accumulate` is 2, but the method "mla" does the whole step/],
    [
      { earlyStopping: { patience: 1 }, select: 'last', evaluation: { splits: ['test'] } },
      /"earlyStopping" watches the validation split. Have "validation" among the "splits"/,
    ],
    [{ earlyStopping: { patience: 1, metric: 'f1' } }, /`earlyStopping.metric` is "f1"/],
    [
      { optimizer: { ...sgd, schedule: { type: 'plateau' } }, select: 'last', evaluation: { splits: [] } },
      /"optimizer.schedule" watches the validation split/,
    ],
  ])('are refused before the first step: %j', async (changes, sentence) => {
    await expect(train(toyConfig(changes), 'refused')).rejects.toThrow(sentence);
    expect(existsSync(at('refused'))).toBe(false);
  });

  it.each([
    [{ accumulate: 0 }, /"accumulate" is 0; it must be at least 1/],
    [{ optimizer: { ...sgd, clipping: {} } }, /"optimizer.clipping".*with "norm"/],
    [{ optimizer: { ...sgd, clipping: { norm: 1, value: 1 } } }, /"optimizer.clipping".*with "norm"/],
    [{ optimizer: { ...sgd, schedule: { type: 'plateau', factor: 1 } } }, /"optimizer.schedule.factor" is 1/],
    [{ loss: { labelSmoothing: 2 } }, /"loss.labelSmoothing" is 2/],
    [{ earlyStopping: {} }, /"earlyStopping.patience" is missing/],
    [{ earlyStopping: { patience: 1, patiences: 2 } }, /unknown key "earlyStopping.patiences"/],
  ])('are checked as the configuration is read: %j', (changes, sentence) => {
    expect(() => parseConfig(toyConfig(changes))).toThrow(sentence);
  });
});
