import * as tf from '@tensorflow/tfjs';
import { batches } from '@g2d/datasets';
import { perModality } from '@g2d/core';
import { initializeWeights } from '@g2d/encoders';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { beforeAll, describe, expect, it } from 'vitest';
import { both, data, modelWith, options, run, type Modality } from '../test/dense-toy.js';
import { adamChange, balanceGradient, slowness, type AdamMoments } from './logit-weights.js';
import { olm } from './olm.js';
import { separateLinearHeads } from './separate-heads.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const model = () => modelWith(separateLinearHeads(options));

describe('slowness', () => {
  it('is how much of the first loss is left, by the mean of all', () => {
    // 0.5 and 0.25 left.
    expect(slowness({ fused: 1, a: 0.5 }, { fused: 2, a: 2 })).toEqual({ fused: 4 / 3, a: 2 / 3 });
    expect(slowness({ fused: 0, a: 0 }, { fused: 0, a: 0 })).toEqual({ fused: 1, a: 1 });
  });
});

describe('balanceGradient', () => {
  it('pulls each weighed norm to its share of their mean, by hand', () => {
    // w n: 6 and 2, mean 4; 4 · 1.25 = 5 and 4 · 0.75 = 3.
    const found = balanceGradient({ fused: 3, a: 4 }, { fused: 2, a: 0.5 }, { fused: 1.25, a: 0.75 });
    expect(found).toEqual({ fused: 3, a: -4 });
    // As long as it should be.
    expect(balanceGradient({ fused: 3 }, { fused: 2 }, { fused: 1 })).toEqual({ fused: 0 });
  });
});

describe('adamChange', () => {
  it('is as PyTorch’s Adam over two steps, by hand', () => {
    const start: AdamMoments = { mean: 0, square: 0, steps: 0 };
    const first = adamChange(start, 4, 0.01);
    expect(first.change).toBeCloseTo(-0.01, 8);
    // mean 0.36 − 0.2 = 0.16, by 0.19; square 0.015984 + 0.004 = 0.019984, by 0.001999.
    const second = adamChange(first.moments, -2, 0.01);
    expect(second.change).toBeCloseTo((-0.01 * (0.16 / 0.19)) / Math.sqrt(0.019984 / 0.001999), 8);
  });
});

describe('olm', () => {
  const weightsOf = (record: unknown) => (record as { logitWeights: Record<Modality, number> }).logitWeights;
  /** Its state after every epoch. */
  interface Seen {
    readonly moments: Record<string, AdamMoments>;
    readonly first: Record<string, number>;
  }
  const watched = (seen: Seen[]) => {
    const method = olm<Modality>({ weightRate: 0.05 });
    return {
      ...method,
      epoch: (_: unknown, __: unknown, state: unknown) => void seen.push(structuredClone(state) as Seen),
    } as typeof method;
  };

  it('moves a weight against its gradient, computed from the model’s own logits', async () => {
    const z: Record<string, number[][]> = {};
    let labels: Iterable<number> = [];
    for await (const batch of batches(data, { batchSize: 60 })) {
      const { logits, unimodalLogits } = model().forward(
        { inputs: batch.inputs as never },
        { training: true },
      );
      for (const [head, all] of Object.entries({ fused: logits, ...unimodalLogits }))
        z[head] = all.arraySync();
      labels = batch.labels.dataSync();
    }
    const ones = { fused: 1, loud: 1, quiet: 1 };
    const gradient: Record<string, number> = { fused: 0, loud: 0, quiet: 0 };
    [...labels].forEach((label, i) => {
      const norms = Object.fromEntries(
        Object.entries(z).map(([head, all]) => [head, Math.hypot(...all[i]!)]),
      );
      const pull = balanceGradient(norms, ones, ones);
      for (const [head, all] of Object.entries(z)) {
        const u = all[i]!;
        const sum = u.reduce((total, x) => total + Math.exp(x), 0);
        const slope = u.reduce((total, x, j) => total + (Math.exp(x) / sum - Number(j === label)) * x, 0);
        gradient[head]! += (slope + pull[head]!) / 60;
      }
    });
    const seen: Seen[] = [];
    const [first, second] = await run(model(), watched(seen), { batchSize: 60, epochs: 2 });
    for (const head of Object.keys(ones)) {
      expect(seen[0]!.moments[head]!.mean / 0.1).toBeCloseTo(gradient[head]!, 4);
    }
    expect(weightsOf(first)).toEqual({ loud: 1, quiet: 1 });
    // The first change of an Adam is as large as its learning rate.
    for (const m of both) expect(weightsOf(second)[m]).toBeCloseTo(1 - 0.05 * Math.sign(gradient[m]!), 5);
  });

  it('compares with the last batch of the first epoch, and minimizes the weighed losses', async () => {
    const seen: Seen[] = [];
    const log = await run(model(), watched(seen), { epochs: 3 });
    for (const { loss } of log) {
      const { total, student, loud, quiet } = loss as Record<string, number>;
      expect(total).toBeCloseTo(student! + loud! + quiet!, 4);
    }
    expect(seen[2]!.first).toEqual(seen[0]!.first);
    // Losses fall, so that the last one is below their mean.
    expect(seen[0]!.first['loud']).toBeLessThan(log[0]!.loss['loud']!);
    const alone: Seen[] = [];
    const [whole] = await run(model(), watched(alone), { batchSize: 60 });
    expect(alone[0]!.first['loud']).toBeCloseTo(whole!.loss['loud']!, 5);
  });

  it('moves the weights once in a step on several batches, as in one on all of their samples', async () => {
    /** Without batch normalization, which sees each batch alone. */
    const plain = () => {
      const encoders = perModality(both, (name) => {
        const inputs = tf.input({ shape: [4] });
        const outputs = tf.layers.dense({ name: `${name}/dense`, units: 5 }).apply(inputs);
        const encoder = tf.model({ name, inputs, outputs: outputs as tf.SymbolicTensor });
        initializeWeights(encoder, 0);
        return encoder;
      });
      return new MultimodalModel({ encoders, fusion: separateLinearHeads(options) });
    };
    const [whole, parts]: [Seen[], Seen[]] = [[], []];
    await run(plain(), watched(whole), { epochs: 2 });
    await run(plain(), watched(parts), { epochs: 2, batchSize: 10, accumulate: 2 });
    for (const [head, { mean, steps }] of Object.entries(whole[1]!.moments)) {
      expect(parts[1]!.moments[head]!.steps).toBe(steps);
      expect(parts[1]!.moments[head]!.mean).toBeCloseTo(mean, 5);
    }
  });

  it('leaves the weights at 1 without a rate', async () => {
    const log = await run(model(), olm<Modality>({ weightRate: 0 }), { epochs: 2 });
    expect(log.map(weightsOf)).toEqual([
      { loud: 1, quiet: 1 },
      { loud: 1, quiet: 1 },
    ]);
  });

  it('leaves no tensors, and says what is wrong', async () => {
    const own = model();
    const before = tf.memory().numTensors;
    await run(own, olm<Modality>());
    expect(tf.memory().numTensors).toBe(before);
    await expect(run(model(), olm<Modality>(), { task: 'regression' })).rejects.toThrow(
      /"olm" is for classification/,
    );
    const alone = modelWith(lateFusion({ widths: { loud: 5 }, classes: 3, seed: 0 }));
    await expect(run(alone, olm())).rejects.toThrow(/"olm" needs 2 modalities or more/);
    expect(() => olm({ weightRate: -1 })).toThrow(/weightRate/);
  });
});
