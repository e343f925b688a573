// How often encoders ran, as the log of an epoch has it.
import * as tf from '@tensorflow/tfjs';
import { perModality, type EpochRecord, type Method } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyDataset, toyModel, type Modality } from '../test/toy.js';
import { frozenTeachers } from './frozen-teachers.js';
import { train, type TrainOptions } from './train.js';
import type { TrainingState } from './training-state.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const data = toyDataset('train', 40, 1);

/** Two epochs of four steps. */
async function passesOf(methods: readonly Method<Modality>[], others: Partial<TrainOptions<Modality>> = {}) {
  const log: EpochRecord[] = [];
  await train({
    model: toyModel(['loud', 'quiet'], 0),
    methods,
    epochs: 2,
    optimizer: { learningRate: 0.1 },
    batchesPerEpoch: 4,
    everySample: () => batches(data, { batchSize: 10 }),
    batches: (epoch, startBatch) => batches(data, { batchSize: 10, epoch, startBatch, shuffle: true }),
    onEpoch: (record) => void log.push(record),
    ...others,
  });
  return log.map(({ passes }) => passes);
}

const both = (count: number) => ({ loud: count, quiet: count });
const JOINT = { forward: both(4), backward: both(4) };

describe('the passes of an epoch', () => {
  it('are one of each encoder in each direction for every step of joint training, on however many batches', async () => {
    expect(await passesOf([])).toEqual([JOINT, JOINT]);
    const two = { forward: both(2), backward: both(2) };
    expect(await passesOf([], { accumulate: 2 })).toEqual([two, two]);
  });

  it('have no backward pass of an encoder that is frozen, left out or a constant', async () => {
    const freeze: Method<Modality> = {
      name: 'freeze',
      plan: ({ epoch }) => ({
        coefficient: ({ name }) => (epoch === 1 && name.startsWith('loud/') ? null : 1),
      }),
    };
    const frozen = { forward: both(4), backward: { quiet: 4 } };
    expect(await passesOf([freeze])).toEqual([frozen, JOINT]);
    const alone: Method<Modality> = {
      name: 'alone',
      forward: (pass) => {
        pass.forward({ modalities: ['loud'], gradients: false });
        return pass.forward({ modalities: ['quiet'] });
      },
    };
    expect(await passesOf([alone])).toEqual([frozen, frozen]);
  });

  it('are those of all losses of a method’s own step', async () => {
    const twice: Method<Modality> = {
      name: 'twice',
      step(step) {
        const run = () => {
          const outputs = step.forward();
          return { loss: { total: step.taskLoss(outputs.logits) }, outputs };
        };
        const { gradients, outputs, losses } = step.valueAndGrads(run);
        step.valueAndGrads(run, ({ modality }) => modality === 'quiet');
        step.update(gradients, outputs);
        return { losses, outputs };
      },
    };
    const found = { forward: both(8), backward: { loud: 4, quiet: 8 } };
    expect(await passesOf([twice])).toEqual([found, found]);
  });

  it('have the batches that a method reads beside the steps, in the epoch that comes next', async () => {
    const read = async (all: AsyncIterable<object>): Promise<void> => {
      for await (const batch of all) tf.dispose(batch as never);
    };
    const reader: Method<Modality, object> = {
      name: 'reader',
      init: async ({ everySample }) => {
        await read(everySample());
        await read(everySample([]));
        return {};
      },
      epoch: async (_, { everySample }) => read(everySample(['quiet'])),
    };
    expect(await passesOf([reader])).toEqual([
      { forward: both(8), backward: both(4) },
      { forward: { loud: 4, quiet: 8 }, backward: both(4) },
    ]);
  });

  it('count teachers that run, and not those whose outputs are read', async () => {
    const judged: Method<Modality> = { name: 'judged', needs: { teachers: 'unimodal' } };
    const quiet = toyModel(['quiet'], 1);
    const stored = {
      loud: {
        rows: (ids: readonly string[]) => ({
          logits: tf.zeros<tf.Rank.R2>([ids.length, 3]),
          features: tf.zeros<tf.Rank.R2>([ids.length, 5]),
        }),
        close: () => {},
      },
    };
    const teachers = frozenTeachers({ quiet }, { stored });
    const [found] = await passesOf([judged], { teachers });
    expect(found).toEqual({ ...JOINT, teachers: { quiet: 4 } });
    teachers.dispose();
  });

  it.each([1, 3, 4, 6])(
    'are those of a training that was never stopped, after %i steps too',
    async (after) => {
      let saved: TrainingState | undefined;
      let steps = 0;
      const start: Method<Modality, object> = {
        name: 'start',
        init: async ({ everySample }) => {
          for await (const batch of everySample()) tf.dispose(batch as never);
          return perModality(['loud'], () => 1);
        },
      };
      const whole = await passesOf([start]);
      const first = await passesOf([start], {
        afterStep(capture) {
          if (++steps < after) return;
          saved = JSON.parse(
            JSON.stringify(capture(), (_, value: unknown) =>
              value instanceof Float32Array ? { float32: [...value] } : value,
            ),
            (_, value: { float32?: number[] } | null) =>
              value?.float32 ? Float32Array.from(value.float32) : value,
          ) as TrainingState;
          return 'stop';
        },
      });
      const second = await passesOf([start], { resume: saved });
      expect([...first, ...second]).toEqual(whole);
    },
  );

  it('are absent of an epoch that an earlier version began', async () => {
    let saved: TrainingState | undefined;
    await passesOf([], {
      afterStep(capture) {
        saved = capture();
        return 'stop';
      },
    });
    const { passes: _, ...totals } = saved!.position.totals;
    const resume = { ...saved!, position: { ...saved!.position, totals } };
    expect(await passesOf([], { resume })).toEqual([undefined, JOINT]);
  });
});
