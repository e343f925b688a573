import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { batches, type Batch, type BatchesOptions } from './batches.js';
import type { MultimodalDataset } from './dataset.js';

/** Sample i: sound [i, i + 0.5], picture [[−i]] and label i mod 3. */
function toy(size: number): MultimodalDataset<'sound' | 'picture'> {
  return {
    name: 'toy',
    split: 'train',
    modalities: ['sound', 'picture'],
    shapes: { sound: [2], picture: [1, 1, 1] },
    classNames: ['a', 'b', 'c'],
    size,
    async sample(i) {
      return {
        id: `toy/${i}`,
        label: i % 3,
        inputs: { sound: Float32Array.of(i, i + 0.5), picture: Float32Array.of(-i) },
      };
    },
    close() {},
  };
}

type Options = BatchesOptions<'sound' | 'picture'>;

async function collect(options: Options, size = 7) {
  const seen: { ids: readonly string[]; sound: number[]; picture: number[]; labels: number[] }[] = [];
  for await (const batch of batches(toy(size), options)) {
    seen.push({
      ids: batch.ids,
      sound: Array.from(batch.inputs.sound.dataSync()),
      picture: Array.from(batch.inputs.picture.dataSync()),
      labels: Array.from(batch.labels.dataSync()),
    });
    tf.dispose(batch);
  }
  return seen;
}

const ids = async (options: Options, size = 7): Promise<string[]> =>
  (await collect(options, size)).flatMap((batch) => batch.ids);

describe('batches', () => {
  it('stacks samples in order into tensors', async () => {
    const [first, , last] = await collect({ batchSize: 3 });
    expect(first).toEqual({
      ids: ['toy/0', 'toy/1', 'toy/2'],
      sound: [0, 0.5, 1, 1.5, 2, 2.5],
      picture: [-0, -1, -2],
      labels: [0, 1, 2],
    });
    expect(last?.ids).toEqual(['toy/6']);
  });

  it('gives shapes [B, …] and int32 labels', async () => {
    for await (const batch of batches(toy(2), { batchSize: 2 })) {
      expect(batch.inputs.sound.shape).toEqual([2, 2]);
      expect(batch.inputs.picture.shape).toEqual([2, 1, 1, 1]);
      expect(batch.inputs.picture.dtype).toBe('float32');
      expect(batch.labels.shape).toEqual([2]);
      expect(batch.labels.dtype).toBe('int32');
      tf.dispose(batch);
    }
  });

  it('leaves out an incomplete last batch when asked', async () => {
    expect((await collect({ batchSize: 3, dropLast: true })).map((batch) => batch.ids.length)).toEqual([
      3, 3,
    ]);
    expect(await collect({ batchSize: 8, dropLast: true })).toEqual([]);
    expect(await collect({ batchSize: 7, dropLast: true })).toHaveLength(1);
  });

  it('shuffles by seed and epoch alone, every sample once', async () => {
    const base = await ids({ batchSize: 3, shuffle: true, seed: 1, epoch: 2 }, 50);
    expect([...base].sort()).toEqual((await ids({ batchSize: 3 }, 50)).sort());
    expect(base).not.toEqual(await ids({ batchSize: 3 }, 50));
    expect(
      await ids({ batchSize: 7, shuffle: true, seed: 1, epoch: 2, augment: { sound: (x) => x } }, 50),
    ).toEqual(base);
    expect(await ids({ batchSize: 3, shuffle: true, seed: 1, epoch: 3 }, 50)).not.toEqual(base);
    expect(await ids({ batchSize: 3, shuffle: true, seed: 2, epoch: 2 }, 50)).not.toEqual(base);
  });

  it('augments a sample alike whatever the order and the other modalities', async () => {
    const noise: NonNullable<Options['augment']>['picture'] = (input, _shape, random) =>
      input.map(() => random.uniform());
    const pictures = async (options: Options): Promise<Map<string, number>> =>
      new Map(
        (await collect(options)).flatMap((batch) =>
          batch.ids.map((id, i) => [id, batch.picture[i] as number] as const),
        ),
      );
    const base = await pictures({ batchSize: 3, seed: 5, epoch: 4, augment: { picture: noise } });
    const other = await pictures({
      batchSize: 2,
      seed: 5,
      epoch: 4,
      shuffle: true,
      augment: { picture: noise, sound: noise },
    });
    expect(new Set(base.values()).size).toBe(7);
    for (const [id, value] of base) expect(other.get(id)).toBe(value);
    const next = await pictures({ batchSize: 3, seed: 5, epoch: 5, augment: { picture: noise } });
    expect(next.get('toy/0')).not.toBe(base.get('toy/0'));
  });

  it('hands the shape to the augmentation', async () => {
    const shapes: (readonly number[])[] = [];
    const look = (input: Float32Array, shape: readonly number[]): Float32Array => {
      shapes.push(shape);
      return input;
    };
    await collect({ batchSize: 7, augment: { picture: look } }, 1);
    expect(shapes).toEqual([[1, 1, 1]]);
  });

  it('leaves only what the consumer holds when the loop is left early or a sample fails', async () => {
    const held: Batch<'sound' | 'picture'>[] = [];
    const before = tf.memory().numTensors;
    for await (const batch of batches(toy(9), { batchSize: 3 })) {
      held.push(batch);
      break;
    }
    expect(tf.memory().numTensors - before).toBe(3);
    tf.dispose(held);
    expect(tf.memory().numTensors).toBe(before);
    const broken = { ...toy(9), sample: () => Promise.reject(new Error('no file')) };
    await expect(batches(broken, { batchSize: 3 }).next()).rejects.toThrow('no file');
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    [{ batchSize: 0 }, /`batchSize` is 0/],
    [{ batchSize: 2.5 }, /`batchSize` is 2.5/],
    [{ batchSize: 2, epoch: -1 }, /`epoch` is -1/],
    [{ batchSize: 2, seed: 0.5 }, /`seed` is 0.5/],
    [{ batchSize: 2, augment: { picture: () => new Float32Array(3) } }, /made 3 values of 1/],
    [{ batchSize: 2, augment: { smell: () => new Float32Array(1) } }, /no modality "smell".*sound, picture/],
  ] as [Options, RegExp][])('refuses %o', async (options, message) => {
    await expect(batches(toy(3), options).next()).rejects.toThrow(message);
  });
});
