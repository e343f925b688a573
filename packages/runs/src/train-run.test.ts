import * as tf from '@tensorflow/tfjs';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toyConfig, toyTeacher } from '../test/toy-config.js';
import type { EpochRecord } from '@g2d/core';
import { readCheckpoint } from './node/checkpoints/read-checkpoint.js';
import { RunFolder } from './node/run-folder.js';
import { lockRun } from './node/run-lock.js';
import { evaluateSplit } from './evaluate-split.js';
import { loadRun } from './load-run.js';
import { parseConfig } from './read-config.js';
import type { RunReporter } from './run-reporter.js';
import { trainRun } from './train-run.js';

let root: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-run-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, name);
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));
const lines = (folder: string): EpochRecord[] =>
  readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Stops after so many steps of this call. */
function stopAfter(steps: number): { signal: AbortSignal; reporter: RunReporter } {
  const controller = new AbortController();
  let count = 0;
  return {
    signal: controller.signal,
    reporter: {
      begin: () => {},
      step: () => void (++count === steps && controller.abort()),
      epoch: () => {},
      note: () => {},
    },
  };
}

const train = (config: object, name: string, options: Partial<Parameters<typeof trainRun>[1]> = {}) =>
  trainRun(parseConfig(config), { out: at(name), ...options });

async function trainTeachers(changes: object = {}): Promise<{ loud: string; quiet: string }> {
  await train(toyTeacher('loud', changes), 'teacher-loud');
  await train(toyTeacher('quiet', changes), 'teacher-quiet');
  return { loud: at('teacher-loud'), quiet: at('teacher-quiet') };
}

/** Everything of a finished run that must not depend on whether it was stopped. */
function contents(name: string): unknown {
  const folder = at(name);
  const { seconds: _, stages: __, ...summary } = json(folder, 'summary.json');
  return {
    summary,
    predictions: json(folder, 'predictions.json'),
    metrics: lines(folder).map((record) => ({ ...record, seconds: 0, memoryMB: 0 })),
    weights: ['last', 'best'].map((label) =>
      readFileSync(join(folder, 'checkpoints', label, 'model.safetensors'), 'hex'),
    ),
    optimizers: ['last', 'best'].map((label) =>
      readFileSync(join(folder, 'checkpoints', label, 'optimizer.safetensors'), 'hex'),
    ),
  };
}

const smp = { phaseEpochs: [1, 2], scope: 'encoder', ranking: 'epoch' };

describe('trainRun', () => {
  it('reads a dataset of a module in worker threads, with the same result', async () => {
    await train(toyConfig(), 'in-one-thread');
    await train(toyConfig({ data: { workers: 2 } }), 'in-three-threads');
    expect(contents('in-three-threads')).toEqual(contents('in-one-thread'));
  });

  it('writes configuration, metrics, checkpoints, events, predictions and summary', async () => {
    const outcome = await train(toyConfig(), 'joint');
    expect(outcome.status).toBe('finished');
    expect(readdirSync(at('joint')).sort()).toEqual([
      'checkpoints',
      'config.json',
      'metrics.jsonl',
      'predictions.json',
      'summary.json',
      'tensorboard',
    ]);
    const config = json(at('joint'), 'config.json');
    expect(config).toMatchObject({
      kind: 'student',
      name: 'joint',
      modalities: ['loud', 'quiet'],
      seed: 0,
      select: 'validation-best',
      model: { task: 'classification', classes: 3, shapes: { loud: [4], quiet: [4] } },
      environment: { backend: 'cpu', versions: { tfjs: expect.any(String), node: expect.any(String) } },
    });
    const { predictions, probabilities } = json(at('joint'), 'predictions.json');
    expect(Object.keys(probabilities)).toEqual(['fused', 'loud', 'quiet']);
    for (const [head, rows] of Object.entries<number[][]>(probabilities)) {
      expect(rows).toHaveLength(30);
      expect(rows.map((row) => row.indexOf(Math.max(...row)))).toEqual(predictions[head]);
      for (const row of rows) expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 4);
    }
    const records = lines(at('joint'));
    expect(records.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    for (const { validation, test, metrics } of records) {
      expect(Object.keys(validation!)).toEqual(['fused', 'loud', 'quiet']);
      expect(Object.keys(test!)).toEqual(['fused', 'loud', 'quiet']);
      expect(Object.keys(metrics!.test!['fused']!)).toEqual([
        'loss',
        'accuracy',
        'macroF1',
        'calibrationError',
        'confidence',
      ]);
    }
    const summary = json(at('joint'), 'summary.json');
    const best = Math.max(...records.map(({ validation }) => validation!['fused']!));
    // The later epoch wins a tie.
    const expected = records.findLast(({ validation }) => validation!['fused'] === best)!;
    expect(summary).toMatchObject({
      selectedEpoch: expected.epoch,
      validation: expected.validation,
      test: expected.test,
    });
    expect(summary.perClass.fused).toHaveLength(3);
    expect(summary.confusion.fused.flat().reduce((a: number, b: number) => a + b)).toBe(30);
    expect(Object.keys(summary.stages).sort()).toEqual(['checkpoints', 'evaluation', 'training']);
  });

  it('is opened with the weights that it began with, too', async () => {
    const optimizer = { type: 'sgd', learningRate: 0 };
    await train(toyConfig(), 'joint');
    await train(toyConfig({ optimizer }), 'still');
    const [initial, selected, still] = [
      await loadRun(at('joint'), { checkpoint: 'initial', trust: true }),
      await loadRun(at('joint'), { trust: true }),
      await loadRun(at('still'), { trust: true }),
    ];
    try {
      const weights = ({ model }: typeof initial) =>
        [...model.state()].map(([name, weight]) => [name, [...weight.read().dataSync()]]);
      // Where nothing is learned the weights stay what they were.
      expect(weights(initial)).toEqual(weights(still));
      expect(weights(initial)).not.toEqual(weights(selected));
      expect(initial.epoch).toBe(0);
      const { scores } = await evaluateSplit(initial.predict, initial.data.test, {});
      expect(scores).toEqual((await evaluateSplit(still.predict, still.data.test, {})).scores);
    } finally {
      for (const run of [initial, selected, still]) await run.close();
    }
  });

  it('selects the last epoch, or the best on the test split, where that is asked for', async () => {
    await train(toyConfig({ select: 'last' }), 'last');
    expect(json(at('last'), 'summary.json')).toMatchObject({
      select: 'last',
      selectedEpoch: 3,
      checkpoint: 'last',
    });
    await train(toyConfig({ select: 'test-best', evaluation: { splits: [] } }), 'test-best');
    const summary = json(at('test-best'), 'summary.json');
    const best = Math.max(...lines(at('test-best')).map(({ test }) => test!['fused']!));
    expect(summary).toMatchObject({ select: 'test-best', checkpoint: 'best', test: { fused: best } });
  });

  it('gives the same run for the same seed, and another for another', async () => {
    await train(toyConfig(), 'a');
    await train(toyConfig(), 'b');
    await train(toyConfig({ seed: 1 }), 'c');
    expect(contents('a')).toEqual(contents('b'));
    expect((contents('a') as { weights: unknown }).weights).not.toEqual(
      (contents('c') as { weights: unknown }).weights,
    );
  });

  const dropout = {
    encoders: Object.fromEntries(
      ['loud', 'quiet'].map((name) => [
        name,
        { ...((toyConfig() as never)['encoders'][name] as object), options: { dropout: 0.3 } },
      ]),
    ),
  };
  it.each([
    ['joint training', {}],
    ['G2D', { method: 'g2d', methodOptions: { smp } }],
    ['Adam with a warm-up', { optimizer: { type: 'adam', learningRate: 0.01, warmUp: { epochs: 2 } } }],
    ['dropout', dropout],
    ['OGM-GE', { method: 'ogm-ge', methodOptions: { 'ogm-ge': { alpha: 0.8, scope: 'encoder' } } }],
  ])('goes on after a stop at any step, bit for bit: %s', async (_, changes) => {
    const needs = 'method' in changes && changes.method === 'g2d';
    const config = toyConfig({ ...changes, ...(needs && { teachers: await trainTeachers() }) });
    await train(config, 'whole');
    for (let stop = 1; stop <= 8; stop++) {
      const name = `stopped-${stop}`;
      const first = await train(config, name, stopAfter(stop));
      expect(first).toMatchObject({ status: 'interrupted', epoch: Math.ceil(stop / 3) });
      expect(existsSync(join(at(name), 'summary.json'))).toBe(false);
      // And once more, two steps later.
      await train(config, name, { resume: true, ...stopAfter(2) });
      await train(config, name, { resume: true });
      expect(contents(name)).toEqual(contents('whole'));
    }
  });

  it('needs nothing but its folder and the data to go on: teachers are in it', async () => {
    const teachers = await trainTeachers();
    const config = toyConfig({ method: 'g2d', methodOptions: { smp }, teachers });
    await train(config, 'whole');
    await train(config, 'stopped', stopAfter(4));
    rmSync(teachers.loud, { recursive: true });
    rmSync(teachers.quiet, { recursive: true });
    await train(config, 'stopped', { resume: true });
    expect(contents('stopped')).toEqual(contents('whole'));
  });

  it('learns the same from stored outputs of the teachers as from running them', async () => {
    const teachers = await trainTeachers();
    const config = toyConfig({ method: 'g2d', methodOptions: { smp }, teachers });
    await train(config, 'online');
    await train({ ...config, teacherOutputs: 'stored' }, 'stored');
    const [online, stored] = [contents('online'), contents('stored')] as { weights: unknown }[];
    expect(stored!.weights).toEqual(online!.weights);
    // A ranking of the whole dataset asks the teachers before the run has begun.
    const ranked = {
      ...config,
      methodOptions: { smp: { ...smp, ranking: 'dataset' } },
      teacherOutputs: 'stored',
    };
    expect((await train(ranked, 'ranked')).status).toBe('finished');
    const { dataset } = toyConfig() as { dataset: object };
    const augmented = { dataset: { ...dataset, options: { augmented: true } } };
    await train(toyTeacher('loud', augmented), 'augmented-loud');
    await train(toyTeacher('quiet', augmented), 'augmented-quiet');
    const others = { loud: at('augmented-loud'), quiet: at('augmented-quiet') };
    await expect(
      train({ ...config, ...augmented, teachers: others, teacherOutputs: 'stored' }, 'augmented'),
    ).rejects.toThrow(/"teacherOutputs" is "stored", but loud is augmented at random/);
  });

  it('leaves a run alone that is there, in use, or not a run', async () => {
    await train(toyConfig(), 'done');
    await expect(train(toyConfig(), 'done')).rejects.toThrow(/holds a finished run. Give another folder/);
    const again = await train(toyConfig(), 'done', { resume: true });
    expect(again.status).toBe('finished');
    await train(toyConfig(), 'half', stopAfter(2));
    await expect(train(toyConfig(), 'half')).rejects.toThrow(/not finished. Go on with it \(--resume\)/);
    await expect(train(toyConfig({ batchSize: 10 }), 'half', { resume: true })).rejects.toThrow(
      /began with "batchSize" 20, but now it is 10/,
    );
    // What changes speed alone may change.
    const release = lockRun(at('half'));
    await expect(train(toyConfig(), 'half', { resume: true })).rejects.toThrow(/in use by process/);
    release();
    mkdirSync(at('thesis'));
    writeFileSync(join(at('thesis'), 'chapter.tex'), 'years');
    await expect(train(toyConfig(), 'thesis')).rejects.toThrow(/files that are not a run's \(chapter.tex\)/);
    expect(readdirSync(at('thesis'))).toEqual(['chapter.tex']);
    await expect(train(toyConfig({ method: 'g2' }), 'new')).rejects.toThrow(/There is no method "g2"/);
    expect(existsSync(at('new'))).toBe(false);
  });

  it('goes on with other workers, but not another learning rate', async () => {
    await train(toyConfig(), 'half', stopAfter(2));
    const faster = toyConfig({ checkpoints: { minutes: 1 } });
    expect((await train(faster, 'half', { resume: true, ...stopAfter(1) })).status).toBe('interrupted');
    const other = toyConfig({
      optimizer: { type: 'sgd', learningRate: 0.2, momentum: 0.9, weightDecay: 1e-4 },
    });
    await expect(train(other, 'half', { resume: true })).rejects.toThrow(
      /"optimizer.learningRate" 0.1, but now it is 0.2/,
    );
  });

  it('refuses teachers that do not fit, each with a sentence', async () => {
    const teachers = await trainTeachers();
    const g2d = (changes: object): object =>
      toyConfig({ method: 'g2d', methodOptions: { smp }, teachers, ...changes });
    const refused = (changes: object, message: RegExp): Promise<void> =>
      expect(train(g2d(changes), 'student')).rejects.toThrow(message);
    await refused({ teachers: {} }, /needs a teacher for loud, and "teachers" names none. Train it/);
    await refused({ teachers: { ...teachers, loud: at('nowhere') } }, /there is no folder/);
    await refused(
      { teachers: { loud: teachers.quiet, quiet: teachers.loud } },
      /The teacher for loud in .* has the modalities \["quiet"\], but this run has \["loud"\]/,
    );
    await train(toyTeacher('loud'), 'unfinished', stopAfter(1));
    await refused({ teachers: { ...teachers, loud: at('unfinished') } }, /is not finished/);
    const { dataset } = toyConfig() as { dataset: object };
    await refused(
      { dataset: { ...dataset, options: { broken: 99 } } },
      /The teacher for loud in .* has "dataset.options" not set, but this run has {"broken":99}/,
    );
    expect(existsSync(at('student'))).toBe(false);
  });

  it('stops at a loss that is not finite, says where, and keeps the last good checkpoint', async () => {
    const { dataset } = toyConfig() as { dataset: object };
    const config = toyConfig({ dataset: { ...dataset, options: { broken: 7 } } });
    await expect(train(config, 'broken')).rejects.toThrow(
      /The loss is NaN \(part "student"\) in epoch 1, step \d, on the samples/,
    );
    const exploding = toyConfig({ optimizer: { type: 'sgd', learningRate: 1e30 }, epochs: 5 });
    await expect(train(exploding, 'exploding')).rejects.toThrow(/not finite|is NaN|is Infinity|holds/);
    expect(existsSync(join(at('exploding'), 'summary.json'))).toBe(false);

    // A method that breaks in the second epoch: the checkpoint is that of the first.
    const late = toyConfig({
      optimizer: { type: 'sgd', learningRate: 1e25, warmUp: { epochs: 1, start: 1e-26 } },
      epochs: 4,
    });
    await expect(train(late, 'late')).rejects.toThrow(/not finite|is NaN|is Infinity|holds/);
    const { model, state } = readCheckpoint(join(at('late'), 'checkpoints'), 'last')!;
    expect(Object.values(model).every(({ values }) => values.every(Number.isFinite))).toBe(true);
    expect((state as { position: { epoch: number } }).position.epoch).toBe(2);
  });

  it('starts an encoder from the weights of another run', async () => {
    const teachers = await trainTeachers();
    const { encoders } = toyConfig() as { encoders: Record<string, object> };
    const warm = toyConfig({
      encoders: { loud: { ...encoders['loud'], weights: teachers.loud }, quiet: encoders['quiet'] },
      optimizer: { type: 'sgd', learningRate: 0 },
      epochs: 1,
    });
    await train(warm, 'warm');
    const name = 'loud/dense/kernel';
    expect(new RunFolder(at('warm')).weights()[name]).toEqual(new RunFolder(teachers.loud).weights()[name]);
  });

  it('loads what a run has selected, also from a folder that was moved', async () => {
    await train(toyConfig(), 'joint');
    cpSync(at('joint'), at('moved'), { recursive: true });
    const run = await loadRun(at('moved'), { trust: true });
    expect(run.epoch).toBe(json(at('joint'), 'summary.json').selectedEpoch);
    expect((await loadRun(at('joint'), { checkpoint: 'last', trust: true })).epoch).toBe(3);
    await expect(loadRun(at('joint'), { checkpoint: 'epoch-0007', trust: true })).rejects.toThrow(
      /no checkpoint "epoch-0007"/,
    );
    await expect(loadRun(root, { trust: true })).rejects.toThrow(/is no run folder/);
    await run.close();
  });
});

describe('samples that cannot be read', () => {
  it('are left out, named, and counted alike by a run that is stopped, also where a whole batch is lost', async () => {
    const { dataset } = toyConfig() as { dataset: object };
    // Sixty samples in batches of two: some batches lose both.
    const config = toyConfig({
      dataset: { ...dataset, options: { unreadable: 25 } },
      data: { onError: 'skip' },
      batchSize: 2,
      epochs: 2,
    });
    const notes: string[] = [];
    const { reporter } = stopAfter(Infinity);
    await train(config, 'whole', { reporter: { ...reporter, note: (line) => void notes.push(line) } });
    expect(new Set(notes).size).toBe(25);
    expect(notes[0]).toMatch(/^Sample "toy\/train\/\d+" is left out: /);
    for (const stop of [3, 20, 27]) {
      await train(config, `stopped-${stop}`, stopAfter(stop));
      await train(config, `stopped-${stop}`, { resume: true });
      expect(contents(`stopped-${stop}`)).toEqual(contents('whole'));
    }
    await expect(train({ ...config, data: { onError: 'fail' } }, 'failing')).rejects.toThrow(
      /could not be read/,
    );
  });
});

describe('what a stranger found', () => {
  it('loads runs of methods that need validation or the number of batches', async () => {
    await train(toyConfig({ method: 'mses', methodOptions: { mses: { patience: 1 } } }), 'mses');
    await train(toyConfig({ method: 'mla', methodOptions: { mla: { projection: true } } }), 'mla');
    for (const name of ['mses', 'mla']) {
      const { metrics } = json(at(name), 'summary.json');
      const run = await loadRun(at(name), { trust: true });
      const found = await evaluateSplit(run.predict, run.data.test, {});
      expect(JSON.parse(JSON.stringify(found.metrics))).toEqual(metrics.test);
      await run.close();
    }
  });

  it('lets a method look at the validation split, and refuses it where there is none', async () => {
    const method = 'diagnosing-relearning';
    const config = { method, methodOptions: { [method]: { every: 1, times: 1 } } };
    await train(toyConfig(config), 'looking');
    const [first, second, third] = lines(at('looking'));
    expect([first, third].map((record) => record!['relearned'])).toEqual([undefined, undefined]);
    expect(Object.keys(second!['relearned'] as object)).toEqual(['loud', 'quiet']);
    const unsplit = toyConfig({
      ...config,
      dataset: { ...(toyConfig() as { dataset: object }).dataset, options: { validation: false } },
      select: 'last',
    });
    await expect(train(unsplit, 'blind')).rejects.toThrow(
      'The method "diagnosing-relearning" looks at the samples of the validation split, and this dataset has none: hold one out.',
    );
    expect(existsSync(at('blind'))).toBe(false);
  });

  it('reports the weights that were scored, where a method puts others back after the epoch', async () => {
    const optimizer = { type: 'sgd', learningRate: 2 };
    await train(
      toyConfig({ epochs: 8, method: 'mses', methodOptions: { mses: { patience: 1 } }, optimizer }),
      'mses',
    );
    const { selectedEpoch, validation } = json(at('mses'), 'summary.json');
    expect(validation).toEqual(lines(at('mses'))[selectedEpoch - 1]!.validation);
  });

  it('goes on from the newest state also where `last` is rarely due', async () => {
    const config = toyConfig({ epochs: 4, checkpoints: { every: 100, keepEvery: 1 } });
    await train(config, 'whole');
    const failing: RunReporter = {
      begin: () => {},
      step: () => {},
      epoch: ({ epoch }) => {
        if (epoch === 3) throw new Error('killed');
      },
      note: () => {},
    };
    await expect(train(config, 'killed', { reporter: failing })).rejects.toThrow('killed');
    let done = 0;
    const counting = {
      ...failing,
      epoch: () => {},
      begin: (progress: { done: number }) => void ({ done } = progress),
    };
    await train(config, 'killed', { resume: true, reporter: counting });
    expect(done).toBe(9);
    expect(contents('killed')).toEqual(contents('whole'));
  });

  it('never takes a folder with somebody’s own config.json, or inside of a run, for free', async () => {
    mkdirSync(join(at('mine'), 'checkpoints'), { recursive: true });
    writeFileSync(join(at('mine'), 'config.json'), JSON.stringify(toyConfig({ name: 'mine' })));
    writeFileSync(join(at('mine'), 'checkpoints', 'precious.pth'), '');
    await expect(train(toyConfig({ name: 'mine' }), 'mine', { resume: true })).rejects.toThrow(
      /files that are not a run's/,
    );
    expect(existsSync(join(at('mine'), 'checkpoints', 'precious.pth'))).toBe(true);
    await train(toyConfig(), 'outer');
    await expect(train(toyConfig(), 'outer/checkpoints/inner')).rejects.toThrow(
      /lies inside of the run folder/,
    );
  });

  it('goes on with the modalities in another order, and with data and teachers in another place', async () => {
    const teachers = await trainTeachers();
    const config = (changes: object) =>
      toyConfig({
        method: 'g2d',
        methodOptions: { smp },
        modalities: ['quiet', 'loud'],
        teachers,
        ...changes,
      });
    await train(config({}), 'run', stopAfter(4));
    const moved = { teachers: { loud: '/elsewhere', quiet: '/elsewhere' }, modalities: ['loud', 'quiet'] };
    expect((await train(config(moved), 'run', { resume: true })).status).toBe('finished');
  });

  it.each(['smp+linear-probe', 'mm-pareto+linear-probe'])(
    'keeps a linear probe’s encoders, whatever else is stacked: %s',
    async (method) => {
      const teachers = await trainTeachers();
      const { encoders } = toyConfig() as { encoders: Record<string, object> };
      const frozen = toyConfig({
        method,
        methodOptions: { smp: { phaseEpochs: [3, 1], scope: 'encoder' } },
        teachers,
        encoders: {
          loud: { ...encoders['loud'], weights: teachers.loud },
          quiet: { ...encoders['quiet'], weights: teachers.quiet },
        },
      });
      await train(frozen, 'probe');
      for (const modality of ['loud', 'quiet'] as const) {
        const name = `${modality}/dense/kernel`;
        expect(new RunFolder(at('probe')).weights('last')[name]).toEqual(
          new RunFolder(teachers[modality]).weights()[name],
        );
      }
    },
  );
});
