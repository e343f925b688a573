// Regression, missing modalities, stored teachers, and methods that do the step their own way.
import * as tf from '@tensorflow/tfjs';
import { type MultimodalDataset } from '@g2d/core';
import { batches, fromSamples, missingModalities, type Batch } from '@g2d/datasets';
import { studentLoss } from '@g2d/distill';
import { TeacherOutputsFile, teacherHash, writeTeacherOutputs } from '@g2d/distill/node';
import { transformer } from '@g2d/encoders';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { randomStream } from '@g2d/tensor-ops';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, evaluateRegression, inferenceOf } from './evaluate.js';
import { frozenTeachers } from './frozen-teachers.js';
import type { EpochRecord, Method } from '@g2d/core';
import { g2dDistillation, modalityPrioritization } from '@g2d/methods';
import { readState } from './model-state.js';
import { teacherConfidence } from './teacher-confidence.js';
import { teacherEnsemble } from './teacher-ensemble.js';
import { train } from './train.js';
import { toyDataset, toyModel, type Modality } from '../test/toy.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const optimizer = { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 };
const both = ['loud', 'quiet'] as const;

/** The classes of the toy as targets 0.2, 0.4, 0.6. */
function toyRegression(split: 'train' | 'test', size: number): MultimodalDataset<Modality> {
  const dataset = toyDataset(split, size, 1);
  return {
    ...dataset,
    task: 'regression',
    classNames: [],
    sample: async (index, options) => {
      const sample = await dataset.sample(index, options);
      return { ...sample, label: 0.2 + 0.2 * (sample.label as number) };
    },
  };
}

const VARIANCE = 0.08 / 3;

describe('a regression', () => {
  it('trains teachers and a student with G2D, and is measured in MAPE and R²', async () => {
    const data = toyRegression('train', 60);
    const settings = {
      task: 'regression',
      epochs: 60,
      optimizer,
      batches: (epoch: number) => batches(data, { batchSize: 20, epoch, shuffle: true }),
    } as const;
    const models = { loud: toyModel(['loud'], 7, 1), quiet: toyModel(['quiet'], 7, 1) };
    await train({ model: models.loud, methods: [], ...settings });
    await train({ model: models.quiet, methods: [], ...settings });
    const teachers = frozenTeachers(models);
    const confidence = await teacherConfidence(teachers, data, { targetVariance: VARIANCE });
    expect(confidence.loud).toBeGreaterThan(confidence.quiet);
    expect(confidence.loud).toBeLessThan(1);

    const log: EpochRecord[] = [];
    const model = toyModel(both, 0, 1);
    const smp = { phaseEpochs: [30, 30], scope: 'encoder' as const, targetVariance: VARIANCE };
    await train({
      model,
      methods: [g2dDistillation(), modalityPrioritization(smp)],
      teachers,
      ...settings,
      onEpoch: (record) => void log.push(record),
    });
    expect(log[0]!['coefficients']).toEqual({ loud: 0, quiet: 1 });
    expect(log.at(-1)!.train['fused']).toBeLessThan(log[0]!.train['fused']! / 2);
    const test = await evaluateRegression(inferenceOf(model), toyRegression('test', 30));
    expect(test.rSquared['fused']).toBeGreaterThan(0.8);
    expect(Object.keys(test.meanAbsolutePercentageError)).toEqual(['fused', 'loud', 'quiet']);
    await expect(evaluate(inferenceOf(model), data)).rejects.toThrow(/Use `evaluateRegression`/);
    const wide = async function* (): AsyncGenerator<Batch<Modality>> {
      for await (const batch of batches(data, { batchSize: 20 }))
        yield { ...batch, labels: tf.mul(batch.labels, 100) };
    };
    await expect(train({ model, methods: [], ...settings, batches: wide })).rejects.toThrow(
      /has the target \d+.*Scale the targets into \[0, 1\]/,
    );
    await expect(
      train({
        model,
        methods: [modalityPrioritization({ phaseEpochs: [30, 30], scope: 'encoder' })],
        teachers,
        ...settings,
      }),
    ).rejects.toThrow(/every sample of the training split; pass `everySample`/);
  });

  it('predicts the output itself with `output: identity`, for targets of any size', async () => {
    const far = (data: MultimodalDataset<Modality>): MultimodalDataset<Modality> => ({
      ...data,
      sample: async (index, options) => {
        const sample = await data.sample(index, options);
        return { ...sample, label: 5 * (sample.label as number) - 1.5 };
      },
    });
    const data = far(toyRegression('train', 60));
    const settings = {
      task: 'regression',
      loss: { output: 'identity' },
      epochs: 40,
      optimizer: { learningRate: 0.01, momentum: 0.9 },
      batches: (epoch: number) => batches(data, { batchSize: 20, epoch, shuffle: true }),
    } as const;
    const models = { loud: toyModel(['loud'], 7, 1), quiet: toyModel(['quiet'], 7, 1) };
    await train({ model: models.loud, methods: [], ...settings });
    await train({ model: models.quiet, methods: [], ...settings });
    const teachers = frozenTeachers(models);
    const judged = { targetVariance: 25 * VARIANCE, output: 'identity' } as const;
    const confidence = await teacherConfidence(teachers, data, judged);
    expect(confidence.loud).toBeGreaterThan(0.6);
    const model = toyModel(both, 0, 1);
    const log: EpochRecord[] = [];
    const { predict } = await train({
      model,
      methods: [g2dDistillation()],
      teachers,
      ...settings,
      onEpoch: (record) => void log.push(record),
    });
    const test = far(toyRegression('test', 30));
    const [identity, sigmoid] = [
      await evaluateRegression(predict, test, { output: 'identity' }),
      await evaluateRegression(predict, test),
    ];
    expect(identity.rSquared['fused']).toBeGreaterThan(0.8);
    expect(Math.min(...identity.predictions['fused']!)).toBeLessThan(0);
    expect(Math.max(...identity.predictions['fused']!)).toBeGreaterThan(1);
    expect(sigmoid.rSquared['fused']).toBeLessThan(0.5);
    // The log's score is of the same values: a sigmoid cannot be near −0.5.
    expect(log.at(-1)!.train['fused']).toBeLessThan(60);
    const average = { average: 'probabilities', task: 'regression', output: 'identity' } as const;
    const ensemble = await evaluateRegression(teacherEnsemble(teachers, average), test, {
      output: 'identity',
    });
    const mean = (i: number): number =>
      (ensemble.predictions['loud']![i]! + ensemble.predictions['quiet']![i]!) / 2;
    ensemble.predictions['fused']!.forEach((value, i) => expect(value).toBeCloseTo(mean(i), 4));
  });

  it('refuses an output where there is none, another one, and targets that are no numbers', async () => {
    const data = toyRegression('train', 20);
    const settings = {
      model: toyModel(both, 0, 1),
      epochs: 1,
      optimizer,
      batches: (epoch: number) => batches(data, { batchSize: 20, epoch }),
    };
    const trained = (given: object) => train({ ...settings, methods: [], task: 'regression', ...given });
    await expect(trained({ loss: { output: 'tanh' } })).rejects.toThrow(
      /`loss.output` is "tanh"; it can be sigmoid or identity/,
    );
    await expect(trained({ task: 'classification', loss: { output: 'identity' } })).rejects.toThrow(
      /`loss.output` is for a regression, but this is a classification/,
    );
    const raw: Method<Modality> = { name: 'raw', needs: { output: 'identity' } };
    await expect(trained({ methods: [raw] })).rejects.toThrow(
      /"raw" predicts the output itself, but this training the sigmoid of the output. Set `output` of `loss` to "identity"/,
    );
    const broken = async function* (): AsyncGenerator<Batch<Modality>> {
      for await (const batch of batches(data, { batchSize: 20 })) {
        const labels = tf.mul<tf.Tensor1D>(batch.labels, Infinity);
        tf.dispose(batch.labels);
        yield { ...batch, labels };
      }
    };
    await expect(trained({ loss: { output: 'identity' }, batches: broken })).rejects.toThrow(
      /the target Infinity, which is no finite number/,
    );
  });
});

describe('missing modalities', () => {
  it('train, rank and are measured over the samples that have them', async () => {
    const data = missingModalities(toyDataset('train', 60, 1), { rate: 0.4, seed: 0 });
    const epochOf = (epoch: number) => batches(data, { batchSize: 20, epoch, shuffle: true });
    const models = { loud: toyModel(['loud'], 7), quiet: toyModel(['quiet'], 7) };
    await train({ model: models.loud, methods: [], epochs: 10, optimizer, batches: epochOf });
    await train({ model: models.quiet, methods: [], epochs: 10, optimizer, batches: epochOf });
    const teachers = frozenTeachers(models);
    const model = toyModel(both, 0);
    const log: EpochRecord[] = [];
    await train({
      model,
      methods: [g2dDistillation(), modalityPrioritization({ phaseEpochs: [2, 8], scope: 'encoder' })],
      teachers,
      epochs: 10,
      optimizer,
      batches: epochOf,
      onEpoch: (record) => void log.push(record),
    });
    expect(log[0]!['coefficients']).toEqual({ loud: 0, quiet: 1 });
    const { accuracy, confusion, ids } = await evaluate(inferenceOf(model), data);
    const samples = (name: string) => confusion[name]!.flat().reduce((sum, count) => sum + count, 0);
    // 40 % of the 120 cells are missing.
    expect(samples('loud') + samples('quiet')).toBe(72);
    expect([samples('fused'), ids.length]).toEqual([60, 60]);
    expect(accuracy['fused']).toBeGreaterThan(60);
  });

  it('do not stop a batch in which nobody has one of them', async () => {
    const silent = async function* (): AsyncGenerator<Batch<Modality>> {
      for await (const batch of batches(toyDataset('train', 20, 1), { batchSize: 10 })) {
        tf.dispose(batch.inputs.loud);
        const inputs = { ...batch.inputs, loud: tf.mul(batch.inputs.quiet, NaN) };
        yield { ...batch, inputs, present: { loud: tf.zeros([10]) } };
      }
    };
    const model = toyModel(both, 0);
    const start = readState(model);
    const log: EpochRecord[] = [];
    await train({
      model,
      methods: [g2dDistillation(), modalityPrioritization({ phaseEpochs: [1, 1], scope: 'encoder' })],
      teachers: frozenTeachers({ loud: toyModel(['loud'], 7), quiet: toyModel(['quiet'], 7) }),
      epochs: 2,
      optimizer: { ...optimizer, weightDecay: 0 },
      batches: silent,
      onEpoch: (record) => void log.push(record),
    });
    expect(log.map(({ coefficients }) => coefficients)).toEqual([
      { loud: 0, quiet: 1 },
      { loud: 1, quiet: 1 },
    ]);
    const end = readState(model);
    expect(end['loud/dense/kernel']).toEqual(start['loud/dense/kernel']);
    expect(end['quiet/dense/kernel']).not.toEqual(start['quiet/dense/kernel']);
    expect(end['quiet/dense/kernel']!.values.every(Number.isFinite)).toBe(true);
  });
});

describe('a batch that does not bring a modality at all', () => {
  const lacking = async function* (): AsyncGenerator<Batch<Modality>> {
    for await (const batch of batches(toyDataset('train', 20, 1), { batchSize: 10 })) {
      tf.dispose(batch.inputs.loud);
      const inputs = { quiet: batch.inputs.quiet } as Batch<Modality>['inputs'];
      yield { ...batch, inputs, present: { loud: tf.zeros([10]) } };
    }
  };
  const smp = modalityPrioritization<Modality>({ phaseEpochs: [1, 1], scope: 'encoder' });

  it.each([
    ['joint training', []],
    ['the loss of G2D', [g2dDistillation<Modality>()]],
    ['SMP', [smp]],
    ['both', [g2dDistillation<Modality>(), smp]],
  ])('trains with %s', async (_, methods) => {
    const model = toyModel(both, 0);
    const teachers = frozenTeachers({ loud: toyModel(['loud'], 7), quiet: toyModel(['quiet'], 7) });
    const start = readState(model);
    const before = tf.memory().numTensors;
    await train({
      model,
      methods,
      teachers,
      epochs: 2,
      optimizer: { ...optimizer, weightDecay: 0 },
      batches: lacking,
    });
    expect(tf.memory().numTensors).toBe(before);
    const end = readState(model);
    expect(end['loud/dense/kernel']).toEqual(start['loud/dense/kernel']);
    expect(end['quiet/dense/kernel']!.values.every(Number.isFinite)).toBe(true);
    expect(end['quiet/dense/kernel']).not.toEqual(start['quiet/dense/kernel']);
  });
});

describe('sequences of different lengths', () => {
  it('reach an encoder that takes a padding mask with it, in teachers, student and evaluation', async () => {
    const random = randomStream(3);
    const sequence = (steps: number) => Float32Array.from({ length: steps * 2 }, () => random.normal());
    const dataset = fromSamples({
      name: 'spoken',
      split: 'train',
      classNames: ['a', 'b'],
      shapes: { words: [null, 2] },
      samples: Array.from({ length: 6 }, (_, i) => ({
        id: `spoken/${i}`,
        label: i % 2,
        inputs: { words: sequence(2 + (i % 3)) },
      })),
    });
    const encoder = transformer({
      name: 'words',
      inputShape: [null, 2],
      seed: 0,
      paddingMask: true,
      layers: 1,
      heads: 2,
    });
    const widths = { words: encoder.outputs[0]!.shape[1] as number };
    const fusion = lateFusion({ widths, classes: 2, seed: 0 });
    const model = new MultimodalModel({ encoders: { words: encoder }, fusion });
    const epochOf = (epoch: number) => batches(dataset, { batchSize: 3, epoch });
    await train({
      model,
      methods: [g2dDistillation()],
      teachers: frozenTeachers({ words: model }),
      epochs: 1,
      optimizer: { ...optimizer, learningRate: 1e-3 },
      batches: epochOf,
    });
    // Padding changes nothing: alone and with longer ones the same predictions.
    const [alone, together] = [
      await evaluate(inferenceOf(model), dataset, { batchSize: 1 }),
      await evaluate(inferenceOf(model), dataset, { batchSize: 6 }),
    ];
    expect(alone.predictions).toEqual(together.predictions);
  });
});

describe('stored teachers', () => {
  it('give the same training as teachers that run', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'g2d-teachers-'));
    try {
      const data = toyDataset('train', 40, 1);
      const models = { loud: toyModel(['loud'], 7), quiet: toyModel(['quiet'], 7) };
      const online = frozenTeachers(models);
      const file = join(folder, 'loud.safetensors');
      const identity = { teacherHash: await teacherHash(models.loud.state()), augmentationSeed: null };
      const outputs = async function* () {
        for await (const batch of batches(data, { batchSize: 7 })) {
          const { loud, quiet } = online.outputs(batch);
          yield { ids: batch.ids, outputs: loud };
          tf.dispose([batch, { ...loud }, { ...quiet }]);
        }
      };
      await writeTeacherOutputs(file, identity, outputs());
      const stored = { loud: TeacherOutputsFile.open(file, identity) };
      const half = frozenTeachers({ quiet: models.quiet }, { stored });
      expect(half.modalities).toEqual(['quiet', 'loud']);
      const run = async (teachers: typeof online) => {
        const model = toyModel(both, 0);
        const methods = [g2dDistillation<Modality>()];
        const epochOf = (epoch: number) => batches(data, { batchSize: 10, epoch, shuffle: true });
        await train({ model, methods, teachers, epochs: 2, optimizer, batches: epochOf });
        return readState(model);
      };
      const [first, second] = [await run(online), await run(half)];
      for (const [name, { values }] of Object.entries(first)) {
        expectTensorClose(tf.tensor1d([...second[name]!.values]), [...values], { atol: 1e-5 });
      }
      expect(() => half.outputs({ inputs: { quiet: tf.zeros([1, 4]) } as never })).toThrow(/need `ids`/);
      half.dispose();
      expect(() => frozenTeachers(models, { stored } as never)).toThrow(/a model and a file/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('teacherEnsemble', () => {
  it('is one of probabilities for a regression, of the modalities that have a teacher', async () => {
    const teachers = frozenTeachers({ loud: toyModel(['loud'], 7, 1) });
    const data = missingModalities(toyRegression('test', 12), { rate: 0.3, seed: 0 });
    const predict = teacherEnsemble(teachers, { average: 'probabilities', task: 'regression' });
    const { predictions } = await evaluateRegression(predict, data);
    expect(new Set(predictions['loud']).size).toBeGreaterThan(3);
  });

  it('averages the teachers’ logits', async () => {
    const teachers = frozenTeachers({ loud: toyModel(['loud'], 7), quiet: toyModel(['quiet'], 7) });
    const { value: batch } = await batches(toyDataset('test', 8, 2), { batchSize: 8 }).next();
    const { logits, unimodalLogits } = teacherEnsemble(teachers)(batch!);
    const mean = tf.div(tf.add(unimodalLogits.loud, unimodalLogits.quiet), 2);
    expectTensorClose(logits, mean, { atol: 1e-6 });
  });
});

describe('a method’s own step', () => {
  const data = toyDataset('train', 40, 1);
  const settings = {
    epochs: 1,
    optimizer,
    batches: (epoch: number) => batches(data, { batchSize: 20, epoch }),
  };

  it('may take gradients and step as often as it likes', async () => {
    const model = toyModel(both, 0);
    const log: EpochRecord[] = [];
    const alternating: Method<Modality> = {
      name: 'alternating',
      step(step) {
        let outputs = step.forward();
        const losses: Record<string, number> = {};
        for (const modality of step.model.modalities) {
          const found = step.valueAndGrads(
            () => {
              const pass = step.forward();
              const total = studentLoss(step.batch.labels, pass.unimodalLogits[modality]);
              return { loss: { total }, outputs: pass };
            },
            (parameter) => parameter.modality === modality,
          );
          const reached = found.gradients.filter(({ tensor }) => tensor);
          expect(reached).toHaveLength(4);
          expect(reached.every(({ parameter }) => parameter.modality === modality)).toBe(true);
          step.update(found.gradients, found.outputs);
          losses[modality] = found.losses['total'] as number;
          outputs = found.outputs;
        }
        return { losses, outputs };
      },
    };
    const before = tf.memory().numTensors;
    await train({ model, methods: [alternating], ...settings, onEpoch: (record) => void log.push(record) });
    expect(Object.keys(log[0]!.loss)).toEqual(['loud', 'quiet']);
    expect(tf.memory().numTensors).toBe(before);
    const loss: Method<Modality> = {
      name: 'x',
      loss: ({ logits }, step) => ({ total: step.taskLoss(logits) }),
    };
    await expect(train({ model, methods: [alternating, loss], ...settings })).rejects.toThrow(
      /"alternating" does the whole step its own way, so the loss of "x" would never run/,
    );
    const edits: string[] = [];
    const edit: Method<Modality> = { name: 'x', edit: (list) => (edits.push('edit'), list) };
    await train({ model, methods: [alternating, edit], ...settings });
    // Two steps, each with an update for each modality.
    expect(edits).toHaveLength(4);
  });

  it('sees epochs end, its own random stream, and chooses how encoders run', async () => {
    const model = toyModel(both, 0);
    const seen: unknown[] = [];
    const watching: Method<Modality> = {
      name: 'watching',
      init: ({ random }) => void seen.push(random('a').uniform()),
      epoch: ({ epoch, train }) => void seen.push(epoch, Object.keys(train)),
      plan: () => ({ inference: (modality) => modality !== 'loud' }),
    };
    await train({ model, methods: [watching], ...settings, seed: 5 });
    expect(seen).toEqual([seen[0], 1, ['fused', 'loud', 'quiet']]);
    const regression: Method<Modality> = { name: 'x', needs: { task: 'regression' } };
    await expect(train({ model, methods: [regression], ...settings })).rejects.toThrow(
      /"x" is for regression, but this is a classification/,
    );
  });
});

describe('modalityPrioritization in a given order', () => {
  it('needs no teachers', async () => {
    const data = toyDataset('train', 60, 1);
    const log: EpochRecord[] = [];
    await train({
      model: toyModel(both, 0),
      methods: [
        modalityPrioritization({
          phaseEpochs: [1, 1],
          scope: 'encoder',
          ranking: { fixed: ['loud', 'quiet'] },
        }),
      ],
      epochs: 2,
      optimizer,
      batches: (epoch) => batches(data, { batchSize: 20, epoch }),
      onEpoch: (record) => void log.push(record),
    });
    expect(log.map((record) => record['coefficients'])).toEqual([
      { loud: 1, quiet: 0 },
      { loud: 1, quiet: 1 },
    ]);
    expect(log[0]).not.toHaveProperty('confidence');
  });
});
