import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { batches } from './batches.js';
import type { MultimodalDataset } from '@g2d/core';
import { fromSamples, type FromSamplesOptions } from './from-samples.js';

type Options = FromSamplesOptions<'photo' | 'weather'>;

const options = {
  name: 'leaves',
  split: 'train',
  classNames: ['healthy', 'ill'],
  samples: [
    {
      label: 0,
      inputs: {
        photo: [
          [0, 1],
          [1, 0],
        ],
        weather: [21.5, 0.4, 3],
      },
    },
    {
      id: 'second',
      label: 1,
      inputs: {
        photo: [
          [1, 1],
          [0, 0],
        ],
        weather: Float32Array.of(19, 0.5, 7),
      },
    },
  ],
} as const satisfies FromSamplesOptions<'photo' | 'weather'>;

const read: Extract<Options, { read: unknown }> = {
  name: 'leaves',
  split: 'test',
  classNames: ['healthy', 'ill'],
  ids: ['a', 'b'],
  shapes: { photo: [2, 2], weather: [null, 3] },
  read: (_, { index }) => ({
    label: index,
    inputs: { photo: [1, 2, 3, 4], weather: new Float64Array(3 * (index + 1)) },
  }),
};

/** One sample's inputs, as they might come from a user. */
const withInputs = (inputs: object): Options => ({
  ...options,
  samples: [options.samples[0], { label: 1, inputs }],
});

describe('fromSamples', () => {
  it('finds modalities, shapes and ids', async () => {
    const dataset = fromSamples(options);
    expectTypeOf(dataset).toEqualTypeOf<MultimodalDataset<'photo' | 'weather'>>();
    expect(dataset.modalities).toEqual(['photo', 'weather']);
    expect(dataset.shapes).toEqual({ photo: [2, 2], weather: [3] });
    expect([dataset.ids, dataset.size, dataset.task]).toEqual([
      ['leaves/train/0', 'second'],
      2,
      'classification',
    ]);
    expect(dataset).not.toHaveProperty('incomplete');
    expect(await dataset.sample(1)).toEqual({
      id: 'second',
      label: 1,
      inputs: { photo: Float32Array.of(1, 1, 0, 0), weather: Float32Array.of(19, 0.5, 7) },
    });
    const { inputs } = await dataset.sample(0, { modalities: ['weather'] });
    inputs.weather.fill(0);
    expect((await dataset.sample(0)).inputs.weather[0]).toBe(21.5);
    await dataset.close();
    await expect(dataset.sample(0)).rejects.toThrow(/no sample 0/);
  });

  it('takes sequences of any length, one modality or many, and missing ones', async () => {
    const words = (count: number) => Array.from({ length: count }, () => Float32Array.of(1, 2));
    const dataset = fromSamples({
      name: 'talks',
      split: 'train',
      classNames: ['a', 'b', 'c'],
      samples: [
        { label: 0, inputs: { text: words(3), voice: [1], mood: null } },
        { label: 2, inputs: { text: words(1), voice: [2], mood: [0.5] } },
        { label: 1, inputs: { text: words(2) } },
      ],
    });
    expect(dataset.shapes).toEqual({ text: [null, 2], voice: [1], mood: [1] });
    expect(dataset.incomplete).toEqual(['voice', 'mood']);
    expect(await dataset.sample(2)).toEqual({
      id: 'talks/train/2',
      label: 1,
      inputs: { text: Float32Array.of(1, 2, 1, 2), voice: new Float32Array(1), mood: new Float32Array(1) },
      present: { text: true, voice: false, mood: false },
    });
    for await (const batch of batches(dataset, { batchSize: 3 })) {
      expect(batch.inputs.text.shape).toEqual([3, 3, 2]);
      expect([...batch.masks!.text!.dataSync()]).toEqual([1, 1, 1, 1, 0, 0, 1, 1, 0]);
      expect([...batch.present!.mood!.dataSync()]).toEqual([0, 1, 0]);
      expect(batch.present).not.toHaveProperty('text');
      tf.dispose(batch);
    }
  });

  it('takes bigints as the numbers that they are', async () => {
    const dataset = fromSamples({
      name: 'table',
      split: 'train',
      classNames: ['a', 'b', 'c'],
      samples: [
        { label: 2n, inputs: { flat: BigInt64Array.of(1n, -7n), nested: [[1n], [2n]] } },
        { label: 0, inputs: { flat: [3, 4], nested: [BigUint64Array.of(5n), Float32Array.of(0.5)] } },
      ],
    });
    expect(await dataset.sample(0)).toMatchObject({
      label: 2,
      inputs: { flat: Float32Array.of(1, -7), nested: Float32Array.of(1, 2) },
    });
    expect((await dataset.sample(1)).inputs.nested).toEqual(Float32Array.of(5, 0.5));
    const targets = fromSamples({
      name: 'targets',
      split: 'train',
      task: 'regression',
      samples: [{ label: 3n, inputs: { x: [1n] } }],
    });
    expect((await targets.sample(0)).label).toBe(3);
  });

  it.each([
    [NaN, 'NaN'],
    [7n, '7'],
    [-1, '-1'],
    [0.5, '0.5'],
    ['1', '"1"'],
    [undefined, 'undefined'],
    [{}, '{}'],
    [Symbol('x'), 'Symbol(x)'],
  ])('names the label %o as it is', (label, written) => {
    expect(() =>
      fromSamples({
        name: 'own',
        split: 'train',
        classNames: ['a', 'b'],
        samples: [{ label: label as number, inputs: { x: [1] } }],
      }),
    ).toThrow(`sample "own/train/0" has the label ${written}; it must be a class id`);
  });

  it.each([
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    ['1', '"1"'],
    [null, 'null'],
  ])('names the target %o as it is', (label, written) => {
    expect(() =>
      fromSamples({
        name: 'own',
        split: 'train',
        task: 'regression',
        samples: [{ label: label as number, inputs: { x: [1] } }],
      }),
    ).toThrow(`has the target ${written}; it must be a finite number`);
  });

  it('takes targets', async () => {
    const dataset = fromSamples({
      name: 'soil',
      split: 'test',
      task: 'regression',
      samples: [{ label: 0.25, inputs: { table: [1] } }],
    });
    expect([dataset.task, dataset.classNames]).toEqual(['regression', []]);
    expect((await dataset.sample(0)).label).toBe(0.25);
  });

  it('reads with a function', async () => {
    const calls: unknown[] = [];
    const source = { module: 'file:///leaves.js', name: 'leaves', options: {} };
    const dataset = fromSamples({
      ...read,
      source,
      augmented: ['photo'],
      read: (id, how) => (calls.push([id, how]), read.read(id, how)),
    });
    expect([dataset.source, dataset.augmented, dataset.ids]).toEqual([source, ['photo'], ['a', 'b']]);
    expect(await dataset.sample(1, { modalities: ['weather'] })).toEqual({
      id: 'b',
      label: 1,
      inputs: { weather: new Float32Array(6) },
    });
    expect(calls).toEqual([['b', { index: 1, modalities: ['weather'] }]]);
  });

  it('knows a missing modality from one that was not asked for', async () => {
    const make = (photo?: null) =>
      fromSamples({
        ...read,
        incomplete: ['photo'],
        read: () => ({ label: 0, inputs: { weather: [1, 2, 3], ...(photo === null && { photo }) } }),
      });
    expect(await make().sample(0, { modalities: ['weather'] })).not.toHaveProperty('present');
    const present = { photo: false, weather: true };
    expect(await make(null).sample(0, { modalities: ['weather'] })).toMatchObject({ present });
    expect(await make().sample(0)).toMatchObject({ present, inputs: { photo: new Float32Array(4) } });
    const undeclared = fromSamples({ ...read, read: () => ({ label: 0, inputs: { weather: [1, 2, 3] } }) });
    await expect(undeclared.sample(0)).rejects.toThrow(
      /sample "a" lacks photo, which `incomplete` does not name/,
    );
  });

  it('makes what is not finite 0 on demand', async () => {
    const dataset = fromSamples({
      ...withInputs({
        photo: [
          [NaN, 1],
          [-Infinity, 1e300],
        ],
        weather: [1, 2, 3],
      }),
      nonFinite: 'zero',
    });
    expect((await dataset.sample(1)).inputs.photo).toEqual(Float32Array.of(0, 1, 0, 0));
  });

  it.each([
    [{ ...options, name: '' }, /`name` is ""/],
    [{ ...options, split: 'val' as 'test' }, /`split` is "val".*'train', 'validation' or 'test'/],
    [{ ...options, task: 'ranking' as 'regression' }, /`task` is "ranking"/],
    [{ ...options, nonFinite: 'ignore' as 'zero' }, /`nonFinite` is "ignore"/],
    [{ name: 'x', split: 'test', samples: options.samples } as Options, /`classNames`.*`task: 'regression'`/],
    [{ ...options, classNames: ['a', 'a'] }, /`classNames`.*"a" comes twice/],
    [{ ...options, task: 'regression' }, /`classNames`.*left out for a regression/],
    [
      { ...options, classNames: ['a'] },
      /sample "second" has the label 1; it must be a class id, 0 to 0 \(a\)/,
    ],
    [{ ...options, samples: [{ label: '1' as never, inputs: {} }] }, /no modality/],
    [{ ...options, samples: [{ ...options.samples[0], label: '1' as never }] }, /the label "1"/],
    [{ ...options, samples: [{ ...options.samples[0], label: 0.5 }] }, /the label 0.5/],
    [{ ...options, samples: [options.samples[1], options.samples[1]] }, /the id "second" comes twice/],
    [{ ...options, samples: [] }, /no modality/],
    [
      {
        name: 'x',
        split: 'test',
        task: 'regression',
        samples: [{ label: NaN, inputs: options.samples[0].inputs }],
      },
      /the target NaN; it must be a finite number/,
    ],
    [
      withInputs({ photo: [[1], [1]], weather: [1, 2, 3] }),
      /"leaves\/train\/1", photo: the shape is \[2, 1\], others have \[2, 2\]/,
    ],
    [withInputs({ photo: [[1, 2], [1]], weather: [1, 2, 3] }), /photo: rows of different length/],
    [
      withInputs({ photo: options.samples[0].inputs.photo, weather: [1, 2] }),
      /weather: 2 numbers, others have 3.*nest/,
    ],
    [
      withInputs({ photo: options.samples[0].inputs.photo, weather: [1, NaN, 3] }),
      /weather: NaN at position 1.*'zero'/,
    ],
    [
      { ...withInputs({ smell: [1] }), shapes: read.shapes } as Options,
      /"leaves\/train\/1" of leaves has no modality "smell"/,
    ],
    [{ ...options, shapes: { photo: [2, 2], weather: [4] } }, /weather: 3 numbers; expected \[4\]/],
    [{ ...options, shapes: { photo: [4], weather: [3] } }, /photo: the shape \[2, 2\]; expected \[4\]/],
    [
      { ...options, shapes: { photo: [2, null], weather: [3] } },
      /photo has the shape \[2, any\]; expected whole/,
    ],
    [{ ...read, shapes: { photo: [0], weather: [3] } }, /photo has the shape \[0\]/],
    [{ ...read, ids: ['a', 'a'] }, /the id "a" comes twice/],
    [{ ...read, labels: [0, 1, 0] }, /`labels` has 3 entries for \d ids; give one for each/],
    [{ ...read, ids: ['a', 'b'], labels: [0, 9] }, /sample "b" has the label 9; it must be a class id/],
  ] as [Options, RegExp][])('refuses %#: %o', (wrong, message) => {
    expect(() => fromSamples(wrong)).toThrow(message);
  });

  it.each([
    [{ label: 2, inputs: {} }, /label 2/],
    [
      { label: 0, inputs: { photo: [1], weather: [1, 2, 3] } },
      /sample "a", photo: 1 numbers; expected \[2, 2\]/,
    ],
    [
      { label: 0, inputs: { photo: [1, 2, 3, 4], weather: [1, 2] } },
      /weather: 2 numbers; expected \[any, 3\]/,
    ],
    [{ label: 0, inputs: { photo: [1, 2, 3, 4], weather: [] } }, /weather: 0 numbers/],
    [{ label: 0, inputs: { photo: [1, 2, 3, 4], weather: [1, Infinity, 0] } }, /Infinity at position 1/],
  ])('refuses what the function gives: %o', async (sample, message) => {
    await expect(fromSamples({ ...read, read: () => sample }).sample(0)).rejects.toThrow(message);
  });

  it('is typed by its modalities', () => {
    // @ts-expect-error There is no such modality.
    expect(fromSamples(options).shapes.smell).toBeUndefined();
  });
});
