import { fromSamples } from '@g2d/datasets';
import { describe, expect, it } from 'vitest';
import { samplesOf } from './samples-of.js';

describe('samplesOf', () => {
  it('has the samples that are asked for, in the dataset’s order, and leaves it open', async () => {
    const dataset = fromSamples({
      name: 'toy',
      split: 'train',
      classNames: ['a', 'b'],
      samples: ['w', 'x', 'y', 'z'].map((id, i) => ({
        id,
        label: i % 2,
        inputs: { audio: Float32Array.of(i) },
      })),
    });
    const some = samplesOf(dataset, ['z', 'x', 'nobody']);
    expect([some.size, some.ids, some.source]).toEqual([2, ['x', 'z'], undefined]);
    expect(Array.from(some.labels ?? [])).toEqual(Array.from(dataset.labels ?? []).length > 0 ? [1, 1] : []);
    expect(await some.sample(1)).toMatchObject({ id: 'z', label: 1, inputs: { audio: Float32Array.of(3) } });
    await some.close();
    expect(await dataset.sample(0)).toMatchObject({ id: 'w' });
  });
});
