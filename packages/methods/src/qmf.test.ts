import * as tf from '@tensorflow/tfjs';
import { batches } from '@g2d/datasets';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { readState } from '@g2d/trainer';
import { lateFusion } from '@g2d/fusion';
import { beforeAll, describe, expect, it } from 'vitest';
import { both, data, modelWith, options, run, type Modality } from '../test/dense-toy.js';
import { addedAndScaled } from './loss-history.js';
import { qmf, rankLoss } from './qmf.js';
import { qualityFusion } from './quality-fusion.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const fusion = (constantWeights = false) => qualityFusion<Modality>(options, { scale: 0.1, constantWeights });
const everySample = () => batches(data, { batchSize: 20 }) as never;

describe('qualityFusion', () => {
  const features = (rows: number) => ({
    loud: tf.randomNormal([rows, 5], 0, 1, 'float32', 3) as tf.Tensor2D,
    quiet: tf.randomNormal([rows, 5], 0, 1, 'float32', 4) as tf.Tensor2D,
  });

  it('weighs each by its energy, sample by sample, and leaves out what is absent', () => {
    const given = features(2);
    const present = { loud: tf.tensor1d([1, 1]), quiet: tf.tensor1d([1, 0]) };
    const { logits, unimodalLogits } = fusion().apply(given, { training: false, present });
    const [loud, quiet] = both.map((m) => unimodalLogits[m].arraySync() as number[][]);
    const weighed = (u: number[]): number[] => {
      const c = 0.1 * Math.log(u.reduce((sum, x) => sum + Math.exp(x), 0));
      return u.map((x) => c * x);
    };
    const [l0, q0, l1] = [weighed(loud![0]!), weighed(quiet![0]!), weighed(loud![1]!)];
    expectTensorClose(logits, [...l0.map((x, j) => x + q0[j]!), ...l1], { atol: 1e-6 });
  });

  it('has a gradient through the confidences, or none', () => {
    const given = features(1);
    const gradientOf = (constant: boolean): number[] =>
      Array.from(
        tf
          .grad((x: tf.Tensor) => {
            const pass = { training: false };
            return tf.sum(fusion(constant).apply({ ...given, loud: x as tf.Tensor2D }, pass).logits);
          })(given.loud)
          .dataSync(),
      );
    const { unimodalLogits, logits } = fusion().apply(given, { training: false });
    expect(logits.shape).toEqual([1, 3]);
    const u = Array.from(unimodalLogits.loud.dataSync());
    const c = 0.1 * Math.log(u.reduce((sum, x) => sum + Math.exp(x), 0));
    const kernel = fusion()
      .layers.find(({ modality }) => modality === 'loud')!
      .layer.getWeights()[0]!;
    const rows = kernel.arraySync() as number[][];
    const constant = rows.map((row) => c * row.reduce((sum, w) => sum + w, 0));
    gradientOf(true).forEach((value, i) => expect(value).toBeCloseTo(constant[i]!, 6));
    // Σ_j u_j · ∂c, ∂c = 0.1 · softmax(u).
    const sum = u.reduce((total, x) => total + x, 0);
    const shares = u.map((x) => Math.exp(x) / u.reduce((total, y) => total + Math.exp(y), 0));
    const through = rows.map((row) => 0.1 * sum * row.reduce((total, w, j) => total + shares[j]! * w, 0));
    gradientOf(false).forEach((value, i) => expect(value).toBeCloseTo(constant[i]! + through[i]!, 6));
  });

  it('is exported as standard layers that compute the same', () => {
    const own = fusion();
    const inputs = both.map(() => tf.input({ shape: [5] }));
    const { logits } = own.symbolic({ loud: inputs[0]!, quiet: inputs[1]! });
    const given = features(3);
    const exported = tf.model({ inputs, outputs: logits }).predict([given.loud, given.quiet]) as tf.Tensor;
    expectTensorClose(exported, own.apply(given, { training: false }).logits, { atol: 1e-6 });
  });
});

describe('rankLoss', () => {
  it('is the released form and that of the correctness ranking, by hand', () => {
    const confidences = tf.tensor1d([0.9, 0.2, 0.4]);
    const losses = [0.5, 0.25, 1];
    // Pairs: g +, −, +; g (c_i − c_j) 0.7, 0.2, −0.5; |l_i − l_j| 0.25, 0.75, 0.5.
    expect(rankLoss(confidences, losses, 'allowed').dataSync()[0]).toBeCloseTo(0.45 / 3, 6);
    expect(rankLoss(confidences, losses, 'required').dataSync()[0]).toBeCloseTo((0.95 + 0.95 + 0) / 3, 6);
    expect(rankLoss(tf.tensor1d([0.9]), [1], 'required').dataSync()[0]).toBe(0);
  });
});

describe('addedAndScaled', () => {
  const alone = { processes: 1, sum: () => undefined };

  it('adds up over steps, and scales by all samples', () => {
    const history = { ids: '', sums: { a: new Float32Array(4) } };
    expect(addedAndScaled(history, 'a', { places: [1, 3], losses: [0, 0], allReduce: alone })).toEqual([
      0, 0,
    ]);
    expect(addedAndScaled(history, 'a', { places: [1, 3], losses: [1, 4], allReduce: alone })).toEqual([
      0.25, 1,
    ]);
    // 1 + 2, and the others 0, 0 and 4.
    expect(addedAndScaled(history, 'a', { places: [1], losses: [2], allReduce: alone })).toEqual([0.75]);
  });

  it('takes what other processes lost too', () => {
    const history = { ids: '', sums: { a: new Float32Array(3) } };
    const other = { processes: 2, sum: (values: Float32Array | Float64Array) => void (values[2]! += 8) };
    expect(addedAndScaled(history, 'a', { places: [0], losses: [2], allReduce: other })).toEqual([0.25]);
    expect([...history.sums.a]).toEqual([2, 0, 8]);
  });
});

describe('qmf', () => {
  it('adds up its terms, and has no history without λ', async () => {
    const [own, without] = [modelWith(fusion()), modelWith(fusion())];
    const settings = { epochs: 2, everySample };
    const [, record] = await run(own, qmf<Modality>({ lambda: 2, margin: 'required' }), settings);
    const loss = record!.loss as Record<string, number>;
    const ranks = loss['rank.loud']! + loss['rank.quiet']!;
    expect(ranks).toBeGreaterThan(0);
    expect(loss['total']).toBeCloseTo(loss['student']! + loss['loud']! + loss['quiet']! + 2 * ranks, 4);
    expect(Object.keys(record!['confidences'] as object)).toEqual(['loud', 'quiet']);
    const [plain] = await run(without, qmf<Modality>({ lambda: 0 }), { epochs: 1 });
    expect(Object.keys(plain!.loss).sort()).toEqual(['loud', 'quiet', 'student', 'total']);
    expect(readState(own)).not.toEqual(readState(without));
  });

  it('has an entry for a modality that nobody has, and trains on parts of a step', async () => {
    const absent = async function* () {
      for await (const batch of batches(data, { batchSize: 10 }))
        yield { ...batch, present: { quiet: tf.zeros([10]) } } as never;
    };
    const settings = { everySample, batches: absent, batchSize: 10, accumulate: 2 };
    const [record] = await run(modelWith(fusion()), qmf<Modality>(), settings);
    expect(record!.loss['rank.quiet']).toBe(0);
    expect(record!.loss['rank.loud']).toBeGreaterThan(0);
    expect(record!.loss['total']).toBeGreaterThan(0);
  });

  it('leaves no tensors, and says what is wrong', async () => {
    const model = modelWith(fusion());
    const before = tf.memory().numTensors;
    await run(model, qmf<Modality>(), { everySample });
    expect(tf.memory().numTensors).toBe(before);
    await expect(run(modelWith(fusion()), qmf<Modality>())).rejects.toThrow(/pass `everySample`/);
    const few = async function* () {
      for await (const batch of batches(data, { batchSize: 20 })) {
        if (batch.index === 0) yield batch as never;
        else tf.dispose(batch as object as tf.TensorContainer);
      }
    };
    await expect(run(modelWith(fusion()), qmf<Modality>(), { everySample: few })).rejects.toThrow(
      /trains on sample .*, which is not among those that `everySample` gave/,
    );
    await expect(run(modelWith(fusion()), qmf<Modality>(), { task: 'regression' })).rejects.toThrow(
      /"qmf" is for classification/,
    );
    const alone = modelWith(lateFusion({ widths: { loud: 5 }, classes: 3, seed: 0 }));
    await expect(run(alone, qmf({ lambda: 0 }))).rejects.toThrow(/"qmf" needs 2 modalities or more/);
    expect(() => qmf({ scale: 0 })).toThrow(/scale/);
  });
});
