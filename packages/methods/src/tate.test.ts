import * as tf from '@tensorflow/tfjs';
import { perModality, type Batch, type EpochRecord, type Outputs } from '@g2d/core';
import { batches, fromSamples, missingModalities } from '@g2d/datasets';
import { tateEncoder } from '@g2d/encoders';
import { MultimodalModel } from '@g2d/fusion';
import { randomStream } from '@g2d/tensor-ops';
import {
  evaluate,
  frozenTeachers,
  readState,
  train,
  type TrainOptions,
  type TrainingState,
} from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyModel } from '../test/toy.js';
import { tate } from './tate.js';
import type { TaggedOutputs } from './tate-fusion.js';
import { bothWays } from './tate-losses.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type M = 'v' | 'a' | 't';
const ALL = ['v', 'a', 't'] as const;
const shapes = { v: [2, 3], a: [3, 2], t: [4] } as const;
const small = { width: 8, heads: 4, dropout: 0.3 };
const random = randomStream(3);
const data = fromSamples({
  name: 'sequences',
  split: 'train',
  classNames: ['x', 'y'],
  shapes: perModality(ALL, (m) => [...shapes[m]]),
  samples: Array.from({ length: 12 }, (_, i) => ({
    id: `${i}`,
    label: i % 2,
    inputs: perModality(ALL, (m) =>
      Float32Array.from({ length: m === 't' ? 4 : 6 }, () => (i % 2 ? 1 : -1) + 0.3 * random.normal()),
    ),
  })),
});
const hidden = missingModalities(data, { rate: 0.4, seed: 1, inputs: 'complete' });

type Options = Parameters<typeof tate>[0];
const modelOf = (options: Options = {}, seed = 0, order: readonly M[] = ALL): MultimodalModel<M> => {
  const encoders = perModality(order, (m) =>
    tateEncoder({ name: m, inputShape: [...shapes[m]], seed, ...small }),
  );
  const widths = perModality(order, (m) => encoders[m].outputs[0]!.shape[1]!);
  return new MultimodalModel<M>({
    encoders,
    fusion: tate<M>({ ...small, ...options }).fusion!({ widths, classes: 2, seed }),
  });
};
const settings = (options: Options = {}, given: Partial<TrainOptions<M>> = {}): TrainOptions<M> => ({
  model: modelOf(options),
  methods: [tate<M>({ ...small, ...options })],
  teachers: frozenTeachers<M>({} as never, { full: modelOf({ guide: 'none' }, 7) }),
  epochs: 2,
  seed: 5,
  optimizer: { type: 'adam', learningRate: 0.01, epsilonAt: 'uncorrected' },
  batches: (epoch, startBatch) =>
    batches(hidden, { batchSize: 5, epoch, startBatch, shuffle: true, seed: 11 }),
  ...given,
});
const trained = async (options: Options = {}, given: Partial<TrainOptions<M>> = {}) => {
  const all = settings(options, given);
  const losses: Readonly<Record<string, number>>[] = [];
  const { predict } = await train({ ...all, onEpoch: ({ loss }) => void losses.push(loss) });
  return { weights: readState(all.model), predict, losses };
};

it('costs what its recipe says, with the teacher beside it', async () => {
  const log: EpochRecord[] = [];
  await train({ ...settings(), onEpoch: (record) => void log.push(record) });
  const { forward, backward } = tate.recipe!.cost;
  // Three steps an epoch.
  for (const m of ALL)
    expect([log[1]!.passes!.forward[m], log[1]!.passes!.backward[m]]).toEqual([
      3 * (forward as number),
      3 * (backward as number),
    ]);
});

describe('the fusion of TATE', () => {
  const outputsOf = (model: MultimodalModel<M>, present: Record<M, number[]>) => {
    const masks = perModality(ALL, (m) => tf.tensor1d(present[m]));
    const zeroed = perModality(ALL, (m) => tf.zeros([3, ...shapes[m]]));
    return model.forward({ inputs: zeroed, zeroed: masks }, { training: false }) as TaggedOutputs<M>;
  };

  it('is told what a sample lacks, by the tags of the released code', () => {
    const masks = { v: [1, 0, 1], a: [1, 1, 0], t: [1, 1, 0] };
    const { tags, tagged } = outputsOf(modelOf(), masks);
    expect(tags.arraySync()).toEqual([
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 1],
    ]);
    // At every step: 2 + 3 + 1 of them, 8 + 4 wide.
    expect(tagged.shape).toEqual([3, 6, 12]);
    expect(tf.slice(tagged, [2, 5, 8], [1, 1, 4]).arraySync()).toEqual([[[0, 0, 1, 1]]]);
    const constant = outputsOf(modelOf({ tags: 'constant' }), masks).tags.arraySync();
    expect(constant).toEqual([
      [0, 0, 0, 1],
      [0, 0, 0, 1],
      [0, 0, 0, 1],
    ]);
    const pairs = outputsOf(modelOf({ tags: 'constant', constantTag: ['v', 'a'] }), masks);
    expect(pairs.tags.arraySync()[0]).toEqual([0, 1, 1, 0]);
  });

  it('refuses encoders of other widths, and sizes that do not go together', () => {
    const fusion = (widths: Record<string, number>, options: Options) => () =>
      tate({ ...small, ...options }).fusion!({ widths, classes: 2, seed: 0 });
    expect(fusion({ v: 8, a: 64, t: 20 }, {})).toThrow(
      /features of t are 20 wide.*encoders of the type "tate"/,
    );
    expect(fusion({ v: 8, a: 8, t: 8 }, { heads: 3 })).toThrow(/`heads` of TATE is 3 and `width` is 8/);
    expect(fusion({ v: 9, a: 9, t: 9 }, { width: 9, heads: 3 })).toThrow(/Choose a multiple of 2/);
    const strange = { tags: 'constant', constantTag: ['x'] } as const;
    expect(fusion({ v: 8, a: 8, t: 8 }, { ...strange, constantTag: ['x'] })).toThrow(/names "x"/);
    expect(() => modelOf().toLayersModel()).toThrow(/tells its network what a sample lacks/);
  });

  it('takes two modalities too, with a tag up to a multiple of the heads', () => {
    const widths = { v: 16, t: 8 };
    const { modalities } = tate({ ...small }).fusion!({ widths, classes: 2, seed: 0 });
    expect(modalities).toEqual(['v', 't']);
  });
});

describe('the divergence of TATE', () => {
  it('is summed over the batch and averaged over time, both ways', () => {
    const p = tf.tensor3d([
      [
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ]);
    const q = tf.tensor3d([
      [
        [Math.log(3), 0],
        [0, 0],
      ],
      [
        [Math.log(3), 0],
        [Math.log(3), 0],
      ],
    ]);
    // Of one step: (½ − ¾) log(½ / ¾) + (½ − ¼) log(½ / ¼).
    const step = -0.25 * Math.log(2 / 3) + 0.25 * Math.log(2);
    expect(bothWays(p, q).dataSync()[0]).toBeCloseTo(step * (0.5 + 1), 6);
  });
});

describe('tate', () => {
  it('learns from a teacher that was trained with it, and predicts with what samples have', async () => {
    const stage = { guide: 'none' } as const;
    const first = settings(stage, {
      epochs: 6,
      teachers: undefined,
      batches: (epoch) => batches(data, { batchSize: 5, epoch, shuffle: true }),
    });
    await train(first);
    const teachers = frozenTeachers<M>({} as never, { full: first.model });
    const { losses, predict } = await trained({}, { teachers, epochs: 6 });
    expect(Object.keys(losses[0]!).sort()).toEqual(['decoding', 'guidance', 'l2', 'student', 'tag', 'total']);
    const { student, l2, guidance, decoding, tag, total } = losses[0]! as Record<string, number>;
    expect(total).toBeCloseTo(student! + l2! + 0.1 * (guidance! + decoding! + tag!), 3);
    expect(losses.at(-1)!['guidance']).toBeLessThan(losses[0]!['guidance']!);
    const { accuracy } = await evaluate(predict, hidden);
    expect(Object.keys(accuracy)).toEqual(['fused', 'v', 'a', 't']);
    expect(accuracy['fused']).toBeGreaterThan(90);
  });

  it.each([
    ['a teacher', {}],
    ['itself', { guide: 'self', tags: 'constant' }],
    ['nobody', { guide: 'none' }],
  ] as const)('goes on after a stop as if there had been none, led by %s', async (_, options) => {
    const whole = await trained(options);
    for (const after of [1, 4]) {
      let saved: TrainingState | undefined;
      let steps = 0;
      const afterStep = (capture: () => TrainingState) =>
        ++steps < after ? undefined : ((saved = capture()), 'stop' as const);
      await train(settings(options, { afterStep }));
      expect((await trained(options, { resume: saved })).weights).toEqual(whole.weights);
    }
  });

  it('sees what a mask hides through its teacher alone', async () => {
    const zero = missingModalities(data, { rate: 0.4, seed: 1 });
    const of = (source: typeof hidden) => ({
      epochs: 1,
      batches: (epoch: number) => batches(source, { batchSize: 5, epoch, shuffle: true, seed: 11 }),
    });
    for (const guide of ['teacher-incomplete', 'self', 'none'] as const)
      expect((await trained({ guide }, of(hidden))).weights).toEqual(
        (await trained({ guide }, of(zero))).weights,
      );
    const [seen, unseen] = [await trained({}, of(hidden)), await trained({}, of(zero))];
    expect(seen.weights).not.toEqual(unseen.weights);
    // Predictions never do, be it no number.
    for await (const batch of batches(hidden, { batchSize: 12 })) {
      const nonsense = perModality(ALL, (m) =>
        tf.tidy(() => {
          const x = batch.inputs[m];
          const rows = tf.reshape(tf.greater(batch.present![m]!, 0), [-1, ...shapes[m].map(() => 1)]);
          return tf.where(rows, x, tf.fill(x.shape, NaN));
        }),
      );
      const rows = (given: Batch<M>): number[] =>
        tf.tidy(() => {
          const { logits, unimodalLogits } = seen.predict(given);
          return [logits, ...Object.values<tf.Tensor>(unimodalLogits)].flatMap((z) => [
            ...z.dataSync(),
          ]) as never;
        }) as number[];
      expect(rows(batch).every(Number.isFinite)).toBe(true);
      expect(rows({ ...batch, inputs: nonsense })).toEqual(rows(batch));
    }
  });

  it('begins with the weights of its teacher where it guides itself, and has dropout in predictions where it is told to', async () => {
    const teacher = modelOf({ guide: 'none' }, 7);
    const teachers = frozenTeachers<M>({} as never, { full: teacher });
    const { weights } = await trained({ guide: 'self' }, { teachers, epochs: 0 });
    expect(weights).toEqual(readState(teacher));
    const { predict } = await trained({ testDropout: true }, { epochs: 0 });
    for await (const batch of batches(data, { batchSize: 12 })) {
      const [one, other] = [predict(batch), predict(batch)].map(({ logits }: Pick<Outputs<M>, 'logits'>) => [
        ...logits.dataSync(),
      ]);
      expect(one).not.toEqual(other);
    }
  });

  it('needs a full teacher, one that was trained with TATE, and classes', async () => {
    const { teachers: _, ...without } = settings();
    await expect(train(without)).rejects.toThrow(/"tate" needs a trained teacher of all modalities/);
    const late = frozenTeachers<M>({} as never, { full: toyModel(['audio', 'visual']) as never });
    await expect(train(settings({}, { teachers: late }))).rejects.toThrow(
      /There is no input for audio|gives no encoding/,
    );
    await expect(train(settings({}, { task: 'regression' }))).rejects.toThrow(/"tate" is for classification/);
  });
});
