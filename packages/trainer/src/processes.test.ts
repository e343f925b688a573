// Several processes: what the loop adds up. The other process is played by a function that knows what it would send.
import * as tf from '@tensorflow/tfjs';
import { perModality, type AllReduce, type EpochRecord, type Method, type Step } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyDataset, toyModel, type Modality } from '../test/toy.js';
import { readState } from './model-state.js';
import { train, type TrainOptions } from './train.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const data = toyDataset('train', 40, 1);
const BOTH = ['loud', 'quiet'] as const;
type Values = Float32Array | Float64Array;

/** Two processes; `other` says what the second one has where this one has `own`. */
const two = (other: (own: number, i: number, values: Values) => number): AllReduce => ({
  processes: 2,
  sum: (values) => {
    const own = values.slice();
    own.forEach((value, i) => (values[i] = value + other(value, i, own)));
  },
});
const twin = two((own) => own);

const options = (changes: Partial<TrainOptions<Modality>> = {}): TrainOptions<Modality> => ({
  model: toyModel(BOTH, 0),
  methods: [],
  epochs: 2,
  optimizer: { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 },
  batches: (epoch, startBatch) => batches(data, { batchSize: 20, epoch, startBatch, shuffle: true }),
  ...changes,
});

/** A loss that reaches one modality alone. */
const loudOnly: Method<Modality> = {
  name: 'loud-only',
  loss: ({ unimodalLogits }, step) => ({ total: step.taskLoss(unimodalLogits.loud) }),
};

describe('gradients', () => {
  it('stay null where no process’ loss reaches a variable: nothing decays', async () => {
    const methods = [loudOnly];
    const [alone, both] = [options({ methods }), options({ methods, allReduce: twin })];
    const start = readState(both.model);
    await train(alone);
    await train(both);
    const end = readState(both.model);
    expect(end).toEqual(readState(alone.model));
    const same = Object.keys(end).filter((name) => end[name]!.values.join() === start[name]!.values.join());
    expect(same.sort()).toEqual([
      'head/quiet/bias',
      'head/quiet/kernel',
      'quiet/dense/bias',
      'quiet/dense/kernel',
    ]);
  });

  it('come from the process that has them', async () => {
    const seen: unknown[] = [];
    const watch: Method<Modality> = {
      ...loudOnly,
      edit: (gradients) => {
        const found = gradients.find(({ parameter }) => parameter.name === 'head/quiet/bias');
        seen.push(found?.tensor && [...found.tensor.dataSync()]);
        return gradients;
      },
    };
    // The other process reaches everything, with gradients of 1 where this one has none.
    const allReduce = two((own) => (own === 0 ? 1 : own));
    await train(options({ methods: [watch], epochs: 1, allReduce }));
    expect(seen).toEqual([
      [0.5, 0.5, 0.5],
      [0.5, 0.5, 0.5],
    ]);
  });
});

describe('numbers', () => {
  it('in the log are means over the processes', async () => {
    const logs: EpochRecord[][] = [];
    // Losses and scores of the other process are twice this one's, on as many samples.
    const counts = new Set([20, 40]);
    const other = two((own, _, values) =>
      values instanceof Float64Array && !counts.has(own) ? 2 * own : own,
    );
    for (const allReduce of [twin, other]) {
      const log: EpochRecord[] = [];
      logs.push(log);
      await train(options({ epochs: 1, allReduce, onEpoch: (record) => void log.push(record) }));
    }
    const [same, twice] = logs.map(([record]) => record!);
    expect(twice!.loss['total']).toBeCloseTo(1.5 * same!.loss['total']!, 6);
    expect(twice!.train['fused']).toBeCloseTo(1.5 * same!.train['fused']!, 6);
  });

  it('of a modality are over all samples that have it: losses, means, counts', async () => {
    const own = 2;
    const others = 3;
    const looked: number[] = [];
    let expected = NaN;
    const look = (step: Step<Modality>): void => {
      const values = perModality(BOTH, () =>
        tf.tensor1d([1, NaN, 3, ...Array.from({ length: 17 }, () => NaN)]),
      );
      // The other process has three samples with `loud`, whose mean is 6.
      const means = step.meanByModality(values);
      looked.push(means.loud, step.presentSamples.loud);
      const { logits } = step.forward();
      const mine = step.taskLoss(logits, 'loud').dataSync()[0]!;
      const rows = tf.tensor1d([0, 2], 'int32');
      expected = tf.losses
        .softmaxCrossEntropy(tf.oneHot(tf.gather(step.batch.labels, rows), 3), tf.gather(logits, rows))
        .dataSync()[0]!;
      looked.push(mine);
    };
    let done = false;
    const probe: Method<Modality> = {
      name: 'probe',
      plan: (step) => {
        if (!done) tf.tidy(() => look(step));
        done = true;
        return {};
      },
    };
    // Counts: [samples, loud, quiet]; sums: [Σ loud, n loud, Σ quiet, n quiet].
    const allReduce = two((value, i, values) => {
      if (!(values instanceof Float64Array)) return value;
      if (values.length === 3 && i === 1) return others;
      if (values.length === 4 && i === 0) return 6 * others;
      return values.length === 4 && i === 1 ? others : value;
    });
    const mask = tf.tensor1d([1, 0, 1, ...Array.from({ length: 17 }, () => 0)]);
    async function* lacking() {
      for await (const batch of batches(data, { batchSize: 20 })) {
        yield { ...batch, present: { loud: tf.clone(mask) } };
      }
    }
    await train(options({ methods: [probe], epochs: 1, allReduce, batches: lacking }));
    expect(looked[0]).toBeCloseTo((2 * own + 6 * others) / (own + others), 6);
    expect(looked[1]).toBe(own + others);
    // The mean over the two processes is the mean over their five samples.
    expect(looked[2]).toBeCloseTo((expected * 2 * own) / (own + others), 5);
  });
});

describe('running statistics', () => {
  it('are averaged before evaluations and checkpoints', async () => {
    const inputs = tf.input({ shape: [4] });
    const build = () => {
      const x = tf.layers.batchNormalization({ name: 'loud/bn' }).apply(inputs) as tf.SymbolicTensor;
      const encoder = tf.model({ name: 'loud', inputs, outputs: x });
      return new MultimodalModel<'loud'>({
        encoders: { loud: encoder },
        fusion: lateFusion({ widths: { loud: 4 }, classes: 3, seed: 0 }),
      });
    };
    const means: Record<string, tf.Tensor> = {};
    // Eight statistics: the other process' are larger by 0.65. Gradients come with a flag for each variable.
    const shifted = two((own, _, values) => (values.length === 8 ? own + 0.65 : own));
    for (const [name, allReduce] of Object.entries({ twin, shifted })) {
      const model = build();
      const read = (place: string): void => {
        const weight = [...model.state()].find(([key]) => key.endsWith('moving_mean'))!;
        means[`${name}/${place}`] = tf.clone(weight[1].read());
      };
      await train({
        model,
        methods: [],
        epochs: 1,
        optimizer: { learningRate: 0 },
        allReduce,
        batches: () => batches(data, { batchSize: 20, modalities: ['loud'] }),
        afterStep: (capture) => {
          capture();
          if (!(`${name}/checkpoint` in means)) read('checkpoint');
        },
        evaluate: async () => {
          read('evaluation');
          return undefined;
        },
      });
    }
    const difference = (place: string) => tf.sub(means[`shifted/${place}`]!, means[`twin/${place}`]!);
    expectTensorClose(difference('checkpoint'), [0.325, 0.325, 0.325, 0.325], { atol: 1e-6 });
    // Once more, on what two steps and their checkpoints have left: 0.99 of each is kept by a step.
    const expected = 0.325 * 0.99 + 0.325 + 0.325;
    expectTensorClose(difference('evaluation'), [expected, expected, expected, expected], { atol: 1e-5 });
  });
});
