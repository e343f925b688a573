import * as tf from '@tensorflow/tfjs';
import type { Fusion, Method, Step } from '@g2d/core';
import { lateFusion } from '@g2d/fusion';
import { batches } from '@g2d/datasets';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { readState, train } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { both, data, modelWith, optimizer, options, run, type Modality } from '../test/dense-toy.js';
import { greedy } from './greedy.js';
import { learningSpeed } from './learning-speeds.js';
import { mmtmFusion, type MmtmOutputs } from './mmtm-fusion.js';
import { tooFast } from './rebalancing.js';
import { NO_MEAN, withStep } from './running-mean.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Series = Readonly<Record<string, Readonly<Record<Modality, number>> | undefined>>;
const fusion = (): Fusion<Modality> => mmtmFusion<Modality>(options, { ratio: 4 });

describe('mmtmFusion', () => {
  const features = {
    a: tf.tensor2d([
      [1, -2],
      [3, 1],
    ]),
    b: tf.tensor2d([[4], [-1]]),
  };
  const small = () => {
    const made = mmtmFusion({ widths: { a: 2, b: 1 }, classes: 1, seed: 0 }, { ratio: 3 });
    const set = (name: string, kernel: number[][], bias: number[]): void =>
      made.layers
        .find(({ layer }) => layer.name === name)!
        .layer.setWeights([tf.tensor2d(kernel), tf.tensor1d(bias)]);
    // 2 · 3 / 3 = 2 hidden units.
    set(
      'fusion/squeeze',
      [
        [1, 0],
        [0, 1],
        [0.5, -1],
      ],
      [0, 1],
    );
    set(
      'fusion/excite/a',
      [
        [0.1, 0],
        [0, 0.2],
      ],
      [0, 0.3],
    );
    set('fusion/excite/b', [[-0.2], [1]], [0.4]);
    set('head/a', [[1], [2]], [0.5]);
    set('head/b', [[-1]], [0]);
    return made;
  };
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  /** u_a and u_b of a sample. */
  const byHand = ([a0, a1]: readonly [number, number], b: number): [number, number] => {
    const [h0, h1] = [Math.max(0, a0 + 0.5 * b), Math.max(0, a1 - b + 1)];
    const [e0, e1, eb] = [sigmoid(0.1 * h0), sigmoid(0.2 * h1 + 0.3), sigmoid(-0.2 * h0 + h1 + 0.4)];
    return [e0 * a0 + 2 * e1 * a1 + 0.5, -eb * b];
  };

  it('is the formula', () => {
    const { logits, unimodalLogits } = small().apply(features, { training: false });
    const [[a0, b0], [a1, b1]] = [byHand([1, -2], 4), byHand([3, 1], -1)];
    expectTensorClose(unimodalLogits.a, [a0, a1], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.b, [b0, b1], { atol: 1e-6 });
    expectTensorClose(logits, [(a0 + b0) / 2, (a1 + b1) / 2], { atol: 1e-6 });
  });

  it('takes zeros for what is absent, whatever stands there', () => {
    const given = { a: features.a, b: tf.tensor2d([[NaN], [-1]]) };
    const present = { b: tf.tensor1d([0, 1]) };
    const { logits, unimodalLogits } = small().apply(given, { training: false, present });
    const [[a0], [a1, b1]] = [byHand([1, -2], 0), byHand([3, 1], -1)];
    expectTensorClose(unimodalLogits.a, [a0, a1], { atol: 1e-6 });
    expectTensorClose(logits, [a0, (a1 + b1) / 2], { atol: 1e-6 });
  });

  it('is exported as standard layers', () => {
    const model = modelWith(fusion());
    const inputs = both.map(
      (m, i) => tf.randomNormal([3, 4], 0, 1, 'float32', i + 1).arraySync() as number[][],
    );
    const tensors = inputs.map((rows) => tf.tensor2d(rows));
    const [z, loud, quiet] = model.toLayersModel().predict(tensors) as tf.Tensor[];
    const expected = model.forward(
      { inputs: { loud: tensors[0]!, quiet: tensors[1]! } },
      { training: false },
    );
    expectTensorClose(z!, expected.logits, { atol: 1e-5 });
    expectTensorClose(loud!, expected.unimodalLogits.loud, { atol: 1e-5 });
    expectTensorClose(quiet!, expected.unimodalLogits.quiet, { atol: 1e-5 });
  });
});

describe('speeds', () => {
  it('are logarithms to the base 10, and nothing before anything moved', () => {
    expect(learningSpeed({ own: 2, context: 0.02 })).toBeCloseTo(-2, 12);
    expect(learningSpeed({ own: 0, context: 1 })).toBeNaN();
    expect(learningSpeed({ own: 1, context: 0 })).toBeNaN();
  });

  it('are compared first with last, of those that are known', () => {
    expect(tooFast({ a: 0.3, b: 0.1 }, 0.19)).toBe('a');
    expect(tooFast({ a: 0.3, b: 0.1 }, 0.21)).toBeUndefined();
    expect(tooFast({ a: 0.3, b: 0.5, c: 0.1 }, 0.3)).toBe('b');
    expect(tooFast({ a: NaN, b: 0.5, c: 0.1 }, 0.3)).toBe('b');
    expect(tooFast({ a: NaN, b: 0.5 }, 0)).toBeUndefined();
    expect(tooFast({ a: 0.2, b: 0.2 }, 0)).toBeUndefined();
  });
});

describe('withStep', () => {
  const alone = { processes: 1, sum: () => {} };

  it('is the mean of means, of the samples that count', () => {
    const first = withStep(NO_MEAN, tf.tensor2d([[1], [3]]), { present: undefined, allReduce: alone });
    expect(first).toEqual({ steps: 1, mean: Float32Array.of(2) });
    const present = tf.tensor1d([0, 1]);
    const second = withStep(first, tf.tensor2d([[NaN], [8]]), { present, allReduce: alone });
    expect(second).toEqual({ steps: 2, mean: Float32Array.of(5) });
    const nobody = tf.tensor1d([0, 0]);
    expect(withStep(second, tf.tensor2d([[1], [8]]), { present: nobody, allReduce: alone })).toEqual(second);
  });
});

describe('greedy', () => {
  /** One step an epoch, so that the log has each of them. */
  const steps = { batchSize: 60 };

  interface Seen {
    readonly outputs: MmtmOutputs<Modality>;
    /** ‖∇‖² / ‖θ‖² of each modality, by the released code's rule: what an `mmtm` has by its name, or for all. */
    readonly context: Record<Modality, number>;
    readonly main: Record<Modality, number>;
    readonly labels: readonly number[];
    readonly head: Record<Modality, { kernel: number[][]; bias: number[] }>;
  }

  /** Looks at every step after the method. */
  const watch = (seen: Seen[]): Method<Modality> => ({
    name: 'watch',
    edit(gradients, outputs, step: Step<Modality>) {
      const squares = (tensor: tf.Tensor): number =>
        Array.from(tensor.dataSync<'float32'>()).reduce((sum, x) => sum + x * x, 0);
      const ratio = (isPart: (name: string) => boolean): number => {
        const part = gradients.filter(({ parameter }) => isPart(parameter.name));
        const gradient = part.reduce((sum, { tensor }) => sum + (tensor ? squares(tensor) : 0), 0);
        return gradient / part.reduce((sum, { parameter }) => sum + squares(parameter.variable), 0);
      };
      const of = <T>(value: (m: Modality) => T) => ({ loud: value('loud'), quiet: value('quiet') });
      const weights = (m: Modality) => {
        const [kernel, bias] = ['kernel', 'bias'].map(
          (part) => step.model.parameters.find(({ name }) => name === `head/${m}/${part}`)!.variable,
        );
        return { kernel: kernel!.arraySync() as number[][], bias: bias!.arraySync() as number[] };
      };
      const plain = (tensors: Readonly<Record<Modality, tf.Tensor2D>>) =>
        of((m) => tensors[m].arraySync()) as never;
      const { excitations, features } = outputs as MmtmOutputs<Modality>;
      seen.push({
        outputs: { excitations: plain(excitations), features: plain(features) } as never,
        context: of((m) =>
          ratio((name) => name.startsWith('fusion/squeeze/') || name.startsWith(`fusion/excite/${m}/`)),
        ),
        main: of((m) => ratio((name) => name.startsWith(`${m}/`) || name.startsWith(`head/${m}/`))),
        labels: [...step.batch.labels.dataSync()],
        head: of(weights),
      });
      return gradients;
    },
  });

  async function watched(own: Parameters<typeof greedy>[0], epochs: number) {
    const seen: Seen[] = [];
    const log: Record<string, unknown>[] = [];
    await train<Modality>({
      model: modelWith(fusion()),
      methods: [greedy<Modality>(own), watch(seen)],
      epochs,
      optimizer,
      batchesPerEpoch: 1,
      batches: (epoch, startBatch) => batches(data, { batchSize: 60, epoch, startBatch }) as never,
      onEpoch: (record) => void log.push(record as never),
    });
    return { seen, log: log as unknown as readonly (Series & { readonly loss: Record<string, number> })[] };
  }

  // The released code's callback, step by step: it looks after the backward pass, for the steps that follow.
  it('re-balances when and whom the released code does', async () => {
    const [epsilon, windowsize] = [0.01, 3];
    const { seen, log } = await watched({ tolerance: epsilon, window: windowsize, from: 3 }, 16);
    const bypass = { loud: 0, quiet: 0 };
    const main = { loud: 0, quiet: 0 };
    let mode: Modality | undefined;
    let count = 0;
    const expected = seen.map(({ context, main: own }, i) => {
      const now = mode;
      if (mode === undefined || i < 2) {
        for (const m of both) {
          bypass[m] += context[m];
          main[m] += own[m];
        }
        const difference = Math.log10(bypass.loud / main.loud) - Math.log10(bypass.quiet / main.quiet);
        if (i >= 2 && Math.abs(difference) > epsilon) {
          mode = difference > 0 ? 'loud' : 'quiet';
          count = 0;
        }
      } else if (++count === windowsize) mode = undefined;
      return { speeds: both.map((m) => Math.log10(bypass[m] / main[m])), now };
    });
    expect(log.map((record) => both.find((m) => record['rebalanced']![m] === 1))).toEqual(
      expected.map(({ now }) => now),
    );
    expect(expected.filter(({ now }) => now)).not.toHaveLength(0);
    log.forEach((record, i) =>
      both.forEach((m, j) => expect(record['learningSpeeds']![m]).toBeCloseTo(expected[i]!.speeds[j]!, 4)),
    );
  });

  it.each(['paper', 'official'] as const)(
    'gives a branch the mean of the excitations so far, this step’s too: %s',
    async (reference) => {
      const { seen, log } = await watched({ tolerance: 0, window: 2, from: 1, reference }, 6);
      const of = (step: Seen, m: Modality, what: 'features' | 'excitations') =>
        step.outputs[what][m] as unknown as number[][];
      const meanOf = (rows: number[][]) =>
        rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length);
      let times = 0;
      seen.forEach((step, t) => {
        const m = both.find((name) => log[t]!['rebalanced']![name] === 1);
        const before = seen.slice(0, t + 1);
        for (const branch of both) {
          const means = before.map((other) =>
            meanOf(of(other, reference === 'official' ? 'loud' : branch, 'excitations')),
          );
          const mean = meanOf(means);
          const { kernel, bias } = step.head[branch];
          const losses = of(step, branch, 'features').map((row, i) => {
            const excitation = m === branch ? mean : of(step, branch, 'excitations')[i]!;
            const logits = bias.map(
              (b, c) => b + row.reduce((sum, f, d) => sum + f * excitation[d]! * kernel[d]![c]!, 0),
            );
            const total = Math.log(logits.reduce((sum, u) => sum + Math.exp(u), 0));
            return total - logits[step.labels[i]!]!;
          });
          expect(log[t]!.loss[branch]).toBeCloseTo(meanOf(losses.map((loss) => [loss]))[0]!, 4);
        }
        if (m) times += 1;
      });
      expect(times).toBeGreaterThan(2);
    },
  );

  it('is the network alone with `steps` none, and where no difference is large enough, bit for bit', async () => {
    const alone: Method<Modality> = {
      name: 'alone',
      loss({ unimodalLogits }, step) {
        const losses = both.map((m) => step.taskLoss(unimodalLogits[m], m));
        return { total: tf.addN(losses) as tf.Scalar };
      },
    };
    const weights = await Promise.all(
      [alone, greedy<Modality>({ steps: 'none' }), greedy<Modality>({ tolerance: 1e6 })].map(
        async (method) => {
          const model = modelWith(fusion());
          await run(model, method, { epochs: 4 });
          return readState(model);
        },
      ),
    );
    expect(weights[1]).toEqual(weights[0]);
    expect(weights[2]).toEqual(weights[0]);
    const model = modelWith(fusion());
    await run(model, greedy<Modality>({ tolerance: 0 }), { epochs: 4 });
    expect(readState(model)).not.toEqual(weights[0]);
  });

  it('draws each step with `steps` random, from its first epoch on', async () => {
    const log = (await run(modelWith(fusion()), greedy<Modality>({ steps: 'random', from: 2 }), {
      epochs: 60,
      ...steps,
    })) as unknown as Series[];
    const drawn = log.map((record) => both.find((m) => record['rebalanced']![m] === 1) ?? 'none');
    expect(drawn.slice(0, 2)).toEqual(['none', 'none']);
    for (const which of [...both, 'none']) {
      const count = drawn.filter((one) => one === which).length;
      expect(count).toBeGreaterThan(8);
      expect(count).toBeLessThan(36);
    }
  });

  it('logs how much less often a branch is right without the others', async () => {
    const log = (await run(modelWith(fusion()), greedy<Modality>(), { epochs: 12 })) as unknown as Series[];
    for (const m of both) log.forEach((record) => expect(record['utilization']![m]).toBeLessThanOrEqual(1));
    // Excitations that do not depend on anything: nobody uses the others.
    const blind = modelWith(fusion());
    for (const [name, weight] of blind.state())
      if (name.startsWith('fusion/excite/')) weight.write(tf.zeros(weight.shape as number[]));
    const [first] = (await run(blind, greedy<Modality>(), { epochs: 1, ...steps })) as unknown as Series[];
    expect(first!['utilization']).toEqual({ loud: 0, quiet: 0 });
  });

  it('does not move a modality that no sample has', async () => {
    const absent = async function* () {
      for await (const batch of batches(data, { batchSize: 60 }))
        yield { ...batch, present: { quiet: tf.zeros([60]) } };
    } as never;
    const [, log] = (await run(modelWith(fusion()), greedy<Modality>({ tolerance: 0, from: 1 }), {
      epochs: 2,
      batches: absent,
      ...steps,
    })) as unknown as Series[];
    expect([Number.isFinite(log!['learningSpeeds']!.loud), log!['learningSpeeds']!.quiet]).toEqual([
      true,
      NaN,
    ]);
    expect(log!['rebalanced']).toEqual({ loud: 0, quiet: 0 });
  });

  it('sees a step on several batches as one, with the means of each', async () => {
    const log = (await run(modelWith(fusion()), greedy<Modality>({ tolerance: 0, from: 1, window: 1 }), {
      batchSize: 20,
      accumulate: 3,
      epochs: 4,
      batchesPerEpoch: 3,
    })) as unknown as Series[];
    // One step an epoch: re-balanced in every other one.
    const counts = log.map((record) => both.filter((m) => record['rebalanced']![m] === 1).length);
    expect(counts).toEqual([0, 1, 0, 1]);
  });

  it('trains three modalities, and a regression', async () => {
    const three = { loud: 5, quiet: 5, third: 4 };
    const made = mmtmFusion({ widths: three, classes: 3, seed: 0 }, { ratio: 4 });
    const given = Object.fromEntries(
      Object.entries(three).map(([m, width]) => [m, tf.ones<tf.Rank.R2>([2, width])]),
    ) as Record<keyof typeof three, tf.Tensor2D>;
    expect(made.apply(given, { training: false }).logits.shape).toEqual([2, 3]);
    const model = modelWith(mmtmFusion<Modality>({ ...options, classes: 1 }, { ratio: 4 }));
    const targets = async function* () {
      for await (const { labels, ...batch } of batches(data, { batchSize: 20 })) {
        yield { ...batch, labels: tf.div(labels, 2) };
        labels.dispose();
      }
    } as never;
    const [record] = await run(model, greedy<Modality>(), { task: 'regression', batches: targets });
    expect(record).toMatchObject({ learningSpeeds: { loud: expect.any(Number), quiet: expect.any(Number) } });
    expect(record).not.toHaveProperty('utilization');
  });

  it('says what it cannot work with', async () => {
    await expect(run(modelWith(lateFusion(options)), greedy<Modality>())).rejects.toThrow(
      /Build the model's fusion with the method's own `fusion`/,
    );
    const alone = modelWith(mmtmFusion({ widths: { loud: 5 }, classes: 3, seed: 0 }, { ratio: 4 }));
    await expect(run(alone, greedy<'loud'>())).rejects.toThrow(/needs 2 modalities or more/);
    const unequal = modelWith(
      mmtmFusion<Modality>({ ...options, widths: { loud: 5, quiet: 4 } }, { ratio: 4 }),
    );
    await expect(run(unequal, greedy<Modality>({ reference: 'official' }))).rejects.toThrow(
      /not equally wide: 5, 4/,
    );
    expect(() => greedy({ window: 0 })).toThrow(/window/);
  });
});
