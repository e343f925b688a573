import * as tf from '@tensorflow/tfjs';
import { lateFusion, sumFusion } from '@g2d/fusion';
import { readState, type SplitMetrics } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelWith, options, optimizer, run, type Modality } from '../test/dense-toy.js';
import { watchLoss, type LossWatch, type StoppingRule } from './early-stopping.js';
import { mses } from './mses.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The epochs' watches over a list of losses. */
const watch = (losses: readonly number[], rule: StoppingRule): LossWatch[] => {
  let now: LossWatch = { stopped: false };
  return losses.map((loss, i) => (now = watchLoss(now, { epoch: i + 1, loss }, rule)));
};

describe('watchLoss', () => {
  it('stops in the P-th epoch after the best one, by hand', () => {
    const watches = watch([1, 0.5, 0.6, 0.5, 0.4], { patience: 2, reference: 'paper' });
    expect(watches.map(({ best }) => best?.epoch)).toEqual([1, 2, 2, 2, 2]);
    // An equal loss is not a better one; what has stopped does not begin again.
    expect(watches.map(({ stopped }) => stopped)).toEqual([false, false, false, true, true]);
    const lasting = watch([1, 0.5, 0.6, 0.45, 0.6], { patience: 2, reference: 'paper' });
    expect(lasting.at(-1)).toEqual({ raw: 0.6, best: { epoch: 4, loss: 0.45 }, stopped: false });
  });

  it('smooths two losses and waits one epoch longer as the official code, by hand', () => {
    const watches = watch([1, 0.5, 0.6, 0.7, 0.8], { patience: 1, reference: 'official' });
    // 1, 0.6 + 0.2 = 0.8, 0.3 + 0.24 = 0.54, 0.36 + 0.28 = 0.64, 0.42 + 0.32 = 0.74: raw losses are mixed, not smoothed ones.
    expect(watches.map(({ best }) => best?.epoch)).toEqual([1, 2, 3, 3, 3]);
    expect(watches[1]!.best?.loss).toBeCloseTo(0.8, 12);
    expect(watches[2]!.best?.loss).toBeCloseTo(0.54, 12);
    expect(watches.map(({ stopped }) => stopped)).toEqual([false, false, false, false, true]);
  });
});

const LOUD = [1, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const FALLING = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4];

/** Trains with validation losses from a list, and keeps the state after every epoch, 0: before the first. */
async function trained(
  given: Parameters<typeof mses>[0],
  {
    epochs = 6,
    quiet = FALLING,
    loud = LOUD,
    fusion = lateFusion(options),
    momentum = 0,
    after = [] as number[],
  } = {},
) {
  const model = modelWith(fusion);
  const states = [readState(model)];
  const stopped: unknown[] = [];
  const rates: number[] = [];
  await run(model, mses(given), {
    epochs,
    optimizer: { ...optimizer, momentum, schedule: { type: 'step', after, ratio: 0.5 } },
    evaluate: async (epoch) => {
      const metrics = {
        fused: { loss: 1 },
        loud: { loss: loud[epoch - 1] },
        quiet: { loss: quiet[epoch - 1] },
      };
      return { validation: metrics as unknown as SplitMetrics };
    },
    onEpoch: (record) => {
      stopped.push(record['stopped']);
      rates.push(record.learningRate);
      states.push(readState(model));
    },
  });
  return { states, stopped, rates };
}

/** A modality's part of a state. */
const partOf = (modality: Modality, state: ReturnType<typeof readState>) =>
  Object.fromEntries(
    Object.entries(state).filter(
      ([name]) => name.startsWith(`${modality}/`) || name.startsWith(`head/${modality}`),
    ),
  );

describe('mses', () => {
  it('gives a modality its best weights back and lets the others go on', async () => {
    const { states, stopped } = await trained({ patience: 2 });
    // Best in epoch 2, so epoch 4 is its last.
    expect(partOf('loud', states[4]!)).toEqual(partOf('loud', states[2]!));
    expect(partOf('loud', states[3]!)).not.toEqual(partOf('loud', states[2]!));
    expect(partOf('loud', states[6]!)).toEqual(partOf('loud', states[2]!));
    expect(Object.keys(partOf('loud', states[6]!))).toContain('loud/bn/moving_mean');
    for (const epoch of [3, 4, 5, 6])
      expect(partOf('quiet', states[epoch]!)).not.toEqual(partOf('quiet', states[epoch - 1]!));
    expect(stopped).toEqual([0, 0, 0, 0, 1, 1].map((loud) => ({ loud, quiet: 0 })));
  });

  it('adds the unimodal losses with their weights, as in the paper only', async () => {
    const model = () => modelWith(sumFusion(options));
    const evaluate = async () => ({
      validation: { loud: { loss: 1 }, quiet: { loss: 1 } } as unknown as SplitMetrics,
    });
    const weights = { loud: 2, quiet: 0.5 };
    const [paper] = await run(model(), mses({ patience: 9, weights }), { batchSize: 60, evaluate });
    const { total, student, loud, quiet } = paper!.loss as Record<string, number>;
    expect(total).toBeCloseTo(student! + 2 * loud! + 0.5 * quiet!, 5);
    const [official] = await run(model(), mses({ patience: 9, reference: 'official' }), {
      batchSize: 60,
      evaluate,
    });
    expect(official!.loss).toEqual({
      total: expect.closeTo(student!, 5),
      student: expect.closeTo(student!, 5),
    });
  });

  it('takes everything back to the best epoch as the official code, and its gradients are 0 from then on', async () => {
    const { states } = await trained({ patience: 1, reference: 'official' });
    // Smoothed, the best is epoch 3, and epoch 5 its last.
    expect(states[5]).toEqual(states[3]);
    // Without momentum and decay nothing moves its weights, but its batch normalization goes on.
    const [now, then] = [states[6]!, states[3]!];
    expect(now['loud/dense/kernel']).toEqual(then['loud/dense/kernel']);
    expect(now['head/loud/kernel']).toEqual(then['head/loud/kernel']);
    expect(now['loud/bn/moving_mean']).not.toEqual(then['loud/bn/moving_mean']);
    expect(now['quiet/dense/kernel']).not.toEqual(then['quiet/dense/kernel']);
  });

  it('goes back to the learning rate that followed the best epoch, from which the schedule falls where it would have', async () => {
    const official = { patience: 1, reference: 'official' } as const;
    // Best in epoch 3, stopped after 5: epoch 6 has the rate of epoch 4, and the schedule's count goes on.
    const { rates } = await trained(official, { epochs: 7, after: [4, 6] });
    expect(rates).toEqual([0.1, 0.1, 0.1, 0.1, 0.05, 0.1, expect.closeTo(0.05, 12)]);
    // The fall that follows the best epoch is in it; one that falls to the epoch of the reload is not done again.
    expect((await trained(official, { epochs: 7, after: [3, 5] })).rates).toEqual([
      0.1,
      0.1,
      0.1,
      0.05,
      0.05,
      expect.closeTo(0.05, 12),
      expect.closeTo(0.05, 12),
    ]);
  });

  it('goes back to the first epoch if that was the best one, or as UR-Funny’s code stays', async () => {
    const loud = [1, 2, 3, 4];
    const official = { patience: 1, reference: 'official' } as const;
    const back = await trained(official, { epochs: 3, loud });
    expect(back.states[3]).toEqual(back.states[1]);
    const kept = await trained({ ...official, bestInFirstEpoch: 'keep' }, { epochs: 4, loud });
    expect(kept.states[3]!['quiet/dense/kernel']).not.toEqual(kept.states[1]!['quiet/dense/kernel']);
    expect(kept.stopped.at(-1)).toEqual({ loud: 1, quiet: 0 });
    expect(kept.states[4]!['loud/dense/kernel']).toEqual(kept.states[3]!['loud/dense/kernel']);
    expect(() => mses({ patience: 1, bestInFirstEpoch: 'keep' })).toThrow(
      /`bestInFirstEpoch` is "keep"; it must be left out/,
    );
  });

  it('lets momentum and decay act on what has gradients of 0', async () => {
    const { states } = await trained({ patience: 1, reference: 'official' }, { momentum: 0.9 });
    expect(states[5]).toEqual(states[3]);
    expect(states[6]!['loud/dense/kernel']).not.toEqual(states[3]!['loud/dense/kernel']);
  });

  it('acts in its window of epochs, both ends inside', async () => {
    const { states } = await trained({ patience: 1, reference: 'official', epochs: [1, 6] }, { epochs: 7 });
    expect(states[6]!['loud/dense/kernel']).toEqual(states[3]!['loud/dense/kernel']);
    expect(states[7]!['loud/dense/kernel']).not.toEqual(states[3]!['loud/dense/kernel']);
  });

  it('ends where all have stopped as the official code; changes no weight any more as in the paper', async () => {
    const official = await trained(
      { patience: 1, reference: 'official' },
      { epochs: 7, quiet: LOUD, momentum: 0.9 },
    );
    // Before the first epoch, and after each of five.
    expect(official.states).toHaveLength(6);
    for (const name of ['quiet/dense/kernel', 'loud/dense/kernel', 'head/loud/bias'])
      expect(official.states[5]![name]).toEqual(official.states[3]![name]);
    const paper = await trained({ patience: 2 }, { epochs: 7, quiet: LOUD });
    expect(paper.states[7]).toEqual(paper.states[2]);
  });

  it('needs validation losses of every epoch', async () => {
    await expect(run(modelWith(lateFusion(options)), mses<Modality>({ patience: 2 }))).rejects.toThrow(
      /"mses" reads the validation scores of every epoch; pass `evaluate`/,
    );
  });

  it('says what it does not accept', () => {
    expect(() => mses({ patience: 0 })).toThrow(/`patience` is 0/);
    expect(() => mses({ patience: 1, reference: 'new' as never })).toThrow(/`reference` is "new"/);
    expect(() => mses({ patience: 1, weights: -1 })).toThrow(/`weights` is -1/);
    expect(() => mses({ patience: 1, epochs: [1, 2] })).toThrow(
      /`epochs` is \[1,2\]; it must be left out with "reference" "paper"/,
    );
    expect(() => mses({ patience: 1, reference: 'official', weights: 2 })).toThrow(
      /`weights` is 2; it must be left out with "reference" "official"/,
    );
    expect(() => mses({ patience: 1, reference: 'official', epochs: [2, 1] })).toThrow(/`epochs` is \[2,1\]/);
  });
});
