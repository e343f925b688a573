// Samples with any number of classes: read, batched, wrapped and known again.
import * as tf from '@tensorflow/tfjs';
import type { Label } from '@g2d/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { tagged } from '../test/tagged-source.js';
import {
  batches,
  fingerprint,
  fromSamples,
  inMemory,
  missingModalities,
  withClassNames,
  type FromSamplesOptions,
} from './index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const classNames = ['a', 'b', 'c'];
const open = (labels: readonly unknown[], more: object = {}) =>
  fromSamples<'x'>({
    name: 'tags',
    split: 'train',
    task: 'multi-label',
    classNames,
    samples: labels.map((label, i) => ({ label, inputs: { x: [i] } })),
    ...more,
  } as FromSamplesOptions<'x'>);

async function hotOf(dataset: ReturnType<typeof open>, options: object = {}): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const batch of batches(dataset, { batchSize: 2, ...options })) {
    expect([batch.labels.dtype, batch.labels.shape[1]]).toEqual(['float32', dataset.classNames.length]);
    found.push(...(batch.labels.arraySync() as number[][]));
    tf.dispose(batch);
  }
  return found;
}

describe('labels of several classes', () => {
  it('become rows of 0 and 1, whatever their order, in this thread', async () => {
    expect(await hotOf(open([[2, 0], [], [1n]]))).toEqual([
      [1, 0, 1],
      [0, 0, 0],
      [0, 1, 0],
    ]);
  });

  it('come through what wraps a dataset', async () => {
    const labels = [[2, 0], [], [1]];
    const expected = await hotOf(open(labels));
    expect(await hotOf(await inMemory(open(labels)))).toEqual(expected);
    expect(await hotOf(missingModalities(open(labels), { mask: Uint8Array.of(1, 1, 1) }))).toEqual(expected);
    const renamed = withClassNames(open(labels), { classNames: ['c', 'x', 'b', 'a'] });
    expect(renamed.labels).toEqual([[0, 3], [], [2]]);
    expect(await hotOf(renamed)).toEqual([
      [1, 0, 0, 1],
      [0, 0, 0, 0],
      [0, 0, 1, 0],
    ]);
  });

  it('are known again by what they are, not by their order', async () => {
    const of = async (labels: readonly unknown[]) => (await fingerprint(open(labels))).labels.sha256;
    const own = await of([[2, 0], [], [1]]);
    expect(await of([[0, 2], [], [1]])).toBe(own);
    expect(await of([[0], [], [1]])).not.toBe(own);
    expect(await of([[0, 2], [1], []])).not.toBe(own);
  });

  it.each([
    [1, /sample "tags\/train\/1" has the label 1; a multi-label sample has a list of class ids, \[\] if/],
    [undefined, /has the label undefined; a multi-label sample has a list/],
    [[0, 3], /has the class 3 in its label \[0,3\]; class ids are 0 to 2 \(a, b, c\)\./],
    [[-1], /has the class -1 in its label/],
    [['a'], /has the class "a" in its label/],
    // oxlint-disable-next-line no-sparse-arrays -- What a user's program can make.
    [[, 1], /has the class undefined in its label \[1\]/],
    [[1, 0, 1], /has the class 1 twice in its label \[1,0,1\]/],
  ])('that are none are refused: %j', (label, message) => {
    expect(() => open([[], label])).toThrow(message);
  });

  it('are refused where samples have one class each, and without names', () => {
    expect(() => open([[0]], { task: 'classification' })).toThrow(
      "has the label [0]; it must be a class id, 0 to 2 (a, b, c). For several classes of one sample the task is 'multi-label'.",
    );
    expect(() => open([[0]], { task: 'regression', classNames: undefined })).toThrow(/has the target \[0\]/);
    expect(() => open([[0]], { classNames: [] })).toThrow(/`classNames`/);
  });

  it('are compared with those that were promised', async () => {
    const reading = (labels: readonly Label[]) =>
      fromSamples<'x'>({
        name: 'tags',
        split: 'train',
        task: 'multi-label',
        classNames,
        ids: ['p', 'q'],
        shapes: { x: [1] },
        labels,
        read: () => ({ label: [2, 1], inputs: { x: [0] } }),
      });
    expect(
      await hotOf(
        reading([
          [1, 2],
          [2, 1],
        ]),
      ),
    ).toHaveLength(2);
    await expect(hotOf(reading([[1, 2], [2]]))).rejects.toThrow(
      /sample "q" has the label \[2,1\] where `labels` promises \[2\]/,
    );
  });

  it('come from worker threads as they are', async () => {
    expect(await hotOf(tagged(), { workers: 2 })).toEqual(await hotOf(tagged()));
  });
});
