import * as tf from '@tensorflow/tfjs';
import { splitDifferences } from '@g2d/core/run-folder';
import { describe, expect, it } from 'vitest';
import type { MultimodalDataset } from '@g2d/core';
import { toy } from '../test/toy-source.js';
import { batches } from './batches.js';
import { fingerprint } from './fingerprint.js';
import { fromSamples, type OwnSample } from './from-samples.js';
import { withClassNames } from './with-class-names.js';

type Modality = 'sound' | 'table';

const samples = (count: number): (OwnSample<Modality> & { readonly label: number })[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `clip-${i}`,
    label: i % 3,
    inputs: { sound: [i, 1], table: [[i], [2 * i]] },
  }));

const own = (
  list: readonly OwnSample<Modality>[],
  classNames = ['a', 'b', 'c'],
): MultimodalDataset<Modality> => fromSamples({ name: 'own', split: 'train', classNames, samples: list });

/** Labels that only reading tells. */
const secretive = (list: readonly OwnSample<Modality>[]): MultimodalDataset<Modality> => {
  const { labels: _, ...rest } = own(list);
  return rest;
};

const differences = async (
  before: MultimodalDataset<string>,
  now: MultimodalDataset<string>,
): Promise<string[]> =>
  splitDifferences(await fingerprint(before), await fingerprint(now)).map(({ what }) => what);

const changed = (
  index: number,
  change: (sample: OwnSample<Modality>) => Partial<OwnSample<Modality>>,
): OwnSample<Modality>[] =>
  samples(12).map((sample, i) => (i === index ? { ...sample, ...change(sample) } : sample));

describe('fingerprint', () => {
  it('is the same for the same data', async () => {
    expect(await fingerprint(own(samples(12)))).toEqual(await fingerprint(own(samples(12))));
    expect(await differences(own(samples(12)), secretive(samples(12)))).toEqual([]);
  });

  it.each<[string, MultimodalDataset<Modality>, string[]]>([
    ['a sample more', own(samples(13)), ['samples']],
    ['a sample less', own(samples(11)), ['samples']],
    ['another id', own(changed(11, () => ({ id: 'other' }))), ['ids']],
    ['another order', own(samples(12).toReversed()), ['ids']],
    ['another label', own(changed(7, () => ({ label: 0 }))), ['labels']],
    ['shifted labels', own(samples(12).map((s) => ({ ...s, label: (s.label + 1) % 3 }))), ['labels']],
    ['another order of classes', own(samples(12), ['b', 'a', 'c']), ['classes']],
    ['a class more', own(samples(12), ['a', 'b', 'c', 'd']), ['classes']],
    [
      'one number of one sample',
      own(changed(5, ({ inputs }) => ({ inputs: { ...inputs, sound: [5, 1.0001] } }))),
      ['contents of sound'],
    ],
    [
      'a modality less in one sample',
      own(changed(0, ({ inputs }) => ({ inputs: { ...inputs, table: null } }))),
      ['contents of table'],
    ],
    [
      'contents of two samples the other way round',
      own(
        samples(12).map((s, i, all) =>
          i < 6 && i % 3 === 0 ? { ...s, inputs: (all[3 - i] as OwnSample<Modality>).inputs } : s,
        ),
      ),
      ['contents of sound', 'contents of table'],
    ],
  ])('sees %s', async (_, now, expected) => {
    expect(await differences(own(samples(12)), now)).toEqual(expected);
  });

  it('sees labels and contents of a dataset that says them sample by sample', async () => {
    const shifted = samples(12).map((s) => ({ ...s, label: (s.label + 1) % 3 }));
    expect(await differences(secretive(samples(12)), secretive(shifted))).toEqual(['labels']);
    expect(await differences(secretive(samples(12)), secretive(changed(3, () => ({ label: 1 }))))).toEqual([
      'labels',
    ]);
  });

  it('says both sides', async () => {
    const [before, now] = [
      await fingerprint(own(samples(12))),
      await fingerprint(own(samples(12), ['b', 'a', 'c'])),
    ];
    expect(splitDifferences(before, now)).toEqual([
      { what: 'classes', before: '"a", "b", "c"', now: '"b", "a", "c"' },
    ]);
    expect(splitDifferences(before, await fingerprint(own(samples(14))))).toEqual([
      { what: 'samples', before: '12', now: '14' },
    ]);
    const [ids] = splitDifferences(before, await fingerprint(own(changed(0, () => ({ id: 'x' })))));
    expect(ids?.before).toMatch(/^"clip-0", "clip-1", "clip-2", … \(sha256 [0-9a-f]{12}…\)$/);
    expect(ids?.now).toMatch(/^"x", "clip-1", "clip-2", … \(sha256 [0-9a-f]{12}…\)$/);
  });

  it('reads few samples of large data, whose inputs it is told to look at', async () => {
    const read: string[] = [];
    const large = fromSamples({
      name: 'large',
      split: 'test',
      classNames: ['a'],
      ids: Array.from({ length: 100_000 }, (_, i) => `${i}`),
      shapes: { film: [1000, 1000], sound: [null, 4] },
      read: (id, { modalities }) => {
        if (modalities.length > 0) read.push(`${id} ${modalities.join()}`);
        const film = modalities.includes('film') ? new Float32Array(1_000_000) : undefined;
        return { label: 0, inputs: { ...(film && { film }), sound: [[1, 2, 3, 4]] } };
      },
    });
    const whole = await fingerprint(large);
    expect(whole).toMatchObject({
      labels: { count: 256 },
      contents: { film: { count: 4 }, sound: { count: 2 ** 20 / 256 } },
    });
    // The first twice more, to see whether it varies.
    expect(read.filter((line) => line.includes('film'))).toHaveLength(6);
    expect(read).toHaveLength(4098);
    read.length = 0;
    const sound = await fingerprint(large, { modalities: ['sound'] });
    expect(sound.contents).toEqual({ sound: whole.contents['sound'] });
    expect(splitDifferences(whole, sound)).toEqual([]);
  });

  it('takes no part in what is drawn anew at each reading, and survives what cannot be read', async () => {
    let draws = 0;
    const restless: MultimodalDataset<Modality> = {
      ...own(samples(3)),
      sample: async (index, options) => {
        const sample = await own(samples(3)).sample(index, options);
        if (sample.inputs.sound) sample.inputs.sound[0] = draws++;
        return sample;
      },
    };
    expect(Object.keys((await fingerprint(restless)).contents)).toEqual(['table']);
    const broken = await fingerprint(toy({ size: 3, broken: [1] }));
    expect(broken).toEqual(await fingerprint(toy({ size: 3, broken: [1] })));
    expect(await differences(toy({ size: 3, broken: [1] }), toy({ size: 3 }))).toContain('labels');
  });

  it('is empty for an empty split', async () => {
    expect(await fingerprint(toy({ size: 0 }))).toMatchObject({
      size: 0,
      contents: {},
    });
  });
});

describe('labels by index', () => {
  it('are what reading gives, or the sample is refused', async () => {
    const data = fromSamples({
      name: 'own',
      split: 'train',
      classNames: ['a', 'b'],
      ids: ['x', 'y'],
      labels: [0, 1],
      shapes: { sound: [1] },
      read: () => ({ label: 0, inputs: { sound: [1] } }),
    });
    expect(data.labels).toEqual([0, 1]);
    const read = async (): Promise<void> => {
      for await (const batch of batches(data, { batchSize: 2 })) tf.dispose(batch);
    };
    await expect(read()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('sample "y" has the label 0 where `labels` promises 1') },
    });
  });
});

describe('withClassNames', () => {
  it('gives class ids by another list', async () => {
    const other = withClassNames(own(samples(4), ['c', 'a', 'b']), { classNames: ['a', 'b', 'c', 'd'] });
    expect(other.classNames).toEqual(['a', 'b', 'c', 'd']);
    expect(other.labels).toEqual([2, 0, 1, 2]);
    const labels = await Promise.all([0, 1, 2].map(async (i) => (await other.sample(i)).label));
    expect(labels).toEqual([2, 0, 1]);
    expect(await differences(own(samples(4)), other)).toEqual(['classes']);
  });

  it('refuses a class that the list lacks', () => {
    expect(() => withClassNames(own(samples(4)), { classNames: ['a', 'b'] })).toThrow(
      'own (train) has the class "c", which is none of the 2 that are asked for: "a", "b".',
    );
  });

  it('is opened again by a worker', async () => {
    const { openSource } = await import('./pipeline/open-source.js');
    const list = { classNames: ['c', 'b', 'a'] };
    const again = await openSource(structuredClone(withClassNames(toy({ size: 4 }), list).source!));
    expect((await again.sample(0)).label).toBe(2);
  });
});
