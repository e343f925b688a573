import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { batches } from './batches.js';
import * as here from './browser.js';
import * as everywhere from './index.js';

const numbers = () =>
  here.fromSamples({
    name: 'numbers',
    split: 'train',
    classNames: ['even', 'odd'],
    samples: Array.from({ length: 7 }, (_, i) => ({ label: i % 2, inputs: { x: [i, -i] } })),
  });

describe('what runs anywhere', () => {
  it('has the names of the whole package', () => {
    expect(Object.keys(here).filter((name) => !(name in everywhere))).toEqual([]);
  });

  it('reads the batches that Node reads', async () => {
    await tf.setBackend('cpu');
    const options = { batchSize: 3, seed: 4, epoch: 2, shuffle: true };
    const read = async (pass: typeof batches): Promise<unknown[]> => {
      const all: unknown[] = [];
      for await (const batch of pass(numbers(), options)) {
        all.push([batch.ids, Array.from(batch.inputs.x.dataSync()), Array.from(batch.labels.dataSync())]);
        tf.dispose(batch);
      }
      return all;
    };
    const expected = await read(batches);
    expect(expected).toHaveLength(3);
    expect(await read(here.batches)).toEqual(expected);
  });

  it('has no threads', async () => {
    await expect(here.batches(numbers(), { batchSize: 3, workers: 2 }).next()).rejects.toThrow(
      '`workers` is 2, but only Node has threads that read; leave it at 0 here.',
    );
  });
});
