import * as tf from '@tensorflow/tfjs';
import type { Method } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyDataset, toyModel, type Modality } from '../test/toy.js';
import { KeptTensors, loadState, saveState } from './method-state.js';
import { readState } from './model-state.js';
import { train, type TrainOptions } from './train.js';
import type { TrainingState } from './training-state.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const data = toyDataset('train', 40, 1);
const options = (
  methods: readonly Method<Modality>[],
  changes: Partial<TrainOptions<Modality>> = {},
): TrainOptions<Modality> => ({
  model: toyModel(['loud', 'quiet'], 0),
  methods,
  epochs: 2,
  optimizer: { learningRate: 0.1, momentum: 0.9 },
  batches: (epoch, startBatch) => batches(data, { batchSize: 20, epoch, startBatch, shuffle: true }),
  ...changes,
});

describe('a state', () => {
  it('comes back from its saved form: plain data, arrays and tensors of any type', () => {
    const state = {
      steps: 3,
      name: null,
      list: ['a', { deep: Float32Array.of(1.5, 2) }],
      best: { 7: { 'a/b': tf.tensor2d([[1, 2]]) } },
      order: tf.tensor1d([2, 1], 'int32'),
      left: undefined,
    };
    const { values, arrays } = saveState(state);
    expect(Object.keys(arrays!)).toEqual(['list/1/deep', 'best/7/a~1b', 'order']);
    const back = loadState({ values: JSON.parse(JSON.stringify(values)), arrays: arrays! }) as typeof state;
    expect(back.list).toEqual(state.list);
    expect([back.steps, back.name, 'left' in back]).toEqual([3, null, false]);
    expect(back.best[7]['a/b'].arraySync()).toEqual([[1, 2]]);
    expect([back.order.dtype, ...back.order.dataSync()]).toEqual(['int32', 2, 1]);
  });

  it.each(['__proto__', 'constructor', 'toString'])(
    'may have a key %s, such as a name of a class',
    (name) => {
      const state = Object.fromEntries([[name, Float32Array.of(1, 2)]]);
      const { values, arrays } = saveState(state);
      expect(Object.keys(arrays!)).toEqual([name]);
      const back = loadState({ values: JSON.parse(JSON.stringify(values)), arrays: arrays! });
      expect(Object.entries(back as object)).toEqual([[name, Float32Array.of(1, 2)]]);
    },
  );

  it('of a method called constructor begins, whatever is saved of others', async () => {
    const method: Method<Modality, { steps: number }> = {
      name: 'constructor',
      init: () => ({ steps: 0 }),
      plan: (_, state) => ((state.steps += 1), {}),
    };
    const seen: unknown[] = [];
    const onEpoch: TrainOptions<Modality>['onEpoch'] = (_, snapshot) =>
      void seen.push(snapshot().methods['constructor']);
    await train(options([method], { onEpoch }));
    expect(seen.at(-1)).toMatchObject({ values: { steps: 4 } });
  });

  it.each([
    ['a function at "best/loss"', { best: { loss: () => 1 } }],
    ['NaN at "list/1"', { list: [1, NaN] }],
    ['a Map at "seen"', { seen: new Map() }],
    ['a Float64Array at "a~1b"', { 'a/b': new Float64Array(1) }],
    ['a bigint at "n"', { n: 1n }],
    ['a symbol itself', Symbol('x')],
    ['the key $tensor at "of/$tensor"', { of: { $tensor: 'x' } }],
  ])('is refused with %s', (found, state) => {
    expect(() => new KeptTensors().follow(state, 'mine')).toThrow(
      `The state of the method "mine" holds ${found}, which a checkpoint cannot.`,
    );
  });

  it('is refused by its place in a training, whichever hook has put it there', async () => {
    const put = (state: { x?: unknown }): void => void (state.x = { y: NaN });
    const hooks: Partial<Method<Modality, { x?: unknown }>>[] = [
      { plan: (_, state) => (put(state), {}) },
      { forward: (pass, state) => (put(state), pass.forward()) },
      { loss: ({ logits }, step, state) => (put(state), { total: step.taskLoss(logits) }) },
      { edit: (gradients, _, __, state) => (put(state), gradients) },
      { epoch: (_, __, state) => put(state) },
    ];
    for (const hook of hooks) {
      const method: Method<Modality, { x?: unknown }> = { name: 'mine', init: () => ({}), ...hook };
      await expect(train(options([method])), Object.keys(hook)[0]).rejects.toThrow(/holds NaN at "x\/y"/);
    }
    const stolen: Method<Modality, { x: tf.Tensor | null }> = {
      name: 'mine',
      init: () => ({ x: null }),
      plan: ({ batch }, state) => ((state.x = batch.labels), {}),
    };
    await expect(train(options([stolen]))).rejects.toThrow(/a tensor that is freed already.*clone it/);
  });

  it('keeps tensors as long as it holds them, outputs and results of several passes too', async () => {
    interface State {
      last: tf.Tensor | null;
      sum: tf.Tensor;
    }
    const method: Method<Modality, State> = {
      name: 'mine',
      init: () => ({ last: null, sum: tf.scalar(0) }),
      step(step, state) {
        if (state.last) expect(state.last.dataSync()).toHaveLength(60);
        const run = () => {
          const outputs = step.forward();
          state.sum = tf.add(state.sum, tf.sum(outputs.logits));
          return { loss: { total: step.taskLoss(outputs.logits) }, outputs };
        };
        step.valueAndGrads(run);
        const { losses, gradients, outputs } = step.valueAndGrads(run);
        state.last = outputs.logits;
        step.update(gradients, outputs);
        return { losses, outputs };
      },
    };
    const given = options([method]);
    const before = tf.memory().numTensors;
    await train(given);
    expect(tf.memory().numTensors).toBe(before);
    await expect(
      train({
        ...given,
        onEpoch: () => {
          throw new Error('Enough.');
        },
      }),
    ).rejects.toThrow('Enough.');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('serves predictions after the training', async () => {
    const method: Method<Modality, { shift: tf.Tensor }> = {
      name: 'mine',
      init: () => ({ shift: tf.tensor1d([0, 0, 100]) }),
      forward(pass, { shift }) {
        const outputs = pass.forward();
        return { ...outputs, logits: tf.add(outputs.logits, shift) };
      },
    };
    const { predict } = await train(options([method]));
    const { value: batch } = await batches(data, { batchSize: 5 }).next();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 2; i++)
      expect(tf.tidy(() => [...predict(batch!).logits.argMax(1).dataSync()])).toEqual([2, 2, 2, 2, 2]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is made by init where a checkpoint has none of it, or a part, and streams go on all the same', async () => {
    const method: Method<Modality, { seed: number; steps: number }> = {
      name: 'mine',
      init: ({ random }) => ({ seed: random('mine').integer(2 ** 32), steps: 0 }),
      plan({ random }, state) {
        state.steps += 1;
        const factor = random('mine').uniform() + (state.seed % 2);
        return { coefficient: () => factor };
      },
    };
    const whole = options([method]);
    const states: TrainingState[] = [];
    await train({ ...whole, afterStep: (capture) => void states.push(capture()) });
    const state = states[1]!;
    const { seed: _, ...rest } = state.methods['mine']!.values as { seed: number; steps: number };
    const forms: TrainingState['methods'][] = [state.methods, {}, { mine: { values: rest, partial: true } }];
    for (const methods of forms) {
      const resumed = options([method], { model: toyModel(['loud', 'quiet'], 3) });
      await train({ ...resumed, resume: { ...state, methods } });
      expect(readState(resumed.model)).toEqual(readState(whole.model));
    }
    await expect(train(options([], { resume: state }))).rejects.toThrow(
      /saved state is of the methods mine, but this training has none with a state/,
    );
  });
});
