import * as tf from '@tensorflow/tfjs';
import type { EpochRecord, Method, OptimizerSettings } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyDataset, toyModel, type Modality } from '../test/toy.js';
import { readState } from './model-state.js';
import { predictorAt, train, type TrainOptions } from './train.js';
import type { TrainingState } from './training-state.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const data = toyDataset('train', 40, 1);
const optimizer: OptimizerSettings = {
  learningRate: 0.1,
  momentum: 0.9,
  schedule: { type: 'step', after: [1], ratio: 0.5 },
};

/** One modality for itself with Adam, then the other in the way of the run, then all together with what that left. */
const turns: Method<Modality, { steps: number; seen: tf.Tensor }> = {
  name: 'turns',
  init: () => ({ steps: 0, seen: tf.zeros([3]) }),
  loss({ logits }, step, state) {
    state.steps += 1;
    state.seen = tf.add(state.seen, tf.sum(logits, 0));
    return { total: step.taskLoss(logits) };
  },
  stages: ({ epochs, modalities: [first, second] }) => [
    {
      name: 'first',
      epochs,
      optimizer: (run) => ({ type: 'adam', learningRate: run.learningRate / 10 }),
      plan: () => ({ coefficient: ({ modality }) => (modality === first ? 1 : null) }),
      forward: (pass) => pass.forward({ modalities: [first as Modality] }),
    },
    {
      name: 'second',
      epochs: 2,
      optimizer: (run) => run,
      plan: () => ({ coefficient: ({ modality }) => (modality === second ? 1 : null) }),
      forward: (pass) => pass.forward({ modalities: [second as Modality] }),
    },
    { name: 'all', epochs: 1, forward: (pass) => pass.forward() },
  ],
};

const options = (changes: Partial<TrainOptions<Modality>> = {}): TrainOptions<Modality> => ({
  model: toyModel(['loud', 'quiet'], 0),
  methods: [turns],
  epochs: 2,
  optimizer,
  batches: (epoch, startBatch) => batches(data, { batchSize: 20, epoch, startBatch, shuffle: true }),
  ...changes,
});

/** As a checkpoint's files hold it. */
const throughFiles = (state: TrainingState): TrainingState => {
  const { methods, ...rest } = structuredClone(state);
  const plain = Object.entries(methods).map(([name, { values, arrays }]) => [
    name,
    { values: JSON.parse(JSON.stringify(values)) as unknown, arrays },
  ]);
  return { ...rest, methods: Object.fromEntries(plain) as TrainingState['methods'] };
};

describe('stages', () => {
  it('have epochs, hooks and optimizers of their own', async () => {
    const log: EpochRecord[] = [];
    const states: ReturnType<typeof readState>[] = [];
    const { model, ...rest } = options();
    const before = tf.memory().numTensors;
    const { predict } = await train({
      model,
      ...rest,
      onEpoch: (record) => {
        log.push(record);
        states.push(readState(model));
      },
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(log.map(({ epoch, stage, learningRate }) => [epoch, stage, learningRate])).toEqual([
      [1, 'first', 0.01],
      [2, 'first', 0.01],
      // The schedule of the run counts from here.
      [3, 'second', 0.1],
      [4, 'second', 0.05],
      [5, 'all', 0.05],
    ]);
    const moved = (from: number, to: number) =>
      Object.keys(states[0]!)
        .filter((name) => states[from]![name]!.values.join() !== states[to]![name]!.values.join())
        .filter((name) => name.endsWith('kernel'));
    expect(moved(0, 1)).toEqual(['loud/dense/kernel', 'head/loud/kernel']);
    expect(moved(1, 3)).toEqual(['quiet/dense/kernel', 'head/quiet/kernel']);
    expect(moved(3, 4)).toHaveLength(4);
    // The last stage has both modalities.
    for await (const batch of batches(data, { batchSize: 40 })) {
      const [predicted, whole] = tf.tidy(() => [
        [...predict(batch).logits.dataSync()],
        [...model.forward(batch, { training: false }).logits.dataSync()],
      ]);
      expect(predicted).toEqual(whole);
      tf.dispose(batch);
    }
  });

  it('go on after a kill at any step, bit for bit', async () => {
    const whole = options();
    const states: TrainingState[] = [];
    const capture = (state: () => TrainingState): void => void states.push(throughFiles(state()));
    await train({ ...whole, afterStep: capture, onEpoch: (_, state) => capture(state) });
    // Two batches an epoch, and the end of each of the five.
    expect(states).toHaveLength(15);
    const expected = readState(whole.model);
    for (const resume of states) {
      const resumed = options({ model: toyModel(['loud', 'quiet'], 3), resume });
      let last: TrainingState | undefined;
      const before = tf.memory().numTensors;
      await train({ ...resumed, onEpoch: (_, state) => void (last = throughFiles(state())) });
      expect(tf.memory().numTensors).toBe(before);
      const place = JSON.stringify([resume.position.epoch, resume.position.batch]);
      expect(readState(resumed.model), place).toEqual(expected);
      if (last) expect(last.methods, place).toEqual(states.at(-1)!.methods);
    }
  });

  it('predict at a saved state as its stage did', async () => {
    const states: TrainingState[] = [];
    await train({ ...options(), onEpoch: (_, state) => void states.push(throughFiles(state())) });
    const { value: batch } = await batches(data, { batchSize: 6 }).next();
    const shown = await Promise.all(
      states.map(async (resume) => {
        const predict = await predictorAt(options({ resume }));
        return tf.tidy(() => predict(batch!).logits.dataSync().join());
      }),
    );
    expect(new Set(shown).size).toBe(5);
    // Of the first stage: one modality alone.
    const { model } = options();
    await predictorAt(options({ model, resume: states[0] }));
    const present = { quiet: tf.zeros<tf.Rank.R1>([6]) };
    expect(shown[0]).toBe(
      model
        .forward({ ...batch!, present }, { training: false })
        .logits.dataSync()
        .join(),
    );
  });

  it('are refused if they are none, or do not go together with other methods', async () => {
    const withStages = (stage: object): Method<Modality> => ({
      name: 'staged',
      stages: () => [{ name: 'one', epochs: 1, ...stage }],
    });
    const failing = (...methods: Method<Modality>[]) => expect(train(options({ methods }))).rejects;
    await failing(withStages({ epochs: 0 })).toThrow(
      /The stage "one" of the method "staged" has 0 epochs; it must be a whole number of at least 1/,
    );
    await failing(withStages({ onStepStart: () => {} })).toThrow(
      /The stage "one" of the method "staged" has no hook "onStepStart"; the hooks are plan, forward/,
    );
    const loss: Method<Modality> = {
      name: 'other',
      loss: ({ logits }, step) => ({ total: step.taskLoss(logits) }),
    };
    await failing(withStages({ loss: loss.loss }), loss).toThrow(
      /Only one method can give the loss, but staged and other do/,
    );
  });
});

describe('a learning rate that a method sets', () => {
  it('holds, and the schedule goes on from it', async () => {
    const rates: number[] = [];
    const slow: Method<Modality> = {
      name: 'slow',
      epoch: ({ epoch }, training) => {
        if (epoch === 1) training.optimizer.learningRate = 0.02;
      },
    };
    await train({
      ...options({ methods: [slow], epochs: 4 }),
      optimizer: { learningRate: 0.1, schedule: { type: 'step', after: [2], ratio: 0.5 } },
      onEpoch: ({ learningRate }) => void rates.push(learningRate),
    });
    expect(rates).toEqual([0.1, 0.02, 0.01, 0.01]);
  });
});
