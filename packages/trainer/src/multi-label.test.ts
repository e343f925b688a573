// Trainings on samples that have any number of classes, against PyTorch and scikit-learn.
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import type { AllReduce, Batch, EpochRecord, MultimodalDataset } from '@g2d/core';
import { fromSamples } from '@g2d/datasets';
import { umt } from '@g2d/methods';
import { labelSetProbability } from '@g2d/tensor-ops';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyModel, type Modality } from '../test/toy.js';
import { evaluate, evaluateMultiLabel, inferenceOf } from './evaluate.js';
import { frozenTeachers } from './frozen-teachers.js';
import { readState, writeState } from './model-state.js';
import { teacherConfidence } from './teacher-confidence.js';
import { teacherEnsemble } from './teacher-ensemble.js';
import { train, type TrainOptions } from './train.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../test/golden/${name}.json`, import.meta.url), 'utf8'));
const { inputs, present, shapes, weights } = read('training-options') as {
  inputs: Record<Modality, number[][]>;
  present: { quiet: number[] };
  shapes: Record<string, number[]>;
  weights: Record<string, number[]>;
};
/** Made by test/golden/multi-label.py with PyTorch. */
const golden = read('multi-label') as {
  labels: number[][];
  cases: { name: string; losses: number[]; microF1: number[]; weights: Record<string, number[]> }[];
};

const BOTH = ['loud', 'quiet'] as const;

function goldenModel() {
  const model = toyModel(BOTH, 0);
  const named = (name: string) => ({ shape: shapes[name]!, values: Float32Array.from(weights[name]!) });
  writeState(model, Object.fromEntries(Object.keys(shapes).map((name) => [name, named(name)])));
  return model;
}

/** The golden samples in batches of three, and one of one. */
const batchesOf = (masked: boolean) =>
  async function* (_: number, start: number): AsyncGenerator<Batch<Modality>> {
    for (let at = 3 * start; at < 10; at += 3) {
      const rows = <T>(list: readonly T[]): T[] => list.slice(at, at + 3);
      yield {
        inputs: { loud: tf.tensor2d(rows(inputs.loud)), quiet: tf.tensor2d(rows(inputs.quiet)) },
        labels: tf.tensor2d(rows(golden.labels)),
        ids: rows(golden.labels.map((__, i) => `${i}`)),
        ...(masked && { present: { quiet: tf.tensor1d(rows(present.quiet)) } }),
      };
    }
  };

async function trained(changes: Partial<TrainOptions<Modality>> = {}, masked = false) {
  const model = goldenModel();
  const log: EpochRecord[] = [];
  await train<Modality>({
    model,
    methods: [],
    task: 'multi-label',
    epochs: 3,
    optimizer: { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 },
    batches: batchesOf(masked),
    everySample: () => batchesOf(false)(1, 0),
    onEpoch: (record) => void log.push(record),
    ...changes,
  });
  return { model, state: readState(model), log };
}

const own = { classWeights: [0.5, 2, 3] };
const SETTINGS: Record<string, readonly [Partial<TrainOptions<Modality>>, masked?: boolean]> = {
  plain: [{}],
  weighted: [{ loss: own }, true],
  balanced: [{ loss: { classWeights: 'balanced' } }],
  'accumulated and weighted': [{ loss: own, accumulate: 2 }, true],
};

describe('a multi-label training', () => {
  it.each(golden.cases)('follows PyTorch: $name', async ({ name, losses, microF1, weights: expected }) => {
    const { state, log } = await trained(...SETTINGS[name]!);
    log.forEach(({ loss, train: scores }, epoch) => {
      expect(loss['total']).toBeCloseTo(losses[epoch]!, 5);
      expect(scores['fused']).toBeCloseTo(microF1[epoch]!, 9);
    });
    for (const [parameter, values] of Object.entries(expected))
      expectTensorClose(tf.tensor1d([...state[parameter]!.values]), values, { atol: 2e-5 });
  });

  it('weighs the loss of UMT too', async () => {
    const teachers = frozenTeachers({ loud: toyModel(['loud'], 1), quiet: toyModel(['quiet'], 2) });
    const lossOf = async (changes: Partial<TrainOptions<Modality>>) => {
      const { log } = await trained({ methods: [umt({ lambda: 0 })], teachers, epochs: 1, ...changes });
      return log[0]!.loss['student'];
    };
    const joint = await trained({ epochs: 1, loss: own });
    expect(await lossOf({ loss: own })).toBeCloseTo(joint.log[0]!.loss['student']!, 6);
    expect(await lossOf({})).not.toBeCloseTo(joint.log[0]!.loss['student']!, 3);
  });

  it('is the same in two processes that see the same', async () => {
    const allReduce: AllReduce = {
      processes: 2,
      sum: (values) => values.forEach((value, i) => (values[i] = 2 * value)),
    };
    const settings = { loss: own, methods: [] };
    const [alone, together] = [
      await trained(settings, true),
      await trained({ ...settings, allReduce }, true),
    ];
    expect(together.log.map(({ train: scores }) => scores)).toEqual(
      alone.log.map(({ train: scores }) => scores),
    );
    for (const [name, { values }] of Object.entries(alone.state))
      expectTensorClose(tf.tensor1d([...together.state[name]!.values]), [...values], { atol: 1e-6 });
  });

  it.each([
    [
      'class ids',
      () => tf.tensor1d([0, 1, 2], 'int32'),
      /labels of the shape \[3\], but a multi-label task with this model has \[3, 3\]/,
    ],
    ['other classes', () => tf.zeros([3, 2]), /labels of the shape \[3, 2\], but a multi-label task/],
    [
      'counts',
      () => tf.mul(tf.ones([3, 3]), 2),
      /has the label 2; labels are 1 for each class that a sample has/,
    ],
  ])('refuses labels that are %s', async (_, labels, message) => {
    const batches = async function* (): AsyncGenerator<Batch<Modality>> {
      for await (const batch of batchesOf(false)(1, 0)) {
        tf.dispose(batch.labels);
        yield { ...batch, labels: labels() as tf.Tensor2D };
      }
    };
    await expect(trained({ batches })).rejects.toThrow(message);
  });

  it('is not taken for a classification, nor the other way round', async () => {
    await expect(trained({ task: 'classification' })).rejects.toThrow(
      /labels of the shape \[3, 3\], but a classification with this model has \[3\]/,
    );
    await expect(trained({ loss: { labelSmoothing: 0.1 } })).rejects.toThrow(
      /`loss\.labelSmoothing` is for samples with one class each, but this is a multi-label task/,
    );
  });
});

const dataset = (lacking = false): MultimodalDataset<Modality> =>
  fromSamples<Modality>({
    name: 'golden',
    split: 'test',
    task: 'multi-label',
    classNames: ['a', 'b', 'c'],
    samples: golden.labels.map((row, i) => ({
      label: row.flatMap((has, id) => (has ? [id] : [])),
      inputs: { loud: inputs.loud[i]!, quiet: lacking && present.quiet[i] === 0 ? null : inputs.quiet[i]! },
    })),
  });

describe('evaluateMultiLabel', () => {
  it('measures every head, the modality’s over the samples that have it', async () => {
    const model = goldenModel();
    const found = await evaluateMultiLabel(inferenceOf(model), dataset(true), { batchSize: 4 });
    expect(found.labels[0]).toEqual([0, 2]);
    expect(found.microF1).toEqual({
      fused: found.metrics['fused']!.microF1,
      loud: found.metrics['loud']!.microF1,
      quiet: found.metrics['quiet']!.microF1,
    });
    found.predictions['fused']!.forEach((set, i) =>
      expect(set).toEqual([0, 1, 2].filter((id) => found.logits['fused']![i]![id]! > 0)),
    );
    const support = (head: string) => found.perClass[head]!.reduce((sum, score) => sum + score.support, 0);
    // Three samples lack the quiet modality; they have two, one and no classes.
    expect([support('loud'), support('quiet')]).toEqual([13, 10]);
  });

  it('and the others name the one that a dataset needs', async () => {
    const predict = inferenceOf(goldenModel());
    await expect(evaluate(predict, dataset())).rejects.toThrow(
      /multi-label dataset. Use `evaluateMultiLabel`/,
    );
    const classes = { ...dataset(), task: 'classification' } as const;
    await expect(evaluateMultiLabel(predict, classes)).rejects.toThrow(
      /classification dataset. Use `evaluate`/,
    );
  });
});

describe('teachers of a multi-label task', () => {
  const teachers = () => frozenTeachers({ loud: toyModel(['loud'], 1), quiet: toyModel(['quiet'], 2) });

  it('are as confident as their probability of the true sets, over the samples that have the modality', async () => {
    const frozen = teachers();
    const found = await teacherConfidence(frozen, dataset(true), { batchSize: 4 });
    const rows = present.quiet.flatMap((has, i) => (has ? [i] : []));
    const { quiet } = frozen.outputs({
      inputs: {
        loud: tf.tensor2d(inputs.loud),
        quiet: tf.tensor2d(inputs.quiet),
      },
    } as never);
    const each = labelSetProbability(tf.tensor2d(golden.labels), quiet.logits).dataSync();
    expect(found.quiet).toBeCloseTo(rows.reduce((sum, i) => sum + each[i]!, 0) / rows.length, 5);
  });

  it('make an ensemble whose probabilities are the mean of theirs', async () => {
    const frozen = teachers();
    const predict = teacherEnsemble(frozen, { average: 'probabilities', task: 'multi-label' });
    const batch = {
      inputs: { loud: tf.tensor2d(inputs.loud), quiet: tf.tensor2d(inputs.quiet) },
      ids: golden.labels.map((_, i) => `${i}`),
    };
    const { logits, unimodalLogits } = predict(batch);
    const mean = tf.div(tf.add(tf.sigmoid(unimodalLogits.loud), tf.sigmoid(unimodalLogits.quiet)), 2);
    expectTensorClose(tf.sigmoid(logits), [...mean.dataSync()], { atol: 1e-6 });
    // Not the mean of the logits, nor a softmax.
    const { microF1 } = await evaluateMultiLabel(predict, dataset());
    expect(microF1['fused']).toBeGreaterThan(0);
  });
});
