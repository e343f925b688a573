import * as tf from '@tensorflow/tfjs';
import { batches, missingModalities, type Batch } from '@g2d/datasets';
import { lateFusion } from '@g2d/fusion';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { perModality, type Fusion, type Method } from '@g2d/core';
import { readState, writeState, type TrainingState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { both, data, modelWith, optimizer, options, run, type Modality } from '../test/dense-toy.js';
import { mla } from './mla.js';
import { projectionStrength, updatedProjection } from './mla-projection.js';
import { projectFeatures } from './project-features.js';
import { sharedHeadFusion } from './shared-head.js';
import type { SharedHeadWeights } from './shared-head-weights.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const shared = (weights: SharedHeadWeights<Modality> = 'entropy'): Fusion<Modality> =>
  sharedHeadFusion({ modalities: both, width: 5, classes: 3, seed: 0, weights });

describe('updatedProjection', () => {
  const mean = tf.tensor1d([1, 2]);

  it('has the reference values in both forms', () => {
    const from = tf.eye(2);
    expectTensorClose(
      updatedProjection(from, mean, { strength: 0.1, reference: 'paper' }),
      [0.803922, -0.392157, -0.392157, 0.215686],
      { atol: 1e-6 },
    );
    expectTensorClose(
      updatedProjection(from, mean, { strength: 0.1, reference: 'official' }),
      [0.090909, -0.952381, -0.952381, 0.02439],
      { atol: 1e-6 },
    );
  });

  it('goes on from any P, by hand, where the two axes of the elementwise form differ', () => {
    const from = tf.tensor2d([
      [1, 1],
      [0, 1],
    ]);
    // q = (3, 2), rᵀ q = 7, q qᵀ = (9 6; 6 4), q rᵀ = (3 6; 2 4).
    expectTensorClose(
      updatedProjection(from, mean, { strength: 0.1, reference: 'paper' }),
      [1 - 9 / 7.1, 1 - 6 / 7.1, -6 / 7.1, 1 - 4 / 7.1],
      { atol: 1e-6 },
    );
    expectTensorClose(
      updatedProjection(from, mean, { strength: 0.1, reference: 'official' }),
      [1 - 9 / 3.1, 1 - 6 / 6.1, -6 / 2.1, 1 - 4 / 4.1],
      { atol: 1e-6 },
    );
    expectNoLeak(() => updatedProjection(from, mean, { strength: 0.1, reference: 'paper' }));
    expect(() => updatedProjection(tf.eye(3), mean, { strength: 0.1, reference: 'paper' })).toThrow(
      /`projection` has shape \[3, 3\]/,
    );
  });

  it('is weaker in the beginning of an epoch', () => {
    expect(projectionStrength(0, 4)).toBe(0.1);
    expect(projectionStrength(2, 4)).toBeCloseTo(0.0316228, 7);
    expect(projectionStrength(4, 4)).toBeCloseTo(0.01, 12);
  });
});

const identity = (size: number): number[][] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => Number(i === j)));

const meanOf = (rows: readonly number[][]): number[] =>
  rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length);

/** P − q qᵀ / (a + rᵀ q), or elementwise by a + q rᵀ, divided by its Frobenius norm: in plain numbers. */
function project(P: readonly number[][], r: readonly number[], a: number, reference: string): number[][] {
  const q = P.map((row) => row.reduce((sum, p, j) => sum + p * r[j]!, 0));
  const inner = q.reduce((sum, value, j) => sum + value * r[j]!, 0);
  const next = P.map((row, i) =>
    row.map((p, j) => p - (q[i]! * q[j]!) / (a + (reference === 'paper' ? inner : q[i]! * r[j]!))),
  );
  const norm = Math.hypot(...next.flat());
  return next.map((row) => row.map((p) => p / norm));
}

describe('mla with a projection', () => {
  it.each(['paper', 'official'] as const)(
    'projects the kernel’s gradient from the second step on, %s: computed apart in plain numbers',
    async (reference) => {
      const [model, plain] = [modelWith(shared()), modelWith(shared())];
      const kernels: Float32Array[] = [];
      const read = () => readState(model)['head/shared/kernel']!.values as Float32Array;
      let state: TrainingState['methods'][string] = {};
      // Two batches of 30: the P of one goes on in the other.
      await run(model, mla<Modality>({ projection: true, reference }), {
        batchSize: 30,
        afterStep(capture) {
          kernels.push(read());
          state = capture().methods['mla']!;
        },
      });

      let P: number[][] | undefined;
      let first = true;
      let index = 0;
      for await (const { inputs, labels } of batches<Modality>(data, { batchSize: 30, epoch: 1 })) {
        for (const modality of both) {
          const own = plain.variables.filter(
            ({ name }) => name.startsWith(modality) || name.startsWith('head/'),
          );
          let features: number[][] = [];
          const { grads } = tf.variableGrads(() => {
            const outputs = plain.forward({ inputs }, { training: true, runningStatistics: 'keep' });
            features = outputs.features[modality].arraySync();
            const logits = outputs.unimodalLogits[modality];
            return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 3), logits) as tf.Scalar;
          }, own);
          for (const variable of own) {
            let gradient: tf.Tensor = grads[variable.name]!;
            if (variable.rank === 2 && variable.name.startsWith('head/') && !first) {
              P = project(P ?? identity(5), meanOf(features), 0.1 ** (1 + index / 2), reference);
              const byClass = (gradient as tf.Tensor2D).arraySync();
              const edited: number[][] = P.map((row) =>
                [0, 1, 2].map((c) => row.reduce((sum, p, j) => sum + p * byClass[j]![c]!, 0)),
              );
              gradient = tf.tensor2d(edited);
            }
            variable.assign(tf.sub(variable, tf.mul(gradient, 0.1)));
          }
          first = false;
        }
        plain.forward({ inputs }, { training: true });
        index++;
        const expected = plain.variables.find(
          ({ name }) => name.startsWith('head/') && name.includes('kernel'),
        )!;
        expectTensorClose(tf.tensor1d([...kernels[index - 1]!]), [...expected.dataSync()], { atol: 2e-6 });
      }
      plain.variables.forEach((variable, i) =>
        expectTensorClose(model.variables[i]!, variable, { atol: 2e-6 }),
      );

      const { arrays } = state;
      expect(arrays!['projection']!.shape).toEqual([5, 5]);
      const norm = Math.hypot(...arrays!['projection']!.values);
      expect(norm).toBeCloseTo(1, 6);
      expectTensorClose(tf.tensor1d([...arrays!['projection']!.values]), P!.flat(), { atol: 1e-5 });
    },
  );

  it('needs the number of batches, and a projection that there is', async () => {
    const unknown = { batchesPerEpoch: undefined };
    await expect(run(modelWith(shared()), mla({ projection: true }), unknown)).rejects.toThrow(
      /Give the training `batchesPerEpoch`/,
    );
    expect(() => mla({ projection: 'on' as never })).toThrow(/`projection` is "on"; it must be a boolean/);
    expect(() => mla({ otherEncoders: 'skip' as never })).toThrow(/`otherEncoders` is "skip"/);
    expect(() => mla({ width: 0 })).toThrow(/`width` is 0/);
  });

  it('keeps P between trainings of one method apart, and leaves no tensor behind', async () => {
    const [model, method] = [modelWith(shared()), mla<Modality>({ projection: true })];
    const start = readState(model);
    const before = tf.memory().numTensors;
    await run(model, method, { epochs: 2 });
    expect(tf.memory().numTensors).toBe(before);
    const once = readState(model);
    writeState(model, start);
    await run(model, method, { epochs: 2 });
    expect(readState(model)).toEqual(once);
  });
});

describe('mla’s other encoders', () => {
  it('move by momentum and decay under gradients of zeros, by hand', async () => {
    const settings = { optimizer: { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 }, batchSize: 60 };
    const [frozen, zero] = [modelWith(shared()), modelWith(shared())];
    const start = readState(frozen)['loud/dense/kernel']!.values;
    await run(frozen, mla(), settings);
    await run(zero, mla({ otherEncoders: 'zero' }), settings);
    // v = (θ0 − θ1) / 0.1, then θ2 = θ1 − 0.1 (0.9 v + 0.01 θ1).
    const once = readState(frozen)['loud/dense/kernel']!.values;
    const expected = Array.from(once, (theta, i) => theta - 0.9 * (start[i]! - theta) - 0.001 * theta);
    const moved = readState(zero);
    expectTensorClose(tf.tensor1d([...moved['loud/dense/kernel']!.values]), expected, { atol: 1e-6 });
    // In the first batch the second encoder has not had a gradient before its step.
    expect(moved['quiet/dense/kernel']).toEqual(readState(frozen)['quiet/dense/kernel']);
  });

  it('are without a gradient again when the next batch and the next epoch begin', async () => {
    const settings = { optimizer: { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 }, batchSize: 30 };
    // What of `quiet` is null and what is zeros in each update, in steps of loud and quiet in turn.
    const seen: unknown[] = [];
    const watcher: Method<Modality> = {
      name: 'watcher',
      edit(gradients) {
        const of = (name: string) => gradients.find(({ parameter }) => parameter.name === name)!.tensor;
        const kind = (gradient: tf.Tensor | null) =>
          gradient && (tf.sum(tf.abs(gradient)).dataSync()[0]! > 0 ? 'some' : 'zeros');
        seen.push([kind(of('loud/dense/kernel')), kind(of('quiet/dense/kernel'))]);
        return gradients;
      },
    };
    const method = mla<Modality>({ otherEncoders: 'zero' });
    await run(modelWith(shared()), method, { ...settings, epochs: 2, methods: [method, watcher] });
    const batch = [
      ['some', null],
      ['zeros', 'some'],
    ];
    expect(seen).toEqual([...batch, ...batch, ...batch, ...batch]);
  });
});

describe('mla’s fusion', () => {
  it('is a shared head for encoders of one width, with the weights that were asked for', async () => {
    const weights = { loud: 0.55, quiet: 0.45 };
    const fusion = mla<Modality>({ weights }).fusion!(options);
    const expected = shared(weights);
    const features = {
      loud: tf.randomNormal<tf.Rank.R2>([2, 5]),
      quiet: tf.randomNormal<tf.Rank.R2>([2, 5]),
    };
    expectTensorClose(
      fusion.apply(features, { training: false }).logits,
      expected.apply(features, { training: false }).logits,
      { atol: 0 },
    );
    const different = { ...options, widths: { loud: 5, quiet: 3 } };
    expect(() => mla<Modality>().fusion!(different)).toThrow(
      /not equally wide: loud 5, quiet 3\. Give `width`/,
    );
  });

  it('takes encoders of different widths through a linear layer each, which trains with its modality', async () => {
    const fusion = mla<Modality>({ width: 4 }).fusion!({ ...options, widths: { loud: 5, quiet: 3 } });
    const model = modelWith(fusion);
    const names = [...model.state().keys()].filter(
      (name) => !name.startsWith('loud') && !name.startsWith('quiet'),
    );
    expect(names).toEqual([
      'projection/loud/kernel',
      'projection/loud/bias',
      'projection/quiet/kernel',
      'projection/quiet/bias',
      'head/shared/kernel',
      'head/shared/bias',
    ]);
    const start = readState(model);
    const log = await run(model, mla({ width: 4, projection: true }), { epochs: 8 });
    expect(log.at(-1)!.train['loud']).toBeGreaterThan(80);
    for (const name of names) expect(readState(model)[name]).not.toEqual(start[name]);
  });

  it('needs fixed weights for a regression', async () => {
    const one = { ...options, classes: 1 };
    expect(() => mla<Modality>().fusion!(one)).toThrow(
      /A single output has no entropy.*Give fixed `weights`/,
    );
    const regression = async function* () {
      for await (const batch of batches<Modality>(data, { batchSize: 20 }))
        yield { ...batch, labels: tf.mul<tf.Tensor1D>(tf.cast(batch.labels, 'float32'), 0.4) };
    };
    const method = mla<Modality>({ weights: { loud: 3, quiet: 1 } });
    const model = modelWith(method.fusion!(one));
    const log = await run(model, method, {
      task: 'regression',
      epochs: 60,
      optimizer: { ...optimizer, learningRate: 0.3 },
      batches: regression,
    });
    expect(log.at(-1)!.loss['loud']).toBeLessThan(log[0]!.loss['loud']! / 1.5);
    for await (const { inputs } of regression()) {
      const { logits, unimodalLogits } = model.forward({ inputs }, { training: false });
      const expected = tf.add(tf.mul(unimodalLogits.loud, 0.75), tf.mul(unimodalLogits.quiet, 0.25));
      expectTensorClose(logits, expected, { atol: 1e-6 });
    }
  });

  it('says what weights it does not accept', () => {
    expect(() => shared('sharp' as never)).toThrow(/`weights` is "sharp"/);
    expect(() => shared({ loud: 1 } as never)).toThrow(/says nothing about quiet/);
    expect(() => shared({ loud: 1, quiet: -1 })).toThrow(/`weights` are loud 1, quiet -1/);
    expect(() => shared({ loud: 0, quiet: 0 })).toThrow(/not all 0/);
  });
});

describe('mla with missing modalities', () => {
  it('takes the loss over the samples that have the modality: computed apart', async () => {
    const partly = missingModalities(data, { rate: 0.3, seed: 0 });
    const [model, expected] = [modelWith(shared()), modelWith(shared())];
    const all = (batchSize: number) => batches<Modality>(partly as never, { batchSize });
    const log = await run(model, mla({ order: ['loud', 'quiet'] }), { batches: () => all(60) });
    for await (const { inputs, labels, present } of all(60)) {
      const mask = [...present!.loud!.dataSync()];
      const rows = mask.flatMap((value, i) => (value ? [i] : []));
      expect(rows.length).toBeLessThan(60);
      const { unimodalLogits } = expected.forward(
        { inputs, present },
        { training: true, runningStatistics: 'keep' },
      );
      const [of, y] = [tf.gather(unimodalLogits.loud, rows), tf.gather(labels, rows)];
      const loss = tf.losses.softmaxCrossEntropy(tf.oneHot(y, 3), of).dataSync()[0]!;
      expect(log[0]!.loss['loud']).toBeCloseTo(loss, 5);
    }
  });

  it('takes no step for a modality that no sample of the batch has', async () => {
    const silent = async function* (): AsyncGenerator<Batch<Modality>> {
      for await (const batch of batches<Modality>(data, { batchSize: 20 })) {
        tf.dispose(batch.inputs.loud);
        const inputs = { quiet: batch.inputs.quiet } as Batch<Modality>['inputs'];
        yield { ...batch, inputs, present: { loud: tf.zeros([20]) } };
      }
    };
    const model = modelWith(shared());
    const start = readState(model);
    const method = mla<Modality>({ projection: true, otherEncoders: 'zero' });
    const log = await run(model, method, {
      batches: silent,
      optimizer: { ...optimizer, momentum: 0.9, weightDecay: 0.1 },
    });
    const end = readState(model);
    for (const name of Object.keys(start).filter((each) => each.startsWith('loud/')))
      expect(end[name], name).toEqual(start[name]);
    expect(end['quiet/dense/kernel']).not.toEqual(start['quiet/dense/kernel']);
    expect(Object.keys(log[0]!.loss)).toEqual(['total', 'quiet']);
  });
});

describe('a model with a shared head', () => {
  const exported = async (model: { toLayersModel(): tf.LayersModel }): Promise<tf.LayersModel> => {
    let saved: tf.io.ModelArtifacts | undefined;
    await model.toLayersModel().save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    );
    return tf.loadLayersModel(tf.io.fromMemory(saved!));
  };
  const three = ['a', 'b', 'c'] as const;
  const widths = { a: 2, b: 7, c: 5 };
  const cases: [string, Fusion<string>][] = [
    ['entropy, two', sharedHeadFusion({ modalities: both, width: 5, classes: 3, seed: 0 }) as Fusion<string>],
    ['fixed, two', shared({ loud: 0.55, quiet: 0.45 }) as Fusion<string>],
    [
      'entropy, three and projected',
      projectFeatures(sharedHeadFusion({ modalities: three, width: 6, classes: 4, seed: 1 }), {
        widths,
        seed: 0,
      }) as Fusion<string>,
    ],
    [
      'fixed, three and projected',
      projectFeatures(
        sharedHeadFusion({
          modalities: three,
          width: 6,
          classes: 4,
          seed: 1,
          weights: { a: 0.35, b: 0.25, c: 0.4 },
        }),
        { widths, seed: 0 },
      ) as Fusion<string>,
    ],
    [
      'entropy, one',
      sharedHeadFusion({ modalities: ['a'], width: 5, classes: 3, seed: 0 }) as Fusion<string>,
    ],
    [
      'fixed, one',
      sharedHeadFusion({
        modalities: ['a'],
        width: 5,
        classes: 1,
        seed: 0,
        weights: { a: 2 },
      }) as Fusion<string>,
    ],
  ];

  it.each(cases)('loads in plain TensorFlow.js with the same logits: %s', async (_, fusion) => {
    const model = modelWith(fusion);
    const inputs = perModality(model.modalities, () => tf.mul(tf.randomNormal([7, 4]), 5));
    const { logits, unimodalLogits } = model.forward({ inputs }, { training: false });
    const loaded = await exported(model);
    const outputs = loaded.predict(model.modalities.map((modality) => inputs[modality]!)) as
      tf.Tensor | tf.Tensor[];
    const [fused, ...own] = Array.isArray(outputs) ? outputs : [outputs];
    expectTensorClose(fused!, logits, { atol: 1e-5 });
    own.forEach((found, i) =>
      expectTensorClose(found, unimodalLogits[model.modalities[i]!]!, { atol: 1e-5 }),
    );
  });

  it('has no export where its weights are those of a batch', () => {
    const batchWise = modelWith(shared('batch-entropy'));
    expect(() => batchWise.toLayersModel()).toThrow(/have no export/);
  });

  it('refuses heads that are not shared', async () => {
    await expect(run(modelWith(lateFusion(options)), mla())).rejects.toThrow(/needs one head that all/);
  });
});
