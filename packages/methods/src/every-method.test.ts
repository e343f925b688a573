// What has to hold for every method, whatever it computes.
import * as tf from '@tensorflow/tfjs';
import { perModality, type Batch, type Weight } from '@g2d/core';
import { batches, missingModalities } from '@g2d/datasets';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchSizeOf, dataOf, recipes, toyTeachers, train, trained, type Recipe } from '../test/resume.js';
import type { Modality } from '../test/toy.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const all = Object.entries(recipes);
const run = async (recipe: Recipe, others: Partial<Parameters<typeof trained>[1]> = {}) => {
  const teachers = toyTeachers(recipe);
  const result = await trained(recipe, { teachers, ...others });
  teachers.dispose();
  return result;
};
type Weights = Awaited<ReturnType<typeof run>>['weights'];
const numbersOf = (weights: Weights): number[] =>
  Object.keys(weights)
    .sort()
    .flatMap((name) => [...weights[name]!.values]);

describe('several processes', () => {
  // The other one has the same batches, so that every mean is the own one.
  const twins = {
    processes: 2,
    sum: (values: Float32Array | Float64Array) => values.forEach((value, i) => (values[i] = 2 * value)),
  };

  it.each(all.filter(([, { differs }]) => !differs?.processes))(
    'that see the same train as one alone: %s',
    async (_, recipe) => {
      const [alone, together] = [await run(recipe), await run(recipe, { allReduce: twins })];
      expect(together).toEqual(alone);
    },
  );
});

describe('the order of the modalities', () => {
  /** A head on concatenated features has its rows, three for each modality, in the other order. */
  const swapRows = (model: { state(): ReadonlyMap<string, Weight> }): void => {
    const kernel = model.state().get('fusion/fc_out/kernel') ?? model.state().get('fusion/squeeze/kernel');
    if (kernel) kernel.write(tf.gather(kernel.read(), [3, 4, 5, 0, 1, 2]));
  };

  it.each(all.filter(([, { modalities, differs }]) => !modalities && !differs?.permuted))(
    'does not matter: %s',
    async (_, recipe) => {
      const permuted = { ...recipe, modalities: ['visual', 'audio'] } as const;
      const [own, other] = [await run(recipe), await run(permuted, { prepare: swapRows })];
      const comparable = (weights: Weights): number[] =>
        numbersOf(
          Object.fromEntries(Object.entries(weights).filter(([name]) => !name.startsWith('fusion/'))),
        );
      const [a, b] = [comparable(own.weights), comparable(other.weights)];
      expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-4);
    },
  );
});

describe('what a mask hides', () => {
  /** Modalities of some samples hidden; in their places zeros, the true inputs, or what is no number. */
  const hiding = (recipe: Recipe, place: 'zero' | 'complete' | 'nonsense') =>
    async function* (epoch: number, startBatch: number): AsyncGenerator<Batch<Modality>> {
      const inputs = place === 'zero' ? 'zero' : 'complete';
      const masked = missingModalities(dataOf(recipe).data, { rate: 0.3, seed: 5, inputs });
      const order = { batchSize: batchSizeOf(recipe), epoch, startBatch, shuffle: true, seed: 11 };
      for await (const batch of batches(masked, order)) {
        if (place !== 'nonsense') {
          yield batch;
          continue;
        }
        const spoilt = perModality(['audio', 'visual'] as const, (m) =>
          tf.tidy(() => {
            const x = batch.inputs[m];
            const rows = tf.greater(tf.reshape(batch.present![m]!, [-1, 1, 1, 1]), 0);
            return tf.where(rows, x, tf.fill(x.shape, NaN));
          }),
        );
        tf.dispose(batch.inputs);
        yield { ...batch, inputs: spoilt };
      }
    };

  it.each(all.filter(([, { modalities, hides }]) => !modalities && !hides))(
    'changes nothing, bit for bit: %s',
    async (_, recipe) => {
      const zero = await run(recipe, { batches: hiding(recipe, 'zero') });
      expect(await run(recipe, { batches: hiding(recipe, 'complete') })).toEqual(zero);
      expect(await run(recipe, { batches: hiding(recipe, 'nonsense') })).toEqual(zero);
    },
  );

  const learning = all.filter(([, { hides }]) => hides);
  it.each(learning)('is learned from by %s, and named where it is no number', async (_, recipe) => {
    const zero = await run(recipe, { batches: hiding(recipe, 'zero') });
    expect((await run(recipe, { batches: hiding(recipe, 'complete') })).weights).not.toEqual(zero.weights);
    await expect(run(recipe, { batches: hiding(recipe, 'nonsense') })).rejects.toThrow(
      /its (audio|visual) input holds NaN/,
    );
  });

  it.each(all.filter(([, { modalities }]) => !modalities))(
    'is seen by no prediction of %s',
    async (_, recipe) => {
      const teachers = toyTeachers(recipe);
      const { predict } = await train(recipe, { teachers, batches: hiding(recipe, 'complete') });
      const predicted = async (place: 'zero' | 'complete' | 'nonsense'): Promise<number[][]> => {
        const found: number[][] = [];
        for await (const batch of hiding(recipe, place)(1, 0)) {
          tf.tidy(() => {
            const { logits, unimodalLogits } = predict(batch);
            // Of samples without the modality they mean nothing.
            const there = (z: tf.Tensor2D, mask: tf.Tensor1D): tf.Tensor =>
              tf.where(tf.greater(tf.expandDims(mask, 1), 0), z, tf.zerosLike(z));
            const { audio, visual } = batch.present!;
            for (const z of [
              logits,
              there(unimodalLogits.audio, audio!),
              there(unimodalLogits.visual, visual!),
            ])
              found.push([...z.dataSync()]);
          });
          tf.dispose(batch);
        }
        return found;
      };
      const zero = await predicted('zero');
      expect(zero.flat().every(Number.isFinite)).toBe(true);
      expect(await predicted('complete')).toEqual(zero);
      expect(await predicted('nonsense')).toEqual(zero);
      teachers.dispose();
    },
  );
});

describe('batches with little in them', () => {
  /** One class only, a modality that some samples lack, one that all lack, a single sample, with both modalities and with one. */
  const meagre = (recipe: Recipe) =>
    async function* (epoch: number, startBatch: number): AsyncGenerator<Batch<Modality>> {
      // The other one in the next epoch.
      const lacking: Modality = epoch % 2 === 1 ? 'audio' : 'visual';
      for await (const batch of batches(dataOf(recipe).data, {
        batchSize: 4,
        epoch,
        startBatch,
        shuffle: true,
        seed: 11,
      })) {
        const present = (mask: readonly number[]): NonNullable<Batch<Modality>['present']> => ({
          [lacking]: tf.tensor1d([...mask]),
        });
        if (batch.index === 2) {
          const inputs = {
            audio: tf.slice(batch.inputs.audio, 0, 1),
            visual: tf.slice(batch.inputs.visual, 0, 1),
          };
          const one = { ...batch, inputs, labels: tf.slice(batch.labels, 0, 1), ids: batch.ids.slice(0, 1) };
          yield epoch === 3 ? { ...one, present: present([0]) } : one;
          tf.dispose(batch);
          continue;
        }
        const labels = tf.zerosLike(batch.labels);
        tf.dispose(batch.labels);
        yield { ...batch, labels, present: present(batch.index === 1 ? [0, 0, 0, 0] : [1, 0, 1, 1]) };
      }
    };

  it.each(all.filter(([, { modalities, differs }]) => !modalities && !differs?.meagre))(
    'leave nothing that is no number: %s',
    async (_, recipe) => {
      const { weights, log } = await run(recipe, { batches: meagre(recipe) });
      expect(numbersOf(weights).every(Number.isFinite)).toBe(true);
      const losses = (log as { readonly loss: Readonly<Record<string, number>> }[]).flatMap(({ loss }) =>
        Object.values(loss),
      );
      expect(losses.every(Number.isFinite)).toBe(true);
    },
  );
});

describe('a batch that wholly lacks a modality, and has no input for it', () => {
  const lacking = (recipe: Recipe, input: 'none' | 'zero') =>
    async function* (epoch: number, startBatch: number): AsyncGenerator<Batch<Modality>> {
      const order = { batchSize: batchSizeOf(recipe), epoch, startBatch, shuffle: true, seed: 11 };
      for await (const batch of batches(dataOf(recipe).data, order)) {
        const { audio, visual } = batch.inputs;
        const inputs = { visual, ...(input === 'zero' && { audio: tf.zerosLike(audio) }) };
        audio.dispose();
        yield {
          ...batch,
          inputs: inputs as Batch<Modality>['inputs'],
          present: { audio: tf.zeros([batch.ids.length]), visual: tf.ones([batch.ids.length]) },
        };
      }
    };

  it.each(all.filter(([, { modalities }]) => !modalities))(
    'is predicted as with zeros in its place: %s',
    async (_, recipe) => {
      const teachers = toyTeachers(recipe);
      const { predict } = await train(recipe, { teachers });
      const predicted = async (input: 'none' | 'zero'): Promise<number[][]> => {
        const found: number[][] = [];
        for await (const batch of lacking(recipe, input)(1, 0)) {
          const before = tf.memory().numTensors;
          tf.tidy(() => {
            const { logits, unimodalLogits } = predict(batch);
            for (const z of [logits, unimodalLogits.visual]) found.push([...z.dataSync()]);
          });
          expect(tf.memory().numTensors).toBe(before);
          tf.dispose(batch);
        }
        return found;
      };
      const zero = await predicted('zero');
      expect(zero.flat().every(Number.isFinite)).toBe(true);
      expect(await predicted('none')).toEqual(zero);
      teachers.dispose();
    },
  );

  it.each(all.filter(([, { hides }]) => hides))(
    'is refused where what is missing is to be learned: %s',
    async (_, recipe) => {
      await expect(run(recipe, { batches: lacking(recipe, 'none') })).rejects.toThrow(
        /learns from the true inputs of what masks hide got a batch without any input of audio\. Give batches of/,
      );
    },
  );
});
