import * as tf from '@tensorflow/tfjs';
import { batches } from '@g2d/datasets';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, inferenceOf } from './evaluate.js';
import { frozenTeachers, type FrozenTeachers } from './frozen-teachers.js';
import type { EpochRecord, Method } from '@g2d/core';
import { g2dDistillation, modalityPrioritization } from '@g2d/methods';
import { readState, writeState } from './model-state.js';
import { toyDataset, toyModel, type Modality } from '../test/toy.js';
import { train } from './train.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const data = toyDataset('train', 60, 1);
const optimizer = { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 };
const epochBatches = (epoch: number) => batches(data, { batchSize: 20, epoch, shuffle: true });

/** Trains a fresh model and returns it with its log. */
async function run(
  methods: readonly Method<Modality>[],
  epochs: number,
  teachers?: FrozenTeachers<Modality>,
) {
  const model = toyModel(['loud', 'quiet'], 0);
  const log: EpochRecord[] = [];
  await train({
    model,
    methods,
    epochs,
    optimizer,
    ...(teachers && { teachers }),
    batches: epochBatches,
    onEpoch: (record) => void log.push(record),
  });
  return { model, log };
}

async function trainedTeachers(): Promise<FrozenTeachers<Modality>> {
  const models = { loud: toyModel(['loud'], 7), quiet: toyModel(['quiet'], 7) };
  const settings = { methods: [], epochs: 10, optimizer, batches: epochBatches };
  await train({ model: models.loud, ...settings });
  await train({ model: models.quiet, ...settings });
  return frozenTeachers(models);
}

describe('train', () => {
  it('is one step of plain SGD on the cross-entropy when there is no method: computed apart', async () => {
    const model = toyModel(['loud', 'quiet'], 0);
    const expected = toyModel(['loud', 'quiet'], 0);
    const once = async function* () {
      for await (const batch of batches(data, { batchSize: 60 })) yield batch;
    };
    await train({ model, methods: [], epochs: 1, optimizer, batches: once });
    for await (const { inputs, labels } of once()) {
      const loss = () => {
        const { logits } = expected.forward({ inputs }, { training: true });
        return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 3), logits) as tf.Scalar;
      };
      const { grads } = tf.variableGrads(loss, [...expected.variables]);
      expected.variables.forEach((variable, i) => {
        const step = tf.mul(tf.add(grads[variable.name]!, tf.mul(variable, 1e-4)), 0.1);
        expectTensorClose(model.variables[i]!, tf.sub(variable, step), { atol: 1e-5 });
      });
    }
  });

  it('learns, and logs losses and accuracies of every epoch', async () => {
    const { model, log } = await run([], 10);
    expect(log.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(Object.keys(log[0]!.loss)).toEqual(['total', 'student']);
    expect(log.at(-1)!.loss['total']).toBeLessThan(log[0]!.loss['total']! / 4);
    const { accuracy } = await evaluate(inferenceOf(model), toyDataset('test', 90, 2));
    expect(accuracy['fused']).toBeGreaterThan(90);
  });

  it('gives the same weights for the same seed, bit for bit', async () => {
    const [first, second] = [await run([], 2), await run([], 2)];
    expect(readState(first.model)).toEqual(readState(second.model));
  });

  it('drops the learning rate after the epochs that were given', async () => {
    const rates: number[] = [];
    await train({
      model: toyModel(['loud'], 0),
      methods: [],
      epochs: 3,
      optimizer: { ...optimizer, schedule: { type: 'step', after: [1] } },
      batches: epochBatches,
      onEpoch: ({ learningRate }) => void rates.push(learningRate),
    });
    expect(rates.map((rate) => rate.toFixed(4))).toEqual(['0.1000', '0.0100', '0.0100']);
  });

  it('leaves no tensors behind but the model', async () => {
    const teachers = await trainedTeachers();
    const methods = [
      g2dDistillation<Modality>(),
      modalityPrioritization<Modality>({ phaseEpochs: [1, 1], scope: 'encoder' }),
    ];
    const model = toyModel(['loud', 'quiet'], 0);
    const before = tf.memory().numTensors;
    await train({ model, methods, teachers, epochs: 2, optimizer, batches: epochBatches });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('shows a method the outputs that were differentiated, and frees them, also after an error', async () => {
    const model = toyModel(['loud', 'quiet'], 0);
    const seen: number[][] = [];
    const watching: Method<Modality> = {
      name: 'watching',
      edit(gradients, outputs, { model, batch }) {
        expect(gradients.map(({ parameter }) => parameter)).toEqual(model.parameters);
        expectTensorClose(outputs.logits, model.forward(batch, { training: true }).logits, {
          atol: 1e-6,
        });
        seen.push(outputs.unimodalLogits.quiet.shape, outputs.features.loud.shape);
        if (seen.length > 2) throw new Error('Enough.');
        return gradients;
      },
    };
    const before = tf.memory().numTensors;
    const settings = { model, methods: [watching], epochs: 1, optimizer, batches: epochBatches };
    await expect(train(settings)).rejects.toThrow('Enough.');
    expect(seen.slice(0, 2)).toEqual([
      [20, 3],
      [20, 5],
    ]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('stops with a sentence when the loss is not finite', async () => {
    const broken: Method<Modality> = {
      name: 'broken',
      loss: ({ logits }) => ({ total: tf.mul(tf.sum(logits), NaN) as tf.Scalar }),
    };
    await expect(run([broken], 1)).rejects.toThrow(
      /The loss is NaN in epoch 1, step 1, on the samples toy\/train\/\d+.*Lower the learning rate/,
    );
  });

  it('refuses a method that needs teachers without them, and an epoch without batches', async () => {
    await expect(run([g2dDistillation()], 1)).rejects.toThrow(/"g2d-loss" needs a trained teacher/);
    await expect(run([], NaN)).rejects.toThrow(/`epochs` is NaN/);
    const loss: Method<Modality> = {
      name: 'a',
      loss: ({ logits }) => ({ total: tf.sum(logits) as tf.Scalar }),
    };
    await expect(run([loss, { ...loss, name: 'b' }], 1)).rejects.toThrow(
      /Only one method can give the loss, but a and b do/,
    );
    const nothing = async function* () {};
    await expect(
      train({ model: toyModel(['loud'], 0), methods: [], epochs: 1, optimizer, batches: nothing }),
    ).rejects.toThrow(/An epoch without batches/);
  });
});

describe('train with labels that are no classes', () => {
  it('stops, where the cross-entropy would be 0', async () => {
    const strange = async function* () {
      for await (const batch of epochBatches(1))
        yield { ...batch, labels: tf.cast(tf.add(batch.labels, 7), 'int32') as tf.Tensor1D };
    };
    const model = toyModel(['loud'], 0);
    await expect(train({ model, methods: [], epochs: 1, optimizer, batches: strange })).rejects.toThrow(
      /has the label \d+, but the model has 3 classes/,
    );
  });
});

describe('g2dDistillation', () => {
  it('adds the teachers’ parts to the loss', async () => {
    const { log } = await run([g2dDistillation()], 3, await trainedTeachers());
    const { total, student, feature, logit } = log[0]!.loss as Record<string, number>;
    expect(total).toBeCloseTo(student! + feature! + logit!, 5);
    expect(log[2]!.loss['feature']).toBeLessThan(feature!);
  });
});

describe('modalityPrioritization', () => {
  it('suppresses the modality whose teacher is more confident, in its phase only', async () => {
    const { log } = await run(
      [modalityPrioritization({ phaseEpochs: [2, 2], scope: 'encoder' })],
      4,
      await trainedTeachers(),
    );
    const series = log as unknown as { coefficients: object; confidence: { loud: number; quiet: number } }[];
    expect(series.map(({ coefficients }) => coefficients)).toEqual([
      { loud: 0, quiet: 1 },
      { loud: 0, quiet: 1 },
      { loud: 1, quiet: 1 },
      { loud: 1, quiet: 1 },
    ]);
    expect(series[0]!.confidence.loud).toBeGreaterThan(series[0]!.confidence.quiet);
  });

  it('logs where most batches lie, and in which share of them a modality is the least confident', async () => {
    const smp = modalityPrioritization<Modality>({ phaseEpochs: [1, 1], scope: 'encoder' });
    const { log } = await run([smp], 2, await trainedTeachers());
    for (const epoch of log) {
      const { confidence, confidenceLow, confidenceHigh, leastConfident } = epoch as unknown as Record<
        string,
        Record<Modality, number>
      >;
      for (const modality of ['loud', 'quiet'] as const) {
        expect(confidenceLow![modality]).toBeLessThan(confidence![modality]);
        expect(confidenceHigh![modality]).toBeGreaterThan(confidence![modality]);
      }
      expect(leastConfident).toEqual({ loud: 0, quiet: 1 });
    }
    // What is not asked for is not there.
    expect(Object.keys(log[0]!)).not.toContain('coefficientsLow');
  });

  it('leaves a frozen encoder bit-identical in its phase', async () => {
    const methods = [
      modalityPrioritization<Modality>({ phaseEpochs: [2, 0], scope: 'encoder', onZero: 'freeze' }),
    ];
    const { model } = await run(methods, 2, await trainedTeachers());
    const [start, end] = [readState(toyModel(['loud', 'quiet'], 0)), readState(model)];
    expect(end['loud/dense/kernel']).toEqual(start['loud/dense/kernel']);
    expect(end['head/loud/kernel']).not.toEqual(start['head/loud/kernel']);
    expect(end['quiet/dense/kernel']).not.toEqual(start['quiet/dense/kernel']);
  });

  it('equals plain training bit for bit when the joint phase is everything', async () => {
    const smp = modalityPrioritization<Modality>({ phaseEpochs: [0, 3], scope: 'encoder' });
    const [with_, without] = [await run([smp], 3, await trainedTeachers()), await run([], 3)];
    expect(readState(with_.model)).toEqual(readState(without.model));
  });

  it('stacks on the distillation loss', async () => {
    const methods = [
      g2dDistillation<Modality>(),
      modalityPrioritization<Modality>({ phaseEpochs: [1, 1], scope: 'encoder' }),
    ];
    const { log } = await run(methods, 1, await trainedTeachers());
    expect(Object.keys(log[0]!.loss)).toEqual(['total', 'student', 'feature', 'logit']);
    expect(log[0]!['coefficients']).toEqual({ loud: 0, quiet: 1 });
  });

  it('refuses a scope without variables, where it would silently be joint training', async () => {
    await expect(
      run([modalityPrioritization({ phaseEpochs: [1, 1], scope: 'conv' })], 1, await trainedTeachers()),
    ).rejects.toThrow(/acts on parameters of the kind conv, and loud has none/);
  });
});

describe('frozenTeachers', () => {
  it('refuses a model of another modality', () => {
    const quiet = toyModel(['quiet'], 0);
    // @ts-expect-error It does not compile either.
    expect(() => frozenTeachers<Modality>({ loud: quiet, quiet })).toThrow(
      /The teacher for loud has no modality "loud"/,
    );
  });
});

describe('evaluate', () => {
  it('counts every sample once, also in an incomplete last batch', async () => {
    const model = toyModel(['loud', 'quiet'], 0);
    const test = toyDataset('test', 31, 3);
    const [small, large] = [
      await evaluate(inferenceOf(model), test, { batchSize: 7 }),
      await evaluate(inferenceOf(model), test, { batchSize: 100 }),
    ];
    expect(small).toEqual(large);
    expect(small.ids).toHaveLength(31);
    const right = small.predictions['fused']!.filter((predicted, i) => predicted === small.labels[i]).length;
    expect(small.accuracy['fused']).toBeCloseTo((100 * right) / 31, 10);
  });
});

describe('writeState', () => {
  it('puts a copy back, and refuses one of another model', () => {
    const model = toyModel(['loud', 'quiet'], 0);
    const state = readState(toyModel(['loud', 'quiet'], 9));
    writeState(model, state);
    expect(readState(model)).toEqual(state);
    expect(() => writeState(toyModel(['loud'], 0), state)).toThrow(/not in this model quiet\/dense\/kernel/);
    const wrong = { ...state, 'loud/dense/bias': { shape: [4], values: new Float32Array(4) } };
    expect(() => writeState(model, wrong)).toThrow(/`loud\/dense\/bias` has shape \[4\]/);
  });
});
