// What plain JavaScript hands over: an option that does not exist, or TensorFlow.js's own optimizer, would train something else in silence.
import * as tf from '@tensorflow/tfjs';
import { fromSamples } from '@g2d/datasets';
import { tabularMlp } from '@g2d/encoders';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { NO_PLATEAU, reducedRate, watchPlateau } from '@g2d/tensor-ops';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, inferenceOf } from './evaluate.js';
import { extractFeatures } from './extract-features.js';
import { frozenTeachers } from './frozen-teachers.js';
import { train } from './train.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const model = (): MultimodalModel<'a'> =>
  new MultimodalModel({
    encoders: { a: tabularMlp({ name: 'a', inputShape: [2], seed: 0 }) },
    fusion: lateFusion({ widths: { a: 16 }, classes: 2, seed: 0 }),
  });
const data = fromSamples({
  name: 'two',
  split: 'test',
  classNames: ['no', 'yes'],
  samples: [{ label: 0, inputs: { a: [0, 1] } }],
});
const training = (own: object) =>
  train({
    model: model(),
    methods: [],
    epochs: 1,
    optimizer: { learningRate: 0.01 },
    batches: async function* () {
      yield { inputs: { a: tf.zeros([1, 2]) }, labels: tf.tensor1d([0], 'int32'), ids: ['x'] };
    },
    ...own,
  } as never);

describe('an optimizer of TensorFlow.js', () => {
  it.each([
    ['AdamOptimizer', () => tf.train.adam(0.01)],
    ['SGDOptimizer', () => tf.train.sgd(0.01)],
    ['adam', () => 'adam'],
  ])('is refused: %s', async (came, make) => {
    await expect(training({ optimizer: make() })).rejects.toMatchObject({
      code: 'G2D_OPTION',
      message: expect.stringMatching(
        new RegExp(`^\`optimizer\` is ${came.slice(0, 3)}.*; it must be settings, such as \\{ type: 'adam'`),
      ) as string,
    });
  });
});

describe('a misspelt option', () => {
  it.each<[string, () => unknown]>([
    ['SGD: there is no option `momentom`', () => training({ optimizer: { learningRate: 1, momentom: 0.9 } })],
    [
      'Did you mean `weightDecay`?',
      () => training({ optimizer: { type: 'adam', learningRate: 1, weigthDecay: 1 } }),
    ],
    [
      'stepDecay: there is no option `rate`',
      () => training({ optimizer: { learningRate: 1, schedule: { type: 'step', every: 1, rate: 0.1 } } }),
    ],
    [
      'cosineAnnealing: there is no option `epoch`',
      () => training({ optimizer: { learningRate: 1, schedule: { type: 'cosine', epochs: 1, epoch: 1 } } }),
    ],
    [
      'linearWarmUp: there is no option `begin`',
      () => training({ optimizer: { learningRate: 1, warmUp: { epochs: 1, begin: 1 } } }),
    ],
    [
      'optimizer.schedule: there is no option `min_lr`',
      () => training({ optimizer: { learningRate: 1, schedule: { type: 'plateau', min_lr: 0 } } }),
    ],
    [
      'optimizer.clipping: there is no option `nrom`; known: norm, value, per',
      () => training({ optimizer: { learningRate: 1, clipping: { nrom: 1 } } }),
    ],
    [
      '`optimizer.clipping` has both of `norm` and `value`',
      () => training({ optimizer: { learningRate: 1, clipping: { norm: 1, value: 1 } } }),
    ],
    [
      'optimizer.learningRates.a: there is no option `fator`; known: factor',
      () => training({ optimizer: { learningRate: 1, learningRates: { a: { fator: 2 } } } }),
    ],
    [
      'watchPlateau: there is no option `patiense`',
      async () => watchPlateau(NO_PLATEAU, 1, { patiense: 3 } as never),
    ],
    [
      '`thresholdMode` is "relative"; it must be "rel" or "abs"',
      async () => watchPlateau(NO_PLATEAU, 1, { thresholdMode: 'relative' } as never),
    ],
    ['reducedRate: there is no option `ratio`', async () => reducedRate(1, 1, { ratio: 3 } as never)],
    ['train: there is no option `sed`', () => training({ sed: 3 })],
    [
      'evaluate: there is no option `batchsize`',
      () => evaluate(inferenceOf(model()), data, { batchsize: 1 } as never),
    ],
    [
      'extractFeatures: there is no option `worker`',
      () => extractFeatures(model(), data, { worker: 1 } as never),
    ],
    [
      'frozenTeachers: there is no option `precison`',
      async () => frozenTeachers({ a: model() }, { precison: 1 } as never),
    ],
    [
      'MultimodalModel: there is no option `heads`',
      async () => new MultimodalModel({ encoders: {}, heads: 1 } as never),
    ],
    ['fromSamples: there is no option `sample`', async () => fromSamples({ name: 'x', sample: [] } as never)],
  ])('%s', async (message, call) => {
    await expect(Promise.resolve().then(call)).rejects.toThrow(message);
  });
});

it('names of modalities are checked where a dataset and a model are made', () => {
  const named = (name: string): unknown =>
    fromSamples({
      name: 'x',
      split: 'test',
      classNames: ['c'],
      samples: [{ label: 0, inputs: { [name]: [1] } }],
    });
  expect(() => named('front camera')).toThrow('The dataset x calls a modality "front camera"');
  expect(() => named('constructor')).toThrow('The dataset x calls a modality "constructor"');
  const encoder = tabularMlp({ name: 'a', inputShape: [2], seed: 0 });
  const fusion = lateFusion({ widths: { a: 16 }, classes: 2, seed: 0 });
  expect(() => new MultimodalModel({ encoders: { fused: encoder }, fusion } as never)).toThrow(
    'The model calls a modality "fused"',
  );
});
