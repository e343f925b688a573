// Clipping, accumulation, weighted losses, rates of parts, freezing, plateaus and early stopping; numbers of PyTorch where it has them.
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import type { AllReduce, Batch, EpochRecord, Method, OptimizerSettings } from '@g2d/core';
import { MultimodalModel, lateFusion } from '@g2d/fusion';
import { loadTensorFlow } from '@g2d/native';
import { g2dDistillation, modalityPrioritization, ogm } from '@g2d/methods';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyModel, type Modality } from '../test/toy.js';
import { frozenTeachers } from './frozen-teachers.js';
import { readState, writeState } from './model-state.js';
import { train, type TrainOptions } from './train.js';
import type { TrainingState } from './training-state.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  await tf.setBackend('cpu');
});

/** Made by test/golden/training-options.py with PyTorch. */
const golden = JSON.parse(
  readFileSync(new URL('../test/golden/training-options.json', import.meta.url), 'utf8'),
) as {
  labels: number[];
  inputs: Record<Modality, number[][]>;
  present: { quiet: number[] };
  validation: number[];
  shapes: Record<string, number[]>;
  weights: Record<string, number[]>;
  cases: {
    name: string;
    losses: number[];
    learningRates: number[][];
    weights: Record<string, number[]>;
  }[];
};

const BOTH = ['loud', 'quiet'] as const;

/** The golden samples in batches of three, and one of one. */
const goldenBatches = (masked: boolean, size = 3) =>
  async function* (_: number, start: number): AsyncGenerator<Batch<Modality>> {
    for (let i = start; i < 10 / size; i++) {
      const [from, to] = [size * i, Math.min(size * i + size, 10)];
      yield {
        inputs: {
          loud: tf.tensor2d(golden.inputs.loud.slice(from, to)),
          quiet: tf.tensor2d(golden.inputs.quiet.slice(from, to)),
        },
        labels: tf.tensor1d(golden.labels.slice(from, to), 'int32'),
        ids: golden.labels.slice(from, to).map((_, j) => `${from + j}`),
        ...(masked && { present: { quiet: tf.tensor1d(golden.present.quiet.slice(from, to)) } }),
      };
    }
  };

function goldenModel(): MultimodalModel<Modality> {
  const model = toyModel(BOTH, 0);
  const named = (name: string) => ({
    shape: golden.shapes[name]!,
    values: Float32Array.from(golden.weights[name]!),
  });
  writeState(model, Object.fromEntries(Object.keys(golden.shapes).map((name) => [name, named(name)])));
  return model;
}

/** A validation split on which the model's loss is what the golden trainings were told. */
const told: NonNullable<TrainOptions<Modality>['evaluate']> = async (epoch) => {
  const loss = golden.validation[epoch - 1]!;
  return {
    validation: { fused: { loss, accuracy: 100 - loss, macroF1: 0, calibrationError: 0, confidence: 0 } },
  };
};

/** All training samples without their masks: what balanced weights count. */
const everySample = () => goldenBatches(false)(1, 0);
const sgd = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 } as const;
const adam = { type: 'adam', learningRate: 0.05 } as const;
const weighted = { classWeights: [0.5, 2, 1], labelSmoothing: 0.1 };

type Changes = Partial<TrainOptions<Modality>> & { readonly masked?: boolean };
const SETTINGS: Record<string, Changes> = {
  norm: { optimizer: { ...sgd, clipping: { norm: 0.5 } } },
  value: { optimizer: { ...adam, clipping: { value: 0.05 } } },
  weighted: { loss: weighted, masked: true },
  balanced: { loss: { classWeights: 'balanced' }, everySample },
  accumulated: { accumulate: 2, masked: true, optimizer: { ...sgd, clipping: { norm: 0.5 } } },
  'accumulated and weighted': { accumulate: 2, masked: true, optimizer: adam, loss: weighted },
  'rates, cosine': {
    optimizer: {
      ...sgd,
      learningRates: { loud: 0.02, 'head/quiet': { factor: 3 } },
      schedule: { type: 'cosine', epochs: 4, min: 0.01 },
    },
  },
  'rates, plateau': {
    epochs: 6,
    evaluate: told,
    optimizer: {
      ...sgd,
      momentum: 0,
      learningRates: { loud: { factor: 0.2 }, fusion: 0.5 },
      schedule: { type: 'plateau', patience: 0, factor: 0.3, min: 0.005 },
    },
  },
  frozen: { freeze: ['loud', 'head/quiet'], optimizer: { ...sgd, clipping: { norm: 0.5 } } },
};

async function trained({ masked = false, ...changes }: Changes, states: TrainingState[] = []) {
  const model = changes.model ?? goldenModel();
  const log: EpochRecord[] = [];
  const result = await train<Modality>({
    model,
    methods: [],
    epochs: 3,
    optimizer: sgd,
    batches: goldenBatches(masked),
    onEpoch: (record) => void log.push(record),
    afterStep: (capture) => void states.push(structuredClone(capture())),
    ...changes,
  });
  return { state: readState(model), log, result };
}

/** As a checkpoint's files hold it. */
const throughFiles = ({ methods, ...rest }: TrainingState): TrainingState => ({
  ...structuredClone(rest),
  methods: Object.fromEntries(
    Object.entries(methods).map(([name, { values, ...arrays }]) => [
      name,
      { ...structuredClone(arrays), values: JSON.parse(JSON.stringify(values)) as unknown },
    ]),
  ),
});

describe.each(['cpu', 'tensorflow'])('a training with options on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });
  afterAll(async () => {
    await tf.setBackend('cpu');
  });

  it('has a case for every golden training', () => {
    expect(Object.keys(SETTINGS)).toEqual(golden.cases.map(({ name }) => name));
  });

  it.each(golden.cases)('is PyTorch’s: $name', async ({ name, losses, learningRates, weights }) => {
    const { state, log } = await trained(SETTINGS[name]!);
    log.forEach(({ loss, ...record }, i) => {
      // Of an incomplete batch that weighs as much as a full one, in both.
      expect(loss['total']).toBeCloseTo(losses[i]!, 5);
      const rates = [record.learningRate, ...Object.values(record.learningRates ?? {})];
      rates.forEach((rate, j) => expect(rate).toBeCloseTo(learningRates[i]![j]!, 12));
      expect(rates).toHaveLength(learningRates[i]!.length);
    });
    for (const [variable, values] of Object.entries(weights))
      values.forEach((value, i) => expect(state[variable]!.values[i]).toBeCloseTo(value, 4));
  });

  it.each(Object.keys(SETTINGS))('goes on from any step, bit for bit: %s', async (name) => {
    const settings = SETTINGS[name]!;
    const states: TrainingState[] = [];
    const { state: end } = await trained(settings, states);
    expect(states).toHaveLength((settings.epochs ?? 3) * (settings.accumulate ? 2 : 4));
    for (const resume of [states[1], states.at(-3)]) {
      const { state } = await trained({ ...settings, resume: throughFiles(resume!) });
      expect(state).toEqual(end);
    }
  });
});

describe('accumulate', () => {
  const teachers = () => frozenTeachers({ loud: toyModel(['loud'], 3), quiet: toyModel(['quiet'], 4) });
  const cases: Record<string, () => Changes> = {
    'joint training': () => ({}),
    'a method that edits gradients by the outputs': () => ({
      methods: [ogm({ alpha: 0.5, scope: 'encoder' })],
    }),
    G2D: () => ({
      methods: [g2dDistillation(), modalityPrioritization({ phaseEpochs: [2, 2], scope: 'encoder' })],
      teachers: teachers(),
    }),
    'weights of classes': () => ({ loss: weighted }),
    'every modality’s own loss': () => ({
      methods: [
        {
          name: 'own losses',
          loss: ({ unimodalLogits }, step) => ({
            total: tf.add(
              step.taskLoss(unimodalLogits.loud, 'loud'),
              step.taskLoss(unimodalLogits.quiet, 'quiet'),
            ),
          }),
        },
      ],
    }),
  };
  it.each(Object.keys(cases))('is one large batch, with absent samples, to %s', async (name) => {
    const settings = { ...cases[name]!(), masked: true };
    const parts = await trained({ ...settings, accumulate: 2 });
    const { masked, ...changes } = settings;
    const large = await trained({ ...changes, batches: goldenBatches(masked, 6) });
    for (const [variable, { values }] of Object.entries(large.state))
      values.forEach((value, i) => expect(parts.state[variable]!.values[i]).toBeCloseTo(value, 5));
    parts.log.forEach((record, i) => {
      const { seconds: _, ...expected } = large.log[i]!;
      expect(record).toMatchObject(close(expected) as object);
    });
  });

  it('shows methods one batch and numbers of all its samples, and frees everything', async () => {
    const seen: unknown[] = [];
    const watch: Method<Modality> = {
      name: 'watch',
      loss(outputs, step) {
        seen.push(['part', step.batch.ids.length, step.presentSamples, step.share('quiet')]);
        step.log({ part: { loud: step.batch.ids.length, quiet: NaN } });
        return { total: step.taskLoss(outputs.logits) };
      },
      edit(gradients, outputs, step) {
        const { batch, batchIndex, batchesPerEpoch } = step;
        const again = step.forward();
        const rows = outputs.logits.shape[0];
        seen.push(['whole', batch.ids.join(''), batch.labels.size, rows, batchIndex, batchesPerEpoch]);
        again.logits.dataSync().forEach((z, i) => expect(outputs.logits.dataSync()[i]).toBeCloseTo(z, 5));
        return gradients;
      },
    };
    const model = goldenModel();
    const before = tf.memory().numTensors;
    const { log } = await trained({
      model,
      methods: [watch],
      accumulate: 3,
      batchesPerEpoch: 4,
      epochs: 1,
      masked: true,
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(seen).toEqual([
      // Of the first nine samples seven have it: 3 · 2/7, 3 · 2/7, 3 · 3/7.
      ['part', 3, { loud: 9, quiet: 7 }, expect.closeTo(6 / 7, 12)],
      ['part', 3, { loud: 9, quiet: 7 }, expect.closeTo(6 / 7, 12)],
      ['part', 3, { loud: 9, quiet: 7 }, expect.closeTo(9 / 7, 12)],
      ['whole', '012345678', 9, 9, 0, 2],
      ['part', 1, { loud: 1, quiet: 0 }, 1],
      ['whole', '9', 1, 1, 1, 2],
    ]);
    expect(log[0]!['part']).toEqual({ loud: 2, quiet: NaN });
  });

  it('joins sequences of different lengths, and batches without a mask', async () => {
    const seen: number[][] = [];
    const watch: Method<'text'> = {
      name: 'watch',
      forward: ({ batch }) => {
        const x = batch.inputs.text as tf.Tensor3D;
        const features = tf.mean<tf.Tensor2D>(x, 1);
        return { features: { text: features }, logits: features, unimodalLogits: { text: features } };
      },
      edit(gradients, _, { batch: { inputs, masks, present } }) {
        seen.push(inputs.text.shape, [...masks!.text!.dataSync()], [...present!.text!.dataSync()]);
        seen.push([...inputs.text.dataSync()]);
        return gradients;
      },
    };
    const scale = tf.variable(tf.scalar(1), true, 'scale');
    const parameter = { name: 'scale', variable: scale, modality: undefined, role: 'shared' as const };
    const state = { shape: [], read: () => scale, write: () => {}, dispose: () => {} };
    await train<'text'>({
      model: {
        modalities: ['text'],
        parameters: [parameter],
        state: () => new Map([['scale', state]]),
        forward: () => {
          throw new Error('It has a forward of its own.');
        },
      },
      methods: [{ ...watch, loss: ({ logits }) => ({ total: tf.mul(tf.mean(logits), scale) as tf.Scalar }) }],
      epochs: 1,
      optimizer: { learningRate: 0.1 },
      accumulate: 2,
      batches: async function* () {
        yield {
          inputs: { text: tf.ones([1, 1, 2]) },
          labels: tf.tensor1d([0], 'int32'),
          ids: ['a'],
          masks: { text: tf.ones([1, 1]) },
        };
        yield {
          inputs: { text: tf.mul(tf.ones([2, 2, 2]), 3) },
          labels: tf.tensor1d([1, 1], 'int32'),
          ids: ['b', 'c'],
          masks: { text: tf.tensor2d([[1, 1], [1, 0]]) }, // prettier-ignore
          present: { text: tf.tensor1d([1, 0]) },
        };
      },
    });
    // The sample without its only modality is no sample of the step.
    expect(seen).toEqual([
      [2, 2, 2],
      [1, 0, 1, 1],
      [1, 1],
      [1, 1, 0, 0, 3, 3, 3, 3],
    ]);
  });

  it('refuses what it cannot be', async () => {
    const own: Method<Modality> = {
      name: 'own',
      step: (step) => {
        const { losses, outputs, gradients } = step.valueAndGrads(() => {
          const outputs = step.forward();
          return { loss: { total: step.taskLoss(outputs.logits) }, outputs };
        });
        step.update(gradients, outputs);
        return { losses, outputs };
      },
    };
    await expect(trained({ methods: [own], accumulate: 2 })).rejects.toThrow(
      /`accumulate` is 2, but the method "own" does the whole step its own way/,
    );
    const { seconds: _, ...expected } = (await trained({ epochs: 1 })).log[0]!;
    expect((await trained({ methods: [own], accumulate: 1, epochs: 1 })).log[0]).toMatchObject({
      ...expected,
      loss: { total: expected.loss['total'] },
    });
    await expect(trained({ accumulate: 1.5 })).rejects.toThrow(/`accumulate` is 1.5; it must be a whole/);
  });
});

const near = (value: number): unknown => expect.closeTo(value, 4);

/** Numbers to the digits that a sum in another order leaves. */
function close(value: unknown): unknown {
  if (typeof value === 'number') return Number.isNaN(value) ? NaN : near(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, close(each)]));
}

/** The norm of how far the parameters moved. */
function moved(before: ReturnType<typeof readState>, after: ReturnType<typeof readState>): number {
  const squares = Object.entries(before).flatMap(([name, { values }]) =>
    Array.from(values, (value, i) => (after[name]!.values[i]! - value) ** 2),
  );
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
}

describe('clipping', () => {
  const plain = { learningRate: 1, clipping: { norm: 0.25 } };
  const once = { epochs: 1, batches: goldenBatches(false, 10) };
  const loud: Method<Modality> = {
    name: 'loud',
    edit: (gradients) =>
      gradients.map((gradient) => ({ ...gradient, tensor: gradient.tensor && tf.mul(gradient.tensor, 1e4) })),
  };

  it('comes after the methods, and before the optimizer', async () => {
    const start = readState(goldenModel());
    const { state } = await trained({ ...once, methods: [loud], optimizer: plain });
    expect(moved(start, state)).toBeCloseTo(0.25, 5);
  });

  it('is of the mean over the processes', async () => {
    // The other process has no samples, and gradients that take half of this one's back.
    const allReduce: AllReduce = {
      processes: 2,
      sum: (values) =>
        values.forEach((value, i) => (values[i] = value / (values instanceof Float32Array ? 2 : 1))),
    };
    const free = { learningRate: 1, clipping: { norm: 1e6 } };
    const start = readState(goldenModel());
    const alone = moved(start, (await trained({ ...once, optimizer: free })).state);
    const [reduced, clipped] = [
      await trained({ ...once, optimizer: free, allReduce }),
      await trained({ ...once, optimizer: plain, allReduce }),
    ].map(({ state }) => moved(start, state));
    expect(reduced! / alone).toBeCloseTo(0.5, 4);
    expect(reduced!).toBeGreaterThan(0.25);
    expect(clipped!).toBeCloseTo(0.25, 5);
  });

  it('counts what is suppressed and frozen as nothing, and refuses what is not finite', async () => {
    const none: Method<Modality> = {
      name: 'none',
      plan: () => ({ coefficient: ({ modality }) => (modality === 'loud' ? 0 : null) }),
    };
    const start = readState(goldenModel());
    expect((await trained({ ...once, methods: [none], optimizer: plain })).state).toEqual(start);
    const broken: Method<Modality> = {
      name: 'broken',
      edit: (gradients) =>
        gradients.map((each) => ({ ...each, tensor: tf.fill(each.parameter.variable.shape, NaN) })),
    };
    await expect(trained({ methods: [broken], optimizer: plain })).rejects.toThrow(/norm NaN, because of "/);
    const wrong = { learningRate: 1, clipping: { norm: -1 } };
    await expect(trained({ optimizer: wrong })).rejects.toThrow(/`norm` is -1/);
  });
});

const linear = (name: Modality): tf.LayersModel =>
  tf.sequential({ name, layers: [tf.layers.dense({ name: `${name}/dense`, units: 5, inputShape: [4] })] });

describe('loss', () => {
  it('with weights is this process’ share of the mean by the sum of all weights', async () => {
    const seen: number[] = [];
    const watch: Method<Modality> = {
      name: 'watch',
      plan(step) {
        seen.push(step.taskLoss(tf.zeros([10, 3])).dataSync()[0]!, step.share());
        return {};
      },
    };
    // Labels 0 ×5, 1 ×3, 2 ×2: weights 2.5 + 6 + 2 = 10.5 here, 31.5 there, on twenty samples more.
    const allReduce: AllReduce = {
      processes: 2,
      sum: (values) =>
        values.forEach((value, i) => (values[i] = value === 10.5 ? 42 : value === 10 ? 30 : value)),
    };
    const settings = { epochs: 1, batches: goldenBatches(false, 10), methods: [watch], allReduce };
    await trained({ ...settings, loss: { classWeights: weighted.classWeights } });
    // ln 3 · 2 · 10.5/42, and 2 · 10/30.
    expect(seen).toEqual([expect.closeTo(Math.log(3) / 2, 5), expect.closeTo(2 / 3, 6)]);
  });

  it('weighs classes that do not occur by 0 if it is balanced', async () => {
    const model = new MultimodalModel({
      encoders: { loud: linear('loud'), quiet: linear('quiet') },
      fusion: lateFusion({ widths: { loud: 5, quiet: 5 }, classes: 5, seed: 0 }),
    });
    const { log } = await trained({ model, epochs: 1, loss: { classWeights: 'balanced' }, everySample });
    expect(log[0]!.loss['total']).toBeGreaterThan(0);
  });

  it('refuses what is not for the task or out of range, before the first step', async () => {
    await expect(trained({ task: 'regression', loss: { labelSmoothing: 0.1 } })).rejects.toThrow(
      /`loss.labelSmoothing` is for classes, but this is a regression/,
    );
    await expect(trained({ loss: { classWeights: [1, NaN, 1] } })).rejects.toThrow(
      /`classWeights\[1\]` is NaN/,
    );
    await expect(trained({ loss: { classWeights: [1, 1] } })).rejects.toThrow(/expected \[3\], one weight/);
    await expect(trained({ loss: { classWeights: 'balanced' } })).rejects.toThrow(/pass `everySample`/);
  });
});

describe('learningRates', () => {
  it('act beside factors that a method sets', async () => {
    const optimizer: OptimizerSettings = {
      learningRate: 0.1,
      learningRates: { loud: 0.05, fusion: { factor: 0 } },
    };
    const own: Method<Modality> = {
      name: 'own',
      plan(step) {
        step.optimizer.learningRateFactorOf = (variable) => (variable.includes('bias') ? 0 : 1);
        return {};
      },
    };
    const start = readState(goldenModel());
    const { state, log } = await trained({ methods: [own], optimizer, epochs: 1 });
    const same = Object.keys(start).filter(
      (name) => state[name]!.values.join() === start[name]!.values.join(),
    );
    expect(same.sort()).toEqual([
      'head/loud/bias',
      'head/loud/kernel',
      'head/quiet/bias',
      'head/quiet/kernel',
      'loud/dense/bias',
      'quiet/dense/bias',
    ]);
    expect(log[0]).toMatchObject({ learningRate: 0.1, learningRates: { loud: 0.05, fusion: 0 } });
  });

  it('name the parts of the model, and numbers', async () => {
    const rates = (learningRates: NonNullable<OptimizerSettings['learningRates']>, learningRate = 0.1) =>
      trained({ optimizer: { learningRate, learningRates } });
    await expect(rates({ lout: 1 })).rejects.toThrow(
      /`optimizer.learningRates` names "lout".*parts are loud, quiet, head\/loud, fusion, head\/quiet/,
    );
    await expect(rates({ loud: -1 })).rejects.toThrow(/`optimizer.learningRates.loud` is -1; it must be/);
    await expect(rates({ loud: 1 }, 0)).rejects.toThrow(/with a `learningRate` of 0 no part has another/);
  });
});

describe('freeze', () => {
  /** Encoders with batch normalization. */
  function normalizing(): MultimodalModel<Modality> {
    const encoder = (name: Modality) =>
      tf.sequential({
        name,
        layers: [
          tf.layers.dense({ name: `${name}/dense`, units: 5, inputShape: [4] }),
          tf.layers.batchNormalization({ name: `${name}/bn` }),
        ],
      });
    const fusion = lateFusion({ widths: { loud: 5, quiet: 5 }, classes: 3, seed: 0 });
    return new MultimodalModel({ encoders: { loud: encoder('loud'), quiet: encoder('quiet') }, fusion });
  }

  it('leaves weights and running statistics as they are, whatever methods do', async () => {
    const pushy: Method<Modality> = {
      name: 'pushy',
      plan: () => ({ coefficient: () => 2 }),
      edit: (gradients) =>
        gradients.map((each) => ({ ...each, tensor: tf.ones(each.parameter.variable.shape) })),
    };
    const model = normalizing();
    const start = readState(model);
    const { state } = await trained({ model, methods: [pushy], freeze: ['loud', 'head/quiet'] });
    const same = Object.keys(start).filter(
      (name) => state[name]!.values.join() === start[name]!.values.join(),
    );
    const frozen = Object.keys(start).filter(
      (name) => name.startsWith('loud/') || name.startsWith('head/quiet'),
    );
    expect(frozen).toHaveLength(8);
    expect(same.sort()).toEqual(frozen.sort());
  });

  it('names parts that there are, and not all', async () => {
    await expect(trained({ freeze: ['audio'] })).rejects.toThrow(
      /`freeze` names "audio", but the model has no/,
    );
    await expect(trained({ freeze: ['loud', 'quiet', 'fusion'] })).rejects.toThrow(/nothing would train/);
  });
});

/** An evaluation with these validation scores, `undefined` for epochs without one. */
const scores =
  (...values: (number | undefined)[]): NonNullable<TrainOptions<Modality>['evaluate']> =>
  async (epoch) => {
    const accuracy = values[epoch - 1];
    return accuracy === undefined
      ? undefined
      : {
          validation: {
            fused: { loss: -accuracy, accuracy, macroF1: 0, calibrationError: 0, confidence: 0 },
          },
        };
  };

describe('earlyStopping', () => {
  it.each([
    // The best is 2, then 2 and 1 are no better.
    ['patience', { patience: 2 }, [1, 2, 2, 1, 9, 9], 4, true],
    ['patience that begins again', { patience: 2 }, [1, 2, 2, 3, 2, 4], 6, false],
    // 2.4 is better by 0.4 alone.
    ['minDelta', { patience: 1, minDelta: 0.5 }, [1, 2, 2.4, 9, 9, 9], 3, true],
    ['exactly minDelta', { patience: 1, minDelta: 1 }, [1, 2, 9, 9, 9, 9], 2, true],
    ['another metric', { patience: 1, metric: 'loss' }, [1, 2, 1, 9, 9, 9], 3, true],
    ['epochs that do not count', { patience: 1, after: 3 }, [5, 4, 3, 2, 3, 3], 6, true],
    ['epochs without evaluation', { patience: 2 }, [1, undefined, undefined, 1, undefined, 1], 6, true],
    ['numbers that are none', { patience: 2 }, [NaN, NaN, 1, 2, 3, 4], 2, true],
  ] as const)('ends by %s', async (_, earlyStopping, values, last, ended) => {
    const { log } = await trained({ epochs: 6, earlyStopping, evaluate: scores(...values) });
    expect(log.map(({ epoch }) => epoch)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
    const { stopped, stoppedBy } = log.at(-1)!;
    expect({ stopped, stoppedBy }).toEqual(
      ended ? { stopped: true, stoppedBy: 'early-stopping' } : { stopped: undefined, stoppedBy: undefined },
    );
  });

  it('goes on counting in a training that goes on, and stays at its end', async () => {
    const settings = { epochs: 6, earlyStopping: { patience: 3 }, evaluate: scores(3, 2, 2, 2, 9, 9) };
    const states: TrainingState[] = [];
    const onEpoch: NonNullable<TrainOptions<Modality>['onEpoch']> = (_, capture) =>
      void states.push(structuredClone(capture()));
    const { state: end } = await trained({ ...settings, onEpoch });
    expect(states).toHaveLength(4);
    const rest = await trained({ ...settings, resume: throughFiles(states[2]!) });
    expect(rest.log.map(({ epoch }) => epoch)).toEqual([4]);
    expect(rest.state).toEqual(end);
    expect((await trained({ ...settings, resume: throughFiles(states[3]!) })).log).toEqual([]);
  });

  it('watches what there is', async () => {
    const run = (
      earlyStopping: TrainOptions<Modality>['earlyStopping'],
      changes: Changes = { evaluate: told },
    ) => trained({ earlyStopping, ...changes });
    await expect(run({ patience: 1 }, {})).rejects.toThrow(
      /`earlyStopping` watches the validation split; pass/,
    );
    await expect(run({ patience: 1 }, { evaluate: async () => ({ test: {} }) })).rejects.toThrow(
      /`earlyStopping` watches the validation split, but epoch 1 was evaluated without one/,
    );
    await expect(run({ patience: 0 })).rejects.toThrow(/`earlyStopping.patience` is 0/);
    await expect(run({ patience: 1, minDelta: -1 })).rejects.toThrow(/`earlyStopping.minDelta` is -1/);
    await expect(run({ patience: 1, after: 0.5 })).rejects.toThrow(/`earlyStopping.after` is 0.5/);
    await expect(run({ patience: 1, metric: 'rSquared' })).rejects.toThrow(
      /`earlyStopping.metric` is "rSquared"; a classification has loss, accuracy, macroF1, calibrationError, confidence/,
    );
  });
});

describe('a plateau schedule', () => {
  const rates = async (schedule: object, changes: Changes = {}) => {
    const optimizer = {
      learningRate: 1,
      schedule: { type: 'plateau', factor: 0.5, patience: 0, ...schedule },
    };
    const { log } = await trained({
      epochs: 4,
      evaluate: told,
      optimizer: optimizer as OptimizerSettings,
      ...changes,
    });
    return log.map(({ learningRate }) => learningRate);
  };

  it('watches the loss, or what it is told to', async () => {
    // Losses 2, 2.5, 1.5, 1.6; the accuracies fall where they rise.
    expect(await rates({})).toEqual([1, 1, 0.5, 0.5]);
    expect(await rates({ metric: 'accuracy', mode: 'max' })).toEqual([1, 1, 0.5, 0.5]);
    expect(await rates({ metric: 'accuracy' }, { evaluate: scores(1, undefined, 1, 1) })).toEqual([
      1, 1, 1, 0.5,
    ]);
  });

  it('goes with a warm-up, and with a rate that a method sets', async () => {
    const warmUp = { epochs: 2, start: 0.5 };
    const schedule = { type: 'plateau', factor: 0.5, patience: 0 } as const;
    expect(await rates({}, { optimizer: { learningRate: 1, warmUp, schedule } })).toEqual([
      0.5, 0.75, 0.5, 0.5,
    ]);
    const third: Method<Modality> = {
      name: 'third',
      epoch: ({ epoch }, { optimizer }) => void (epoch === 1 && (optimizer.learningRate = 0.3)),
    };
    expect(await rates({}, { methods: [third] })).toEqual([1, 0.3, 0.15, 0.15]);
  });

  it('begins anew with a stage’s optimizer', async () => {
    const stages: Method<Modality> = {
      name: 'stages',
      stages: () => [
        { name: 'first', epochs: 3 },
        { name: 'second', epochs: 3, optimizer: (run) => ({ ...run, learningRate: 2 }) },
      ],
    };
    const falling = { methods: [stages], evaluate: scores(5, 4, 3, 2, 1, 0) };
    expect(await rates({}, falling)).toEqual([1, 1, 0.5, 2, 2, 1]);
  });

  it('says what it does not accept, before the first step', async () => {
    await expect(rates({ metric: 'f1' })).rejects.toThrow(
      /`optimizer.schedule.metric` is "f1"; a classification has/,
    );
    await expect(rates({ metric: 'accuracy', mode: 'min' })).rejects.toThrow(/a better accuracy is larger/);
    const schedule = { type: 'plateau' } as const;
    await expect(trained({ optimizer: { learningRate: 1, schedule } })).rejects.toThrow(
      /`optimizer.schedule` watches the validation split; pass `evaluate`/,
    );
  });
});
