import * as tf from '@tensorflow/tfjs';
import { perModality, type Batch, type EpochRecord } from '@g2d/core';
import { batches, fromSamples, missingModalities } from '@g2d/datasets';
import { mlp } from '@g2d/encoders';
import { MultimodalModel } from '@g2d/fusion';
import { randomStream } from '@g2d/tensor-ops';
import { evaluateRegression, readState, train, type TrainOptions, type TrainingState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { misMe } from './mis-me.js';
import { beginRates, nextRate } from './mis-me-schedule.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type M = 'image' | 'table';
const BOTH = ['image', 'table'] as const;
const random = randomStream(3);
const data = fromSamples({
  name: 'soil',
  split: 'train',
  task: 'regression',
  classNames: [],
  shapes: { image: [3], table: [2] },
  samples: Array.from({ length: 14 }, (_, i) => {
    const target = 3 * Math.sin(i + 1);
    const around = (length: number) => Float32Array.from({ length }, () => target + 0.1 * random.normal());
    return { id: `${i}`, label: target, inputs: { image: around(3), table: around(2) } };
  }),
});

type Options = Parameters<typeof misMe>[0];
const widths = { image: 20, table: 6 };
const modelOf = (options: Options, order: readonly M[] = BOTH): MultimodalModel<M> =>
  new MultimodalModel<M>({
    encoders: perModality(order, (m) =>
      mlp({ name: m, inputShape: [m === 'image' ? 3 : 2], seed: 0, hidden: [], features: widths[m] }),
    ),
    fusion: misMe<M>(options).fusion!({ widths: perModality(order, (m) => widths[m]), classes: 1, seed: 0 }),
  });
const settings = (options: Options, given: Partial<TrainOptions<M>> = {}): TrainOptions<M> => ({
  model: modelOf(options),
  methods: [misMe<M>(options)],
  task: 'regression',
  loss: { output: 'identity' },
  epochs: 2,
  seed: 5,
  optimizer: { type: 'adam', learningRate: 0.05 },
  batches: (epoch, startBatch) =>
    batches(data, { batchSize: 4, epoch, startBatch, shuffle: true, seed: 11, dropLast: true }),
  evaluate: async (epoch, predict) => {
    const { metrics } = await evaluateRegression(predict, data, { output: 'identity' });
    // Worse from the seventh epoch on.
    return { validation: { ...metrics, fused: { ...metrics['fused']!, loss: Math.max(10 - epoch, 4) } } };
  },
  ...given,
});
const trained = async (options: Options, given: Partial<TrainOptions<M>> = {}) => {
  const all = settings(options, given);
  const log: EpochRecord[] = [];
  const { predict } = await train({ ...all, onEpoch: (record) => void log.push({ ...record, seconds: 0 }) });
  return { weights: readState(all.model), predict, log };
};

it.each(['concat', 'hybrid', 'two-scalars'] as const)(
  'trains one modality too, at the cost that its recipe says: %s',
  async (variant) => {
    for (const order of [['image'], BOTH] as const) {
      const model = modelOf({ variant }, order);
      const { log } = await trained({ variant }, { model, methods: [misMe<M>({ variant })] });
      expect(log.every(({ loss }) => Number.isFinite(loss['total']))).toBe(true);
      // Three steps an epoch.
      for (const m of order)
        expect([log[0]!.passes!.forward[m], log[0]!.passes!.backward[m]]).toEqual([
          3 * (misMe.recipe!.cost.forward as number),
          3 * (misMe.recipe!.cost.backward as number),
        ]);
    }
  },
);

describe('the learning rates of MIS-ME', () => {
  it('grow to the whole in five epochs, and fall by half after three losses that were no better', () => {
    let rates = beginRates(0.05);
    const losses = [9, 9, 9, 9, 9, 5, 4, 4, 4, 4, 4, 4, 4];
    const found = losses.map((loss, i) => {
      const next = nextRate(rates, { epoch: i + 1, loss });
      ({ rates } = next);
      return next.learningRate;
    });
    expect(found.slice(0, 5).map((rate) => Math.round(rate * 1000))).toEqual([10, 20, 30, 40, 50]);
    expect(found.slice(5)).toEqual([0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125]);
  });

  it('are those of the epochs of a training, whose optimizer goes on', async () => {
    const { log } = await trained({}, { epochs: 11 });
    const rates = log.map(({ learningRate }) => Math.round(1e6 * learningRate) / 1e6);
    expect(rates).toEqual([0.001, 0.01, 0.02, 0.03, 0.04, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025]);
    const own = await trained({ schedule: 'run' }, { epochs: 3 });
    expect(own.log.map(({ learningRate }) => learningRate)).toEqual([0.05, 0.05, 0.05]);
  });
});

describe('misMe', () => {
  const variants = ['concat', 'hybrid', 'one-scalar', 'two-scalars'] as const;

  it.each(variants)(
    'learns targets outside of (0, 1), and goes on after a stop bit for bit: %s',
    async (variant) => {
      const whole = await trained({ variant }, { epochs: 3 });
      for (const after of [1, 3, 4, 8]) {
        let saved: TrainingState | undefined;
        let steps = 0;
        const afterStep = (capture: () => TrainingState) =>
          ++steps < after ? undefined : ((saved = capture()), 'stop' as const);
        await train(settings({ variant }, { epochs: 3, afterStep }));
        expect((await trained({ variant }, { epochs: 3, resume: saved })).weights).toEqual(whole.weights);
      }
    },
  );

  it('is the weighed sum of the squared errors of all heads', async () => {
    const weights = { image: 0.5, table: 2 };
    const { log } = await trained({ fusedWeight: 3, weights }, { epochs: 1 });
    const { total, student, image, table } = log[0]!.loss as Record<string, number>;
    expect(total).toBeCloseTo(3 * student! + 0.5 * image! + 2 * table!, 4);
    await expect(trained({ weights: { image: 1 } as never })).rejects.toThrow(
      /`weights` of MIS-ME has image/,
    );
  });

  it('weighs features and outputs by learned numbers, which begin with 1, or with 0 for the first modality', async () => {
    const inputs = { image: tf.tensor2d([[1, 2, 3]]), table: tf.tensor2d([[1, -1]]) };
    const of = (variant: Options) => modelOf(variant).forward({ inputs }, { training: false });
    const two = of({ variant: 'two-scalars' });
    const sum = two.unimodalLogits.image.dataSync()[0]! + two.unimodalLogits.table.dataSync()[0]!;
    expect(two.logits.dataSync()[0]).toBeCloseTo(sum, 5);
    const one = of({ variant: 'one-scalar' });
    expect(one.logits.dataSync()[0]).toBeCloseTo(one.unimodalLogits.table.dataSync()[0]!, 6);
    const { log } = await trained({ variant: 'one-scalar' }, { epochs: 2 });
    const { scalars } = log.at(-1) as unknown as { readonly scalars: Record<M, number> };
    expect(scalars.image + scalars.table).toBeCloseTo(1, 5);
    expect(scalars.image).not.toBe(0);
  });

  it.each(variants)('leaves out what is missing, whatever stands there: %s', async (variant) => {
    const hidden = missingModalities(data, { rate: 0.3, seed: 1, inputs: 'complete' });
    const batchesOf = (spoil: boolean) =>
      async function* (epoch: number): AsyncGenerator<Batch<M>> {
        for await (const batch of batches(hidden, { batchSize: 7, epoch })) {
          const spoilt = (m: M): tf.Tensor =>
            tf.tidy(() =>
              tf.where(
                tf.greater(tf.expandDims(batch.present![m]!, 1), 0),
                batch.inputs[m],
                tf.fill(batch.inputs[m].shape, spoil ? NaN : 0),
              ),
            );
          yield { ...batch, inputs: { image: spoilt('image'), table: spoilt('table') } };
        }
      };
    const options = { variant, schedule: 'run' } as const;
    const plain = await trained(options, { batches: batchesOf(false) });
    const spoilt = await trained(options, { batches: batchesOf(true) });
    expect(spoilt.weights).toEqual(plain.weights);
    expect(Object.values(plain.weights).every(({ values }) => values.every(Number.isFinite))).toBe(true);
  });

  it('leaves a batch of one sample out, whose variance is none', async () => {
    const one = (epoch: number) => batches(data, { batchSize: 13, epoch });
    const { log, weights } = await trained({ schedule: 'run' }, { batches: one, epochs: 1 });
    expect(log[0]).toMatchObject({ skippedSteps: 1 });
    expect(Object.values(weights).every(({ values }) => values.every(Number.isFinite))).toBe(true);
  });

  it.each(variants)('is exported as layers that share its weights: %s', (variant) => {
    const model = modelOf({ variant });
    const scalar = model.state().get('fusion/scalar/kernel') ?? model.state().get('head/table/scalar/kernel');
    scalar?.write(tf.tensor2d([[0.3]]));
    const inputs = {
      image: tf.tensor2d([
        [1, 2, 3],
        [0, 1, 0],
      ]),
      table: tf.tensor2d([
        [1, -1],
        [2, 2],
      ]),
    };
    const { logits, unimodalLogits } = model.forward({ inputs }, { training: false });
    const exported = model.toLayersModel().predict([inputs.image, inputs.table]) as tf.Tensor[];
    [logits, unimodalLogits.image, unimodalLogits.table].forEach((own, i) => {
      const values = exported[i]!.dataSync();
      own.dataSync().forEach((value, j) => expect(values[j]).toBeCloseTo(value, 5));
    });
  });

  it('refuses sigmoids, classes, a training without validation, and one number for three modalities', async () => {
    await expect(train({ ...settings({}), loss: {} })).rejects.toThrow(
      /"mis-me" predicts the output itself, .* Set `output` of `loss` to "identity"/,
    );
    await expect(train({ ...settings({}), task: 'classification', loss: {} })).rejects.toThrow(
      /is for regression/,
    );
    const { evaluate: _, ...blind } = settings({});
    await expect(train(blind)).rejects.toThrow(/"mis-me" reads the validation scores of every epoch/);
    const three = { widths: { a: 4, b: 4, c: 4 }, classes: 1, seed: 0 };
    expect(() => misMe({ variant: 'one-scalar' }).fusion!(three)).toThrow(
      /there are 3: a, b, c. Take "two-scalars"/,
    );
    expect(() => misMe({ linearHeads: ['x'] }).fusion!(three)).toThrow(/`linearHeads` names "x"/);
  });
});
