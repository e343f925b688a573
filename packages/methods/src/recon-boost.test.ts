import * as tf from '@tensorflow/tfjs';
import type { EpochRecord, Method, Step } from '@g2d/core';
import { lateFusion } from '@g2d/fusion';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { frozenTeachers, readState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelWith, options, optimizer, run, type Modality } from '../test/dense-toy.js';
import { boostFusion } from './boost-fusion.js';
import { boostingLoss } from './boost-passes.js';
import { reconBoost } from './recon-boost.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Options = Parameters<typeof reconBoost>[0];
const short = { boostEpochs: 1, rectifyEpochs: 1 };
const modelOf = (given: Options) => modelWith(reconBoost<Modality>(given).fusion!(options));

/** Trains, and gives the state before the first epoch and after each. */
async function trained(given: Options, { epochs = 4, ...others } = {}) {
  const model = modelOf(given);
  const states = [readState(model)];
  const log: EpochRecord[] = [];
  await run<Modality>(model, reconBoost(given), {
    epochs,
    optimizer: { ...optimizer, momentum: 0.9, schedule: { type: 'step', every: 1 } },
    onEpoch: (record) => {
      states.push(readState(model));
      rates.push(record.learningRate);
      log.push(record);
    },
    ...others,
  });
  return { model, states, log };
}
let rates: number[] = [];

/** Names of what an epoch changed, running statistics aside. */
const changed = (states: Awaited<ReturnType<typeof trained>>['states'], epoch: number): string[] =>
  Object.keys(states[0]!)
    .filter((name) => !name.includes('moving'))
    .filter((name) => states[epoch]![name]!.values.join() !== states[epoch - 1]![name]!.values.join());

describe('boostingLoss', () => {
  const labels = tf.tensor1d([0], 'int32');
  const step = {
    batch: { labels, ids: ['a'] },
    allReduce: { processes: 1, sum: () => {} },
  } as unknown as Step<Modality>;
  const withProbability = (p: number) =>
    tf.log(tf.tensor2d([[p, ...Array.from({ length: 5 }, () => (1 - p) / 5)]])) as tf.Tensor2D;
  const settings = {
    weight1: 5,
    weight2: 1,
    alpha: 0.5,
    reference: 'official',
    boosted: 'loud',
    previous: 'quiet',
  } as const;
  const of = (outputs: object) => boostingLoss(outputs as never, step, settings);
  const unimodalLogits = { loud: withProbability(0.2), quiet: withProbability(0.5) };

  it('is the reference value', () => {
    // C 6, w_1 5, w_2 1: (5 − 0.9) / 6 · −log 0.2.
    const { total } = of({ unimodalLogits, others: withProbability(0.9) });
    expectTensorClose(total, [1.099783], { atol: 1e-5 });
    // Nobody else: (5 − 1) / 6.
    expectTensorClose(of({ unimodalLogits }).total, [(4 / 6) * -Math.log(0.2)], { atol: 1e-5 });
  });

  it('adds the agreement: the mean over the classes of the squared distances', () => {
    const { boosting, agreement, total } = of({
      unimodalLogits,
      others: withProbability(0.9),
      before: withProbability(0.5),
    });
    // 0.3² + 5 · (0.16 − 0.1)², over 6.
    expectTensorClose(agreement!, [(0.09 + 5 * 0.0036) / 6], { atol: 1e-6 });
    expectTensorClose(total, [boosting!.dataSync()[0]! + agreement!.dataSync()[0]! / 2], { atol: 1e-6 });
  });
});

describe('reconBoost', () => {
  it('trains one encoder and the head, then all in the ensemble and the rate', async () => {
    const { states, log } = await trained({ ...short, hidden: 4 });
    const head = ['head/hidden/bias', 'head/hidden/kernel', 'head/shared/bias', 'head/shared/kernel'];
    const encoder = (m: Modality) => [
      `${m}/bn/beta`,
      `${m}/bn/gamma`,
      `${m}/dense/bias`,
      `${m}/dense/kernel`,
    ];
    const without = (names: string[]) => names.filter((name) => !name.endsWith('dense/bias')).sort();
    expect(log.map(({ stage }) => stage)).toEqual([
      '1: boosting loud',
      '1: rectifying',
      '2: boosting quiet',
      '2: rectifying',
    ]);
    expect(without(changed(states, 1))).toEqual(without([...encoder('loud'), ...head]));
    expect(without(changed(states, 2))).toEqual(without([...encoder('loud'), ...head, 'fusion/rate/kernel']));
    expect(without(changed(states, 3))).toEqual(without([...encoder('quiet'), ...head]));
    expect(without(changed(states, 4))).toEqual(
      without([...encoder('loud'), ...encoder('quiet'), ...head, 'fusion/rate/kernel']),
    );
    expect(Object.keys(log[2]!.loss).sort()).toEqual(['agreement', 'boosting', 'total']);
    expect(Object.keys(log[0]!.loss).sort()).toEqual(['boosting', 'total']);
    const unagreed = await trained({ ...short, alpha: 0 });
    expect(Object.keys(unagreed.log[2]!.loss).sort()).toEqual(['boosting', 'total']);
  });

  it('leaves the statistics of the others alone, or moves them as the released code', async () => {
    const name = 'loud/bn/moving_mean';
    const paper = await trained(short);
    expect(paper.states[3]![name]).toEqual(paper.states[2]![name]);
    const official = await trained({ ...short, reference: 'official' });
    expect(official.states[3]![name]).not.toEqual(official.states[2]![name]);
  });

  it('has learning rates of its own in place of the schedule', async () => {
    rates = [];
    await trained({ ...short, rectifyRate: 0.5, decay: { every: 1, ratio: 0.1 } }, { epochs: 6 });
    const expected = [0.1, 0.05, 0.01, 0.005, 0.001, 0.0005];
    rates.forEach((rate, i) => expect(rate).toBeCloseTo(expected[i]!, 10));
    expect(rates).toHaveLength(6);
  });

  it('begins with the teachers’ encoders and heads, each frozen until its turn', async () => {
    const given = { ...short, pretrained: true } as const;
    const teacher = <M extends Modality>(m: M) => {
      const model = modelWith(lateFusion({ widths: { [m]: 5 } as Record<M, number>, classes: 3, seed: 7 }));
      return model;
    };
    const teachers = frozenTeachers<Modality>({ loud: teacher('loud'), quiet: teacher('quiet') });
    const { states, model } = await trained(given, { teachers } as never);
    const head = readState(teachers.unimodal('quiet') as never)['head/quiet/kernel'];
    expect(Object.keys(states[0]!)).not.toContain('head/loud/kernel');
    expect(states[4]!['head/quiet/kernel']).toEqual(head);
    expect(changed(states, 2)).toEqual(expect.arrayContaining(['loud/dense/kernel', 'quiet/dense/kernel']));
    expect(model.modalities).toEqual(['loud', 'quiet']);
    await expect(trained(given)).rejects.toThrow(/this run has none; pass `teachers`/);
    teachers.dispose();
  });

  it('learns, leaves no tensors, and predicts with one modality too', async () => {
    const model = modelOf(short);
    const before = tf.memory().numTensors;
    const log = await run<Modality>(model, reconBoost(short), { epochs: 12 });
    expect(tf.memory().numTensors).toBe(before);
    expect(log.at(-1)!.train['fused']).toBeGreaterThan(85);
    const alone = modelWith(
      boostFusion<'loud'>({ widths: { loud: 5 }, classes: 3, seed: 0 }, { hidden: undefined, ownHeads: [] }),
    );
    const single = await run(alone, reconBoost<'loud'>(short) as Method<'loud'>, { epochs: 4 });
    expect(single).toHaveLength(4);
    expect(single.every(({ loss }) => Object.values(loss).every(Number.isFinite))).toBe(true);
  });

  it('is exported as standard layers', () => {
    const model = modelOf({ hidden: 4 });
    model
      .state()
      .get('fusion/rate/kernel')!
      .write(tf.tensor2d([[0.5]]));
    const inputs = { loud: tf.randomNormal([2, 4]), quiet: tf.randomNormal([2, 4]) };
    const { logits, unimodalLogits } = model.forward({ inputs }, { training: false });
    const [z, u] = model.toLayersModel().predict([inputs.loud, inputs.quiet]) as tf.Tensor[];
    expectTensorClose(z!, [...logits.dataSync()], { atol: 1e-5 });
    expectTensorClose(u!, [...unimodalLogits.loud.dataSync()], { atol: 1e-5 });
    expectTensorClose(
      logits,
      [...tf.mul(tf.add(unimodalLogits.loud, unimodalLogits.quiet), 0.5).dataSync()],
      { atol: 1e-5 },
    );
  });

  it('says what does not fit', async () => {
    await expect(trained(short, { epochs: 3 })).rejects.toThrow(
      /stages of 2 epochs \(1 and 1\), but the training has 3/,
    );
    await expect(trained({ ...short, order: ['loud'] })).rejects.toThrow(/`order` of ReconBoost has loud/);
    await expect(
      run(modelWith(lateFusion(options)), reconBoost<Modality>(short), { epochs: 2 }),
    ).rejects.toThrow(/Build the model's fusion with the method's own/);
    expect(() => reconBoost<Modality>({}).fusion!({ ...options, widths: { loud: 5, quiet: 4 } })).toThrow(
      /not equally wide: loud 5, quiet 4/,
    );
  });
});
