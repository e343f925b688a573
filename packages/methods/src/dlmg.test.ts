import * as tf from '@tensorflow/tfjs';
import type { Batch, EpochRecord, Outputs, Probe, Step, Training } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { concatFusion, lateFusion } from '@g2d/fusion';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { readState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { data, modelWith, options, optimizer, run, type Modality } from '../test/dense-toy.js';
import { dlmg } from './dlmg.js';
import { exactGradient } from './learned-weights.js';
import { matchingLoss, unmatched } from './matching-loss.js';
import { fittedWeights, heuristicWeights } from './matching-weights.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const every = () => batches(data, { batchSize: 20 }) as AsyncIterable<Batch<Modality>>;

describe('the weights', () => {
  it('are the released polynomial: the reference values', () => {
    const values = [
      [0, 0.205],
      [10, 0.248],
      [50, 0.437],
      [100, 0.539],
      [150, 0.821],
      [175, 0.993],
      [199, 0.916],
    ] as const;
    for (const [e, expected] of values) {
      const { classification, matching } = fittedWeights(e + 1);
      expect(classification, `e = ${e}`).toBeCloseTo(expected, 3);
      expect(classification + matching).toBeCloseTo(1, 12);
    }
    const below = Array.from({ length: 200 }, (_, e) => e).filter((e) => fittedWeights(e + 1).matching < 0);
    expect([below[0], below.at(-1), below.length]).toEqual([177, 188, 12]);
  });

  it('are the heuristic, by hand, which falls', () => {
    expect(heuristicWeights(1).matching).toBeCloseTo(1 - 1 / Math.E, 12);
    expect(heuristicWeights(10).matching).toBeCloseTo(0.0951626, 6);
    expect(heuristicWeights(1).classification).toBeCloseTo(1 / Math.E, 12);
  });
});

describe('matchingLoss', () => {
  const step = (modalities: readonly string[], ids = ['x', 'y'], present?: object) =>
    ({
      model: { modalities },
      batch: { ids, present },
      allReduce: { processes: 1, sum: () => {} },
    }) as unknown as Step<string>;
  const outputs = (
    features: Record<string, tf.Tensor2D>,
    unimodalLogits: Record<string, tf.Tensor2D> = features,
  ) => ({ features, unimodalLogits, logits: features }) as unknown as Outputs<string>;
  const rows = (...values: number[][]) => tf.tensor2d(values);
  const divergence = { form: 'divergence' } as const;

  it('is the released divergence: the reference value, and 0 for equal predictions', () => {
    const of = (a: number[][], b: number[][]) =>
      matchingLoss(outputs({ a: rows(...a), b: rows(...b) }), step(['a', 'b']), divergence).dataSync()[0]!;
    expect(of([[1, 0]], [[0, 1]])).toBeCloseTo(0.120115, 5);
    expect(of([[3, -2]], [[3, -2]])).toBeCloseTo(0, 6);
    // Probabilities of 0 in float32: log p and log q are −500 where the other has 1, m is ½: ½ · 500 − log 2 of each, and half of both.
    expect(of([[500, 0]], [[0, 500]])).toBeCloseTo(250 - Math.LN2, 3);
    expect(of([[900, 0, -900]], [[900, 0, -900]])).toBeCloseTo(0, 6);
  });

  it('is contrastive, by hand, whatever the lengths', () => {
    // Cosines: a against b in both orders [[1, 0], [0.6, 0.8]] over τ = 0.5.
    const features = { a: rows([2, 0], [3, 4]), b: rows([0.5, 0], [0, 7]) };
    const loss = (s: number[][]) =>
      s.reduce((sum, row, i) => sum + Math.log(row.reduce((all, x) => all + Math.exp(x), 0)) - row[i]!, 0) /
      2;
    const s = [
      [2, 0],
      [1.2, 1.6],
    ];
    const transposed = [
      [2, 1.2],
      [0, 1.6],
    ];
    const contrastive = { form: 'contrastive', temperature: 0.5 } as const;
    const own = matchingLoss(outputs(features), step(['a', 'b']), contrastive);
    expect(own.dataSync()[0]).toBeCloseTo((loss(s) + loss(transposed)) / 2, 5);
    // No direction, no number that is none.
    const zero = tf.variable(tf.zeros([2, 2])) as tf.Tensor2D;
    const { grads } = tf.variableGrads(() =>
      matchingLoss(outputs({ ...features, a: zero }), step(['a', 'b']), contrastive),
    );
    expect([...Object.values(grads)[0]!.dataSync()].every(Number.isFinite)).toBe(true);
  });

  it('is the mean over pairs, whatever the order of the modalities', () => {
    const features = { a: rows([1, 0]), b: rows([0, 1]), c: rows([0, 1]) };
    for (const order of [
      ['a', 'b', 'c'],
      ['c', 'a', 'b'],
    ])
      expect(matchingLoss(outputs(features), step(order, ['x']), divergence).dataSync()[0]).toBeCloseTo(
        (2 * 0.120115) / 3,
        6,
      );
  });

  it.each([divergence, { form: 'contrastive', temperature: 1 } as const])(
    'is over the samples that have both: $form',
    (matching) => {
      const present = { a: tf.tensor1d([1, 0, 1]), b: tf.tensor1d([1, 1, 1]) };
      const features = { a: rows([1, 2], [9, 9], [0, -1]), b: rows([0, 1], [3, 3], [-2, 1]) };
      const kept = { a: rows([1, 2], [0, -1]), b: rows([0, 1], [-2, 1]) };
      const masked = matchingLoss(outputs(features), step(['a', 'b'], ['x', 'y', 'z'], present), matching);
      const alone = matchingLoss(outputs(kept), step(['a', 'b'], ['x', 'z']), matching);
      expectTensorClose(masked, [...alone.dataSync()], { atol: 1e-5 });
      const nobody = { a: tf.zeros([3]) };
      const none = step(['a', 'b'], ['x', 'y', 'z'], nobody);
      expect(matchingLoss(outputs(features), none, matching).dataSync()[0]).toBe(0);
      expect(unmatched(none, matching)).toEqual({ a: 1, b: 1 });
    },
  );

  it('counts who can be compared with nobody', () => {
    const contrastive = { form: 'contrastive', temperature: 1 } as const;
    const three = (present?: object) => step(['a', 'b', 'c'], ['x', 'y'], present);
    expect(unmatched(three(), contrastive)).toEqual({ a: 0, b: 0, c: 0 });
    const present = { a: tf.tensor1d([1, 0]) };
    expect(unmatched(three(present), contrastive)).toEqual({ a: 1, b: 0, c: 0 });
    expect(unmatched(three(present), divergence)).toEqual({ a: 0, b: 0, c: 0 });
    expect(unmatched(step(['a', 'b'], ['x']), contrastive)).toEqual({ a: 1, b: 1 });
  });

  it('says which features do not fit', () => {
    const features = { a: rows([1, 0]), b: rows([1, 0, 0]) };
    expect(() =>
      matchingLoss(outputs(features), step(['a', 'b'], ['x']), { form: 'contrastive', temperature: 1 }),
    ).toThrow(/not equally wide: a 2, b 3.*"divergence"/);
    const unequal = { ...options, widths: { loud: 5, quiet: 4 } };
    expect(() => dlmg<Modality>().fusion!(unequal)).toThrow(/not equally wide: loud 5, quiet 4/);
    const own = dlmg<Modality>({ width: 3 }).fusion!(unequal);
    const inputs = { loud: tf.ones([2, 4]), quiet: tf.ones([2, 4]) };
    const { features: projected } = modelWith(own).forward({ inputs }, { training: false });
    expect([projected.loud.shape, projected.quiet.shape]).toEqual([
      [2, 3],
      [2, 3],
    ]);
    expect(dlmg<Modality>({ matching: 'divergence' }).fusion!(unequal).widths).toEqual(unequal.widths);
  });
});

describe('exactGradient', () => {
  it('is what the loss on the held samples changes by', async () => {
    // The loss after one plain step with each of two weights, next to the derivative.
    const model = modelWith(lateFusion(options));
    const weights = { classification: 0.4, matching: 0.6 };
    const matching = { form: 'divergence' } as const;
    const ids = data.ids.slice(0, 9);
    const rate = 0.3;
    let gradient = NaN;
    let difference = NaN;
    await run(
      model,
      {
        name: 'looker',
        init: async (training: Training<Modality>) => {
          training.optimizer.learningRate = rate;
          const before = readState(model);
          gradient = (await exactGradient(
            training,
            { weights, matching, ids, factor: 2 },
            { epoch: 1, held: ids },
          ))!.gradient;
          expect(readState(model)).toEqual(before);
          const after = async (w: number): Promise<number> => {
            const snapshot = training.snapshot();
            for await (const batch of training.batches(1, ids)) {
              expect(batch.ids.some((id) => ids.includes(id))).toBe(false);
              training.probe(
                batch,
                (probe: Probe<Modality>) => {
                  const { gradients } = probe.valueAndGrads(() => {
                    const outputs = probe.forward({ runningStatistics: 'keep' });
                    const total = tf.addN([
                      tf.mul(probe.taskLoss(outputs.logits), 2 * (1 - w)),
                      tf.mul(matchingLoss(outputs, probe, matching), 2 * w),
                    ]) as tf.Scalar;
                    return { loss: { total }, outputs };
                  });
                  for (const { parameter, tensor } of gradients)
                    parameter.variable.assign(tf.sub(parameter.variable, tf.mul(tensor!, rate)));
                },
                { training: true },
              );
              tf.dispose(batch);
              break;
            }
            const held = await training.samples(ids);
            const loss = training.probe(
              held,
              (probe) => probe.taskLoss(probe.forward().logits).dataSync()[0]!,
            )!;
            tf.dispose(held);
            training.restore(snapshot);
            return loss;
          };
          difference = ((await after(0.65)) - (await after(0.55))) / 0.1;
        },
      },
      { everySample: every },
    );
    expect(Math.abs(gradient)).toBeGreaterThan(1e-3);
    expect(gradient / difference).toBeCloseTo(1, 1);
  });
});

describe('dlmg', () => {
  async function trained(
    own: Parameters<typeof dlmg>[0],
    { epochs = 3, ...others }: Partial<Parameters<typeof run<Modality>>[2]> = {},
  ) {
    const model = modelWith(lateFusion(options));
    const seen = new Set<string>();
    const method = dlmg<Modality>(own);
    const log = await run<Modality>(
      model,
      { ...method, plan: ({ batch }) => (batch.ids.forEach((id) => seen.add(id)), {}) },
      {
        epochs,
        everySample: every,
        optimizer: { ...optimizer, momentum: 0.9, schedule: { type: 'step', every: 2, ratio: 0.5 } },
        ...others,
      },
    );
    return { state: readState(model), log, seen };
  }
  const weightOf = (record: EpochRecord) =>
    (record['matchingWeight'] as Readonly<Record<string, number>>)['loud']!;

  it('adds the weighed losses, across epochs and a decay', async () => {
    for (const own of [
      { schedule: 'heuristic' },
      { schedule: 'fitted', reference: 'official' },
      { schedule: 'fixed', start: { classification: 0.3, matching: 0.5 }, factor: 3 },
    ] as const) {
      const { log } = await trained(own);
      const factor = own.schedule === 'heuristic' ? 1 : own.schedule === 'fitted' ? 2 : 3;
      log.forEach((record, i) => {
        const weights =
          own.schedule === 'heuristic'
            ? heuristicWeights(i + 1)
            : own.schedule === 'fitted'
              ? fittedWeights(i + 1)
              : own.start;
        const { student, matching, total } = record.loss as Readonly<Record<string, number>>;
        expect(weightOf(record)).toBeCloseTo(weights.matching, 12);
        expect(total).toBeCloseTo(
          factor * (weights.classification * student! + weights.matching * matching!),
          4,
        );
      });
    }
  });

  it('is joint training, bit for bit, without matching', async () => {
    const fixed = { schedule: 'fixed', start: { classification: 1, matching: 0 } } as const;
    const own = await trained(fixed);
    const model = modelWith(lateFusion(options));
    const same = {
      epochs: 3,
      optimizer: { ...optimizer, momentum: 0.9, schedule: { type: 'step', every: 2, ratio: 0.5 } },
    } as const;
    await run<Modality>(model, dlmg<Modality>(), { ...same, methods: [] });
    expect(own.state).toEqual(readState(model));
  });

  it('keeps fitted weights in [0, 1] but where the released code does not', async () => {
    const model = modelWith(lateFusion(options));
    for (const [reference, least] of [
      ['paper', 0],
      ['official', fittedWeights(183).matching],
    ] as const) {
      const { loss } = dlmg<Modality>({ schedule: 'fitted', reference });
      let logged = NaN;
      const inputs = { loud: tf.ones([2, 4]), quiet: tf.ones([2, 4]) };
      const step = {
        model,
        epoch: 183,
        batch: { ids: ['a', 'b'], inputs },
        allReduce: { processes: 1 },
        taskLoss: () => tf.scalar(1),
        log: (series: Record<string, Record<string, number>>) =>
          (logged = series['matchingWeight']?.['loud'] ?? logged),
      } as unknown as Step<Modality>;
      loss!(model.forward({ inputs }, { training: false }), step, {} as never);
      expect(logged).toBe(least);
    }
    expect(fittedWeights(183).matching).toBeLessThan(0);
  });

  it.each(['learnable', 'learnable-exact'] as const)(
    'learns weights on samples that nothing trains on: %s',
    async (schedule) => {
      const learning = { rate: 0.5, halvedEvery: 2, held: 12, used: 7 } as const;
      const before = tf.memory().numTensors;
      const { log, seen } = await trained({ schedule, learning }, { epochs: 5 });
      expect(seen.size).toBe(48);
      const weights = [0.95, ...log.map(weightOf)];
      log.forEach((record, i) => {
        const gradient = (record['weightGradient'] as Readonly<Record<string, number>>)['loud']!;
        expect(record['skippedUpdate']).toEqual({ loud: 0, quiet: 0 });
        // Halved before the third and the fifth epoch.
        const moved = weights[i]! - 0.5 * 0.5 ** Math.floor(i / 2) * gradient;
        expect(weights[i + 1], `epoch ${i + 1}`).toBeCloseTo(Math.min(0.95, Math.max(0.05, moved)), 8);
      });
      expect(new Set(weights).size).toBeGreaterThan(2);
      // A model: six of each encoder, two of each head.
      expect(tf.memory().numTensors - before).toBe(2 * 8);
    },
  );

  it('moves running statistics in the first update alone, as released', async () => {
    const frozen = {
      epochs: 2,
      optimizer: { ...optimizer, learningRate: 0 },
      batches: async function* () {},
    };
    const moved = async (reference: 'paper' | 'official') => {
      const model = modelWith(lateFusion(options));
      const mean = () => [...model.state().get('loud/bn/moving_mean')!.read().dataSync()];
      const first = mean();
      const training = { model, epochs: 2 };
      const seen: number[][] = [];
      const own = dlmg<Modality>({
        schedule: 'learnable',
        matching: 'divergence',
        reference,
        learning: { held: 12 },
      });
      await run<Modality>(
        model,
        {
          ...own,
          init: async (context: Training<Modality>) => {
            const state = await own.init!(context);
            seen.push(mean());
            return state;
          },
          plan: () => ({ inference: () => true }),
          epoch: async (record, context, state) => {
            await own.epoch!(record, context, state);
            seen.push(mean());
          },
        },
        { ...training, everySample: every, optimizer: frozen.optimizer },
      );
      return { same: seen[0]!.join() === first.join(), later: seen[1]!.join() === seen[0]!.join() };
    };
    expect(await moved('official')).toEqual({ same: false, later: true });
    expect(await moved('paper')).toEqual({ same: true, later: true });
  });

  it('learns with any fusion, and a regression by its features', async () => {
    for (const fusion of [concatFusion(options), dlmg<Modality>().fusion!(options)]) {
      const log = await run<Modality>(modelWith(fusion), dlmg({ schedule: 'heuristic' }), { epochs: 8 });
      expect(log.at(-1)!.loss['student']).toBeLessThan(log[0]!.loss['student']!);
    }
    const target = async function* () {
      for await (const { labels, ...batch } of every()) {
        const scaled = tf.tidy(() => tf.div(tf.cast(labels, 'float32'), 2) as tf.Tensor1D);
        labels.dispose();
        yield { ...batch, labels: scaled };
      }
    };
    const one = { ...options, classes: 1 };
    const regression = { task: 'regression', batches: target, everySample: target } as const;
    for (const schedule of ['heuristic', 'learnable', 'learnable-exact'] as const) {
      const log = await run<Modality>(modelWith(lateFusion(one)), dlmg({ schedule }), {
        ...regression,
        epochs: 2,
      });
      expect(log.every(({ loss }) => Object.values(loss).every(Number.isFinite))).toBe(true);
    }
    await expect(
      run<Modality>(modelWith(lateFusion(one)), dlmg({ reference: 'official' }), regression),
    ).rejects.toThrow(
      /compares probabilities of classes that exclude each other, which a regression has not/,
    );
  });

  it('counts updates that it cannot make', async () => {
    const everySample = async function* () {
      for await (const batch of every())
        yield { ...batch, present: { loud: tf.zeros<tf.Rank.R1>([20]), quiet: tf.zeros<tf.Rank.R1>([20]) } };
    };
    const { log } = await trained({ schedule: 'learnable' }, { everySample, epochs: 2 });
    expect(log.map((record) => record['skippedUpdate'])).toEqual([
      { loud: 1, quiet: 1 },
      { loud: 1, quiet: 1 },
    ]);
    for (const record of log) expect(weightOf(record)).toBeCloseTo(0.95, 12);
  });

  it('says what does not fit', async () => {
    await expect(trained({ schedule: 'fitted' }, { epochs: 201 })).rejects.toThrow(
      /fitted weights are for 200 epochs; the training has 201/,
    );
    await expect(trained({ schedule: 'learnable', learning: { held: 60 } })).rejects.toThrow(
      /holds 60 samples out .* which has 60/,
    );
    await expect(trained({ schedule: 'learnable' }, { everySample: undefined })).rejects.toThrow(
      /pass `everySample`/,
    );
    await expect(trained({ schedule: 'learnable', learning: { parameter: 'x' } })).rejects.toThrow(
      /`learning.parameter` of DLMG is x, which the model does not have/,
    );
    const alone = modelWith(lateFusion<'loud'>({ widths: { loud: 5 }, classes: 3, seed: 0 }));
    await expect(run<'loud'>(alone, dlmg<'loud'>())).rejects.toThrow(/needs 2 modalities or more/);
    expect(() => dlmg({ schedule: 'fitted', start: { classification: 1, matching: 0 } })).toThrow(/`start`/);
    expect(() => dlmg({ schedule: 'fitted', learning: { held: 4 } })).toThrow(/`learning`/);
    expect(() => dlmg({ reference: 'official', temperature: 1 })).toThrow(/`temperature`/);
    expect(() => dlmg({ schedule: 'learnable', learning: { used: 17 } })).toThrow(/`learning.used`/);
  });
});
