// Runs whose samples have any number of classes, from the configuration to what is written.
import * as tf from '@tensorflow/tfjs';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { methods } from '@g2d/methods';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toyConfig } from '../test/toy-config.js';
import type { RunReporter } from './run-reporter.js';
import { evaluateSplit } from './evaluate-split.js';
import { loadRun } from './load-run.js';
import { parseConfig } from './read-config.js';
import { trainRun } from './train-run.js';

const path = fileURLToPath(new URL('../test/multi-label-dataset.ts', import.meta.url));
let root: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-multi-label-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, name);
const json = (...parts: string[]) => JSON.parse(readFileSync(join(...parts), 'utf8'));
const config = (changes: object = {}, options: object = {}) =>
  parseConfig(toyConfig({ dataset: { name: 'module', path, options }, ...changes }));
const train = (changes: object, name: string, options: object = {}, more: object = {}) =>
  trainRun(config(changes, options), { out: at(name), trust: true, ...more });

/** Stops after so many steps of this call. */
function stopAfter(steps: number): { signal: AbortSignal; reporter: RunReporter } {
  const controller = new AbortController();
  let count = 0;
  const step = (): void => void (++count === steps && controller.abort());
  const reporter = { begin: () => {}, step, epoch: () => {}, note: () => {} };
  return { signal: controller.signal, reporter };
}

async function trainTeachers(): Promise<{ loud: string; quiet: string }> {
  for (const modality of ['loud', 'quiet']) await train({ modalities: [modality] }, `teacher-${modality}`);
  return { loud: at('teacher-loud'), quiet: at('teacher-quiet') };
}

/** One that has all modalities. */
async function trainFullTeacher(): Promise<{ fused: string }> {
  await train({}, 'teacher-fused');
  return { fused: at('teacher-fused') };
}

/** A file with the label of the first training sample. */
function labelFile(label: unknown): string {
  writeFileSync(at('label.json'), JSON.stringify(label));
  return at('label.json');
}

/** Everything that must not depend on whether a run was stopped. */
function contents(name: string): unknown {
  const { seconds: _, stages: __, ...summary } = json(at(name), 'summary.json');
  return {
    summary,
    predictions: json(at(name), 'predictions.json'),
    weights: ['model', 'optimizer'].map((file) =>
      readFileSync(join(at(name), 'checkpoints/last', `${file}.safetensors`), 'hex'),
    ),
  };
}

const smp = { phaseEpochs: [1, 2], scope: 'encoder', ranking: 'epoch' };

describe('a multi-label run', () => {
  it('trains teachers and a student with G2D, and writes sets of classes', async () => {
    const teachers = await trainTeachers();
    const changes = { method: 'g2d', methodOptions: { smp }, teachers, epochs: 12 };
    await train(changes, 'g2d');
    const { task, metrics, perClass, confusion, test } = json(at('g2d'), 'summary.json');
    expect([task, confusion]).toEqual(['multi-label', undefined]);
    const names = ['loss', 'microF1', 'macroF1', 'subsetAccuracy', 'meanAveragePrecision', 'confidence'];
    for (const head of ['fused', 'loud', 'quiet']) {
      expect(Object.keys(metrics.test[head]).sort()).toEqual(names.sort());
      expect(test[head]).toBe(metrics.test[head].microF1);
      expect(perClass[head]).toHaveLength(3);
    }
    // The signal is three standard deviations: it is learned.
    expect(test.fused).toBeGreaterThan(85);
    expect(test.loud).toBeGreaterThan(test.quiet);

    const { ids, labels, classNames, predictions, probabilities } = json(at('g2d'), 'predictions.json');
    expect(classNames).toEqual(['a', 'b', 'c']);
    // Sample i has the classes whose bits i has.
    expect(labels.slice(0, 4)).toEqual([[], [0], [1], [0, 1]]);
    expect(predictions.fused).toHaveLength(ids.length);
    predictions.fused.forEach((set: number[], i: number) =>
      expect(set).toEqual([0, 1, 2].filter((id) => probabilities.fused[i][id] > 0.5)),
    );

    // The epoch that was kept is the one with the best micro F1 on validation.
    const records = readFileSync(join(at('g2d'), 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    const scores = records.map((line) => JSON.parse(line).metrics.validation.fused.microF1 as number);
    const { selectedEpoch } = json(at('g2d'), 'summary.json');
    expect(scores[selectedEpoch - 1]).toBe(Math.max(...scores));
    const [confidence] = records.map((line) => JSON.parse(line).confidence);
    for (const rho of Object.values(confidence as Record<string, number>))
      expect(rho > 0 && rho < 1).toBe(true);

    const run = await loadRun(at('g2d'), { trust: true });
    const again = await evaluateSplit(run.predict, run.data.test, {});
    expect(again.metrics).toEqual(metrics.test);
    expect(again.predictions.predictions).toEqual(predictions);
    await run.close();
  });

  it.each([
    ['joint training', {}, {}],
    ['G2D, from stored outputs', { method: 'g2d', methodOptions: { smp }, teacherOutputs: 'stored' }, {}],
    [
      'missing modalities, weights and two batches a step',
      { accumulate: 2, loss: { classWeights: 'balanced' } },
      { lacking: true },
    ],
    [
      'an own early stopping',
      { earlyStopping: { patience: 1, metric: 'meanAveragePrecision' }, epochs: 9 },
      {},
    ],
  ])('goes on after a stop at any step, bit for bit: %s', async (_, given, options) => {
    const teachers = 'method' in given ? { teachers: await trainTeachers() } : {};
    const changes = { ...given, ...teachers };
    await train(changes, 'whole', options);
    for (const stop of [1, 2, 4]) {
      const name = `stopped-${stop}`;
      expect((await train(changes, name, options, stopAfter(stop))).status).toBe('interrupted');
      expect((await train(changes, name, options, { resume: true })).status).toBe('finished');
      expect(contents(name)).toEqual(contents('whole'));
    }
  });

  it('has a training score that is the micro F1 of all batches', async () => {
    // Nothing changes with a learning rate of nearly 0, so what is scored batch by batch can be scored at once.
    await train({ optimizer: { type: 'sgd', learningRate: 1e-30 }, epochs: 1, select: 'last' }, 'still');
    const [line] = readFileSync(join(at('still'), 'metrics.jsonl'), 'utf8').split('\n');
    const run = await loadRun(at('still'), { trust: true });
    const { scores } = await evaluateSplit(run.predict, run.data.train, {});
    for (const [head, score] of Object.entries(JSON.parse(line!).train))
      expect(scores[head]).toBeCloseTo(score as number, 9);
    await run.close();
  });

  it('knows its data: other labels are refused, the order within a label says nothing', async () => {
    const first = labelFile([0, 2]);
    await train({}, 'run', { first }, stopAfter(1));
    labelFile([2, 0]);
    await train({}, 'run', { first }, { resume: true, ...stopAfter(1) });
    labelFile([2]);
    await expect(train({}, 'run', { first }, { resume: true })).rejects.toThrow(
      /The train split has changed since the run in \S+ began \(labels: sha256/,
    );
    labelFile([0, 2]);
    expect((await train({}, 'run', { first }, { resume: true })).status).toBe('finished');
  });
});

describe('methods of a multi-label task', () => {
  /** Those whose formula is about one class of each sample. */
  const REFUSED = [
    'agm',
    'cpm-net',
    'di-mml',
    'diagnosing-relearning',
    'ogm',
    'ogm-ge',
    'olm',
    'pmr',
    'qmf',
    'recon-boost',
  ];
  const OPTIONS: Readonly<Record<string, object>> = {
    agm: { alpha: 1 },
    'di-mml': { temperature: 10, fusionEpochs: 1 },
    mla: { weights: { loud: 1, quiet: 2 } },
    // Without clipped gradients it diverges with its defaults.
    mmin: {
      units: [3],
      blocks: 1,
      hidden: [4],
      initialization: 'normal',
      imaginationWeight: 0.01,
      cycleWeight: 0.01,
    },
    mses: { patience: 1 },
    mslr: { memory: 1 },
    ogm: { alpha: 0.5, scope: 'encoder' },
    'ogm-ge': { alpha: 0.5, scope: 'encoder' },
    smp: { phaseEpochs: [1, 1], scope: 'encoder' },
    'recon-boost': { boostEpochs: 1, rectifyEpochs: 1 },
  };

  // TATE has encoders of its own.
  const others = methods.filter(({ name }) => name !== 'tate');

  it.each(others.map((method) => [method.name, method] as const))('%s', async (name, method) => {
    const parts = method.kind === 'stack' ? method.methods : [method];
    const needsFull = parts.some(({ needs }) => needs?.teachers === 'full');
    const needsTeachers = parts.some(({ needs }) => needs?.teachers);
    const own = parts.flatMap((part) => (OPTIONS[part.name] ? [[part.name, OPTIONS[part.name]]] : []));
    const changes = {
      method: name,
      epochs: name === 'ume' ? 0 : 2,
      methodOptions: Object.fromEntries(own),
      ...(needsTeachers && { teachers: needsFull ? await trainFullTeacher() : await trainTeachers() }),
      // Those who learn what is missing.
      ...(parts.some(({ needs }) => needs?.inputs) && { data: { missing: { rate: 0.3 } } }),
    };
    const outcome = await train(changes, 'run').then(
      ({ status }) => status as string,
      (error: Error) => error.message,
    );
    expect(outcome).toBe(
      REFUSED.includes(name)
        ? `The method "${name}" is for classification, but this is a multi-label task.`
        : name === 'mis-me'
          ? 'The method "mis-me" is for regression, but this is a multi-label task.'
          : 'finished',
    );
  });

  it('MLA weighs modalities by a softmax, unless it has weights', async () => {
    await expect(train({ method: 'mla' }, 'run')).rejects.toThrow(
      /MLA weighs the modalities by the entropy of a softmax .* Give fixed "weights", a number for each of loud, quiet\./,
    );
  });
});

describe('what is refused with one sentence', () => {
  it.each([
    [1, /has the label 1; a multi-label sample has a list of class ids, \[\] if it has no class\./],
    [null, /has the label null; a multi-label sample has a list/],
    [[0, 3], /has the class 3 in its label \[0,3\]; class ids are 0 to 2 \(a, b, c\)\./],
    [[0.5], /has the class 0\.5 in its label/],
    [[1, 1], /has the class 1 twice in its label \[1,1\]; each id stands there once\./],
  ])('a label that is none: %j', async (label, message) => {
    await expect(train({}, 'run', { first: labelFile(label) })).rejects.toThrow(message);
  });

  it.each([
    [
      { loss: { labelSmoothing: 0.1 } },
      /`loss\.labelSmoothing` is for samples with one class each, but this is a multi-label task\. Leave it out\./,
    ],
    [{ loss: { classWeights: [1, 2] } }, /has 2 numbers, but there are 3 classes: a, b, c/],
    [
      { earlyStopping: { patience: 1, metric: 'accuracy' } },
      /is "accuracy"; a multi-label task has loss, microF1, macroF1, subsetAccuracy, meanAveragePrecision, confidence\./,
    ],
  ])('a setting that is not for it: %j', async (changes, message) => {
    await expect(train(changes, 'run')).rejects.toThrow(message);
  });
});
