// Runs that go on with more epochs than they began with, or with other settings that do not change what is trained.
import * as tf from '@tensorflow/tfjs';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toyConfig, toyTeacher } from '../test/toy-config.js';
import { parseConfig } from './read-config.js';
import { SILENT } from './run-reporter.js';
import { trainRun } from './train-run.js';

let root: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-continued-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, name);
const json = (name: string, file: string) => JSON.parse(readFileSync(join(at(name), file), 'utf8'));

/** Trains or goes on; gives what the user was told. */
async function train(config: object, name: string, options: Partial<Parameters<typeof trainRun>[1]> = {}) {
  const notes: string[] = [];
  const reporter = { ...SILENT, note: (line: string) => void notes.push(line) };
  const outcome = await trainRun(parseConfig(config), { out: at(name), reporter, ...options });
  return { ...outcome, notes };
}
const resumed = (config: object, name: string) => train(config, name, { resume: true });

/** Stops after so many steps. */
function stopAfter(steps: number) {
  const controller = new AbortController();
  let count = 0;
  const reporter = { ...SILENT, step: () => void (++count === steps && controller.abort()) };
  return { signal: controller.signal, reporter };
}

/** Everything of a finished run but times, and that it was continued. */
function contents(name: string) {
  const { seconds: _, stages: __, ...summary } = json(name, 'summary.json');
  const { continued: ___, ...config } = json(name, 'config.json');
  const hex = (file: string) => readFileSync(join(at(name), 'checkpoints', file), 'hex');
  return {
    config,
    summary,
    predictions: json(name, 'predictions.json'),
    metrics: readFileSync(join(at(name), 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => ({ ...JSON.parse(line), seconds: 0, memoryMB: 0 })),
    weights: ['last', 'best'].map((label) => hex(`${label}/model.safetensors`)),
    optimizers: ['last', 'best'].map((label) => hex(`${label}/optimizer.safetensors`)),
  };
}

const sgd = { type: 'sgd', learningRate: 0.1, momentum: 0.9 };

describe('a run with more epochs', () => {
  it.each([
    ['joint training', {}],
    ['Adam', { optimizer: { type: 'adam', learningRate: 0.01, warmUp: { epochs: 3 } } }],
    [
      'options of the training',
      {
        optimizer: {
          ...sgd,
          clipping: { norm: 0.5 },
          schedule: { type: 'plateau', patience: 0, threshold: 0.5 },
        },
        accumulate: 2,
        earlyStopping: { patience: 4 },
      },
    ],
    ['a method with a state', { method: 'mses', methodOptions: { mses: { patience: 1 } } }],
  ])('ends as one that had them from the start, bit for bit: %s', async (_, changes) => {
    const config = (epochs: number) => toyConfig({ ...changes, epochs });
    await train(config(5), 'whole');
    const first = await train(config(2), 'continued');
    expect(first.status).toBe('finished');
    expect((await resumed(config(3), 'continued')).notes).toEqual([]);
    await resumed(config(5), 'continued');
    expect(contents('continued')).toEqual(contents('whole'));
    expect(json('continued', 'config.json').continued).toEqual([
      { from: 3, earlier: { epochs: 2 } },
      { from: 4, earlier: { epochs: 3 } },
    ]);
    // What it came to before is still there.
    expect(json('continued', 'summary-until-epoch-2.json')).toMatchObject({ epochs: 2 });
    expect(existsSync(at('continued/predictions-until-epoch-3.json'))).toBe(true);
    // With the settings that it has it is finished.
    expect((await resumed(config(5), 'continued')).status).toBe('finished');

    // A run that was stopped, and is stopped again, too.
    await train(config(2), 'stopped', stopAfter(1));
    await train(config(5), 'stopped', { resume: true, ...stopAfter(3) });
    await resumed(config(5), 'stopped');
    expect(contents('stopped')).toEqual(contents('whole'));
  });

  it('keeps the phases of SMP and a cosine as they were, and says so', async () => {
    await train(toyTeacher('loud'), 'loud');
    await train(toyTeacher('quiet'), 'quiet');
    const config = (epochs: number) =>
      toyConfig({
        method: 'g2d',
        methodOptions: { smp: { phaseEpochs: [1, 1], scope: 'encoder' } },
        teachers: { loud: at('loud'), quiet: at('quiet') },
        optimizer: { ...sgd, schedule: { type: 'cosine', epochs: 2, min: 0.01 } },
        epochs,
      });
    await train(config(4), 'whole');
    await train(config(2), 'continued');
    const { notes } = await resumed(config(4), 'continued');
    expect(notes).toEqual([
      expect.stringMatching(/cosine schedule falls over 2 epochs.*learning rate stays at 0.01/),
      expect.stringMatching(/phases of SMP stay as they were, 1 \+ 1 epochs: .* from 2 to 4/),
    ]);
    expect(contents('continued')).toEqual(contents('whole'));
  });

  it('is refused where the first epochs would have been others', async () => {
    const method = join(root, 'stages.mjs');
    writeFileSync(
      method,
      `export default () => ({ name: 'halves', stages: ({ epochs }) => [{ name: 'a', epochs }, { name: 'b', epochs }] });`,
    );
    const halves = (epochs: number) => toyConfig({ method, epochs });
    await train(halves(1), 'halves');
    await expect(resumed(halves(2), 'halves')).rejects.toThrow(
      /The method ".*" divides the epochs of a run into stages, and the run began with 1/,
    );
    const watching = (epochs: number) =>
      toyConfig({ epochs, evaluation: { every: 2 }, earlyStopping: { patience: 9 } });
    await train(watching(3), 'watching');
    await expect(resumed(watching(4), 'watching')).rejects.toThrow(
      /"epochs" was 3 and now is 4, but epoch 3 was evaluated because it was the last/,
    );
    await train(toyConfig({ epochs: 2 }), 'shorter');
    await expect(resumed(toyConfig({ epochs: 1 }), 'shorter')).rejects.toThrow(
      /"epochs" was 2 and now is 1, but the run has reached epoch 2/,
    );
    await expect(resumed(toyConfig({ epochs: 3, batchSize: 10 }), 'shorter')).rejects.toThrow(
      /began with "batchSize" 20, but now it is 10/,
    );
    rmSync(at('shorter/checkpoints/last'), { recursive: true });
    rmSync(at('shorter/checkpoints/last.previous'), { recursive: true, force: true });
    await expect(resumed(toyConfig({ epochs: 3 }), 'shorter')).rejects.toThrow(/has no checkpoint "last"/);
    expect(existsSync(at('shorter/summary.json'))).toBe(true);
  });

  it('says what is evaluated though it would not have been', async () => {
    const config = (epochs: number) => toyConfig({ epochs, evaluation: { every: 2 } });
    await train(config(3), 'odd');
    const { notes, status } = await resumed(config(4), 'odd');
    expect(notes).toEqual([expect.stringMatching(/Epoch 3 was evaluated because it was the last one/)]);
    expect(status).toBe('finished');
  });

  it('stays where it ended by itself', async () => {
    const config = (epochs: number) => toyConfig({ epochs, earlyStopping: { patience: 1, minDelta: 100 } });
    await train(config(4), 'ended');
    const before = contents('ended');
    const { notes, status } = await resumed(config(9), 'ended');
    expect(status).toBe('finished');
    expect(notes).toEqual([expect.stringMatching(/ended by itself in epoch 2: another number of epochs/)]);
    expect(contents('ended')).toEqual(before);
    // Without its records the summary knows it.
    rmSync(at('ended/metrics.jsonl'));
    expect((await resumed(config(9), 'ended')).notes).toEqual(notes);
  });

  it('is not taken for one that ended by itself where records are missing', async () => {
    await train(toyConfig({ epochs: 2 }), 'lost');
    await train(toyConfig({ epochs: 3 }), 'whole');
    rmSync(at('lost/metrics.jsonl'));
    const { notes } = await resumed(toyConfig({ epochs: 3 }), 'lost');
    expect(notes).toEqual([expect.stringMatching(/no record of 2 of the 2 epochs that are done/)]);
    const [lost, whole] = [contents('lost'), contents('whole')];
    // How often encoders ran stands in the records alone.
    const { passes, ...summary } = whole.summary as { readonly passes?: object };
    expect(passes).toEqual({ forward: expect.any(Object), backward: expect.any(Object) });
    expect([lost.summary, lost.weights]).toEqual([summary, whole.weights]);

    // The last one alone, of a run that has to be finished: it is not the one before.
    rmSync(at('whole/summary.json'));
    const lines = readFileSync(at('whole/metrics.jsonl'), 'utf8').split('\n');
    writeFileSync(at('whole/metrics.jsonl'), `${lines.slice(0, 2).join('\n')}\n`);
    await resumed(toyConfig({ epochs: 3 }), 'whole');
    expect(json('whole', 'summary.json').last).toEqual({ epoch: 3 });
  });
});

describe('a run that goes on', () => {
  it('may have another name, selection and size of evaluated batches', async () => {
    await train(toyConfig({ epochs: 2 }), 'run', stopAfter(2));
    await resumed(toyConfig({ epochs: 2, name: 'mine', evaluation: { batchSize: 7 } }), 'run');
    expect(json('run', 'summary.json')).toMatchObject({ name: 'mine', select: 'validation-best' });
    await resumed(toyConfig({ epochs: 2, name: 'yours', select: 'last' }), 'run');
    await train(toyConfig({ epochs: 2, name: 'yours', select: 'last' }), 'whole');
    expect(contents('run')).toEqual(contents('whole'));
    expect(json('run', 'config.json').continued).toEqual([
      { from: 1, earlier: { name: 'joint' } },
      { from: 3, earlier: { name: 'mine', select: 'validation-best' } },
    ]);
    // What it came to each time is kept.
    await resumed(toyConfig({ epochs: 2, name: 'theirs', select: 'last' }), 'run');
    const kept = ['summary-until-epoch-2.json', 'summary-until-epoch-2-2.json', 'summary.json'];
    expect(kept.map((file) => json('run', file).name)).toEqual(['mine', 'yours', 'theirs']);
  });

  it('cannot select by another split than its best epoch was kept by', async () => {
    await train(toyConfig({ epochs: 1 }), 'run');
    await expect(resumed(toyConfig({ epochs: 1, select: 'test-best' }), 'run')).rejects.toThrow(
      /began with "select" "validation-best", but now it is "test-best": the best epoch so far was kept/,
    );
  });
});
