import '@tensorflow/tfjs';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { randomStream } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { toy, type ToyModality, type ToyOptions } from '../test/toy-source.js';
import { avMnist } from './av-mnist.js';
import type { Batch } from './batch.js';
import { batches } from './batches.js';
import type { BatchesOptions } from './pass.js';
import type { MultimodalDataset } from '@g2d/core';
import { decodedCache } from './decoded-cache.js';
import { missingModalities } from './missing-modalities.js';

type Options = BatchesOptions<ToyModality>;

/** A batch as plain values. */
function plain(batch: Batch<ToyModality>) {
  const values = (tensors: Readonly<Record<string, tf.Tensor | undefined>>) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [
        name,
        { shape: tensor!.shape, values: [...tensor!.dataSync()] },
      ]),
    );
  const { inputs, labels, ids, present, masks } = batch;
  return {
    inputs: values(inputs),
    labels: [...labels.dataSync()],
    ids: [...ids],
    ...(present && { present: values(present) }),
    ...(masks && { masks: values(masks) }),
  };
}

async function collect(options: Options, dataset: MultimodalDataset<ToyModality> = toy({ size: 7 })) {
  const seen: ReturnType<typeof plain>[] = [];
  for await (const batch of batches(dataset, options)) {
    seen.push(plain(batch));
    tf.dispose(batch);
  }
  return seen;
}

const ids = async (options: Options, size = 7): Promise<string[]> =>
  (await collect(options, toy({ size }))).flatMap((batch) => batch.ids);

const failure = (promise: Promise<unknown>): Promise<Error & { code?: string; details?: object }> =>
  promise.then(
    () => new Error('it worked'),
    (error: unknown) => error as Error,
  );

describe('batches', () => {
  it('stacks samples in order into tensors', async () => {
    const [first, , last] = await collect({ batchSize: 3 });
    expect(first?.ids).toEqual(['toy/0', 'toy/1', 'toy/2']);
    expect(first?.labels).toEqual([0, 1, 2]);
    expect(first?.inputs['sound']).toEqual({ shape: [3, 2], values: [0, 0.5, 1, 1.5, 2, 2.5] });
    expect(first?.inputs['picture']).toEqual({ shape: [3, 1, 1, 1], values: [0, -1, -2] });
    expect(last?.ids).toEqual(['toy/6']);
  });

  it('fills free lengths with zeros at the end, and says where', async () => {
    const [first, second] = await collect({ batchSize: 3 });
    expect(first?.inputs['text']).toEqual({
      shape: [3, 3, 2],
      values: [0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 2, 0, 2, 1, 2, 2],
    });
    expect(first?.masks).toEqual({ text: { shape: [3, 3], values: [1, 0, 0, 1, 1, 0, 1, 1, 1] } });
    expect(second?.inputs['text']?.shape).toEqual([3, 4, 2]);
    expect((await collect({ batchSize: 3, modalities: ['sound'] }))[0]).not.toHaveProperty('masks');
  });

  it('gives float32 inputs, int32 class ids and float32 targets', async () => {
    for await (const batch of batches(toy({ size: 2 }), { batchSize: 2 })) {
      expect(batch.inputs.picture.dtype).toBe('float32');
      expect([batch.labels.shape, batch.labels.dtype]).toEqual([[2], 'int32']);
      tf.dispose(batch);
    }
    const base = toy({ size: 2 });
    const regression: typeof base = {
      ...base,
      task: 'regression',
      sample: async (i, options) => ({ ...(await base.sample(i, options)), label: i / 4 }),
    };
    for await (const batch of batches(regression, { batchSize: 2 })) {
      expect([batch.labels.dtype, ...batch.labels.dataSync()]).toEqual(['float32', 0, 0.25]);
      tf.dispose(batch);
    }
  });

  it('leaves out an incomplete last batch when asked', async () => {
    const sizes = async (batchSize: number) =>
      (await collect({ batchSize, dropLast: true })).map((batch) => batch.ids.length);
    expect(await sizes(3)).toEqual([3, 3]);
    expect(await sizes(8)).toEqual([]);
    expect(await sizes(7)).toEqual([7]);
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

  it('keeps the order of earlier versions', async () => {
    // An order that changes would make old runs impossible to repeat.
    expect(await ids({ batchSize: 4, shuffle: true, seed: 3, epoch: 2 }, 8)).toEqual(
      [1, 6, 0, 5, 3, 7, 2, 4].map((i) => `toy/${i}`),
    );
  });

  it('reads one of equal parts of each batch, where nothing else can change what a step makes of it', async () => {
    const read: number[] = [];
    const base = toy({ size: 10 });
    const counted: typeof base = { ...base, sample: (i, how) => (read.push(i), base.sample(i, how)) };
    const modalities = ['sound', 'picture'] as const;
    const options = { batchSize: 4, shuffle: true, transform: 'train', modalities } as const;
    const whole = await collect(options as never, base);
    const halves: (typeof whole)[] = [];
    for (const index of [0, 1])
      halves.push(await collect({ ...options, part: { index, of: 2 } } as never, counted));
    expect(whole.map((_, i) => halves.flatMap((half) => half[i]!.ids))).toEqual(
      whole.map((batch) => batch.ids),
    );
    const pictures = (all: typeof whole) => all.map(({ inputs }) => inputs['picture']!.values);
    expect(whole.map((_, i) => halves.flatMap((half) => pictures(half)[i]))).toEqual(pictures(whole));
    expect(read.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    const sizes = async (changes: object, from = base) => {
      const found: unknown[] = [];
      const own = { ...options, part: { index: 1, of: 2 }, ...changes };
      for await (const batch of batches(from, own as never)) {
        found.push([batch.ids.length, batch.part]);
        tf.dispose(batch);
      }
      return found;
    };
    const part = { index: 1, of: 2 };
    expect(await sizes({})).toEqual([
      [2, part],
      [2, part],
      [1, part],
    ]);
    const all = [[4], [4], [2]].map(([size]) => [size, undefined]);
    // The last batch has too few; three processes cannot divide it, nor four samples.
    expect(await sizes({ part: { ...part, least: 2 } })).toEqual([
      [2, part],
      [2, part],
      [2, undefined],
    ]);
    expect(await sizes({ part: { index: 0, of: 3 } })).toEqual(all);
    // A text is as long as the longest of its batch; who lacks a sound is known once it is read; who cannot be read is missing in one part alone.
    expect(await sizes({ modalities: ['sound', 'text'] })).toEqual(all);
    expect(await sizes({}, { ...base, incomplete: ['sound'] })).toEqual(all);
    expect(await sizes({ onError: 'skip' })).toEqual(all);
    await expect(sizes({ part: { index: 0, of: 0 } })).rejects.toThrow(/`part.of` is 0/);
  });

  it('resumes in the middle of an epoch', async () => {
    const options: Options = { batchSize: 3, shuffle: true, seed: 4, transform: 'train' };
    const all = await collect(options, toy({ size: 20 }));
    const read: number[] = [];
    const base = toy({ size: 20 });
    const counted: typeof base = { ...base, sample: (i, how) => (read.push(i), base.sample(i, how)) };
    expect(await collect({ ...options, startBatch: 4 }, counted)).toEqual(all.slice(4));
    expect(read).toHaveLength(20 - 4 * 3);
    expect(await collect({ ...options, startBatch: 99 })).toEqual([]);
  });

  it('reads only the modalities that are asked for', async () => {
    const asked: (readonly string[] | undefined)[] = [];
    const base = toy({ size: 2 });
    const dataset: typeof base = {
      ...base,
      sample: (i, how) => (asked.push(how?.modalities), base.sample(i, how)),
    };
    for await (const batch of batches(dataset, { batchSize: 2, modalities: ['text', 'sound'] })) {
      expect(Object.keys(batch.inputs)).toEqual(['text', 'sound']);
      expectTypeOf(batch).toEqualTypeOf<Batch<'text' | 'sound'>>();
      tf.dispose(batch);
    }
    expect(asked).toEqual([
      ['text', 'sound'],
      ['text', 'sound'],
    ]);
  });

  it('augments a sample alike whatever the order and the other modalities', async () => {
    const noise: NonNullable<Options['augment']>['picture'] = (input, _shape, random) =>
      input.map(() => random!.uniform());
    const pictures = async (options: Options): Promise<Map<string, number>> =>
      new Map(
        (await collect(options)).flatMap((batch) =>
          batch.ids.map((id, i) => [id, batch.inputs['picture']!.values[i] as number] as const),
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
    // The dataset's own augmentation draws from the same stream, and what comes after it from another one.
    const own = await pictures({ batchSize: 3, seed: 5, epoch: 4, transform: 'train' });
    expect(own.get('toy/0')).toBe(base.get('toy/0'));
    const both = await pictures({
      batchSize: 3,
      seed: 5,
      epoch: 4,
      transform: 'train',
      augment: { picture: noise },
    });
    expect(both.get('toy/0')).not.toBe(base.get('toy/0'));
    expect((await pictures({ batchSize: 3, seed: 5, epoch: 4 })).get('toy/3')).toBe(-3);
  });

  it('hands the shape to the augmentation', async () => {
    const shapes: (readonly number[])[] = [];
    const look = (input: Float32Array, shape: readonly number[]): Float32Array => {
      shapes.push(shape);
      return input;
    };
    await collect({ batchSize: 7, augment: { picture: look, text: look } }, toy({ size: 2 }));
    expect(shapes).toEqual([
      [1, 1, 1],
      [1, 1, 1],
      [1, 2],
      [2, 2],
    ]);
  });

  it('marks missing modalities in a mask for each that can be missing', async () => {
    const half = missingModalities(toy({ size: 6 }), { rate: 0.5, seed: 1 });
    const [batch] = await collect({ batchSize: 6, augment: { sound: (x) => x.fill(9) } }, half);
    expect(Object.keys(batch!.present!)).toEqual(['sound', 'picture', 'text']);
    const cells = Object.values(batch!.present!).flatMap(({ values }) => values);
    expect(cells.filter((cell) => cell === 1)).toHaveLength(9);
    batch!.present!['sound']!.values.forEach((there, i) =>
      expect(batch!.inputs['sound']!.values.slice(2 * i, 2 * i + 2)).toEqual(there ? [9, 9] : [0, 0]),
    );
    expect((await collect({ batchSize: 6 }))[0]).not.toHaveProperty('present');
  });

  it('never reads further ahead than asked', async () => {
    const started: number[] = [];
    const base = toy({ size: 20 });
    const dataset: typeof base = { ...base, sample: (i, how) => (started.push(i), base.sample(i, how)) };
    for (const [prefetch, ahead] of [
      [0, 0],
      [1, 2],
      [3, 6],
    ] as const) {
      started.length = 0;
      let handed = 0;
      for await (const batch of batches(dataset, { batchSize: 2, prefetch })) {
        handed += 2;
        await new Promise((resolve) => setTimeout(resolve, 5));
        expect(started).toHaveLength(Math.min(20, handed + ahead));
        tf.dispose(batch);
      }
    }
  });

  it('leaves only what the consumer holds when the loop is left early or a sample fails', async () => {
    const held: Batch<ToyModality>[] = [];
    const before = tf.memory().numTensors;
    for await (const batch of batches(toy({ size: 9 }), { batchSize: 3, prefetch: 2 })) {
      held.push(batch);
      break;
    }
    expect(tf.memory().numTensors - before).toBe(5);
    tf.dispose(held);
    expect(tf.memory().numTensors).toBe(before);
    await expect(collect({ batchSize: 3 }, toy({ size: 9, broken: [4] }))).rejects.toThrow('no file');
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    [{ batchSize: 0 }, /`batchSize` is 0/],
    [{ batchSize: 2.5 }, /`batchSize` is 2.5/],
    [{ batchSize: 2, epoch: -1 }, /`epoch` is -1/],
    [{ batchSize: 2, seed: 0.5 }, /`seed` is 0.5/],
    [{ batchSize: 2, startBatch: -1 }, /`startBatch` is -1/],
    [{ batchSize: 2, workers: 1.5 }, /`workers` is 1.5/],
    [{ batchSize: 2, prefetch: NaN }, /`prefetch` is NaN/],
    [{ batchSize: 2, transform: 'training' as 'train' }, /`transform` is "training".*'train' or 'test'/],
    [{ batchSize: 2, onError: 'ignore' as 'skip' }, /`onError` is "ignore"/],
    [{ batchSize: 2, onError: { retry: 0 } }, /`onError.retry` is 0/],
    [{ batchSize: 2, augment: { picture: () => new Float32Array(3) } }, /made 3 values of 1/],
    [{ batchSize: 2, augment: { smell: () => new Float32Array(1) } }, /no modality "smell".*sound, picture/],
    [{ batchSize: 2, modalities: ['smell'] }, /no modality "smell".*sound, picture/],
  ] as [Options, RegExp][])('refuses %o', async (options, message) => {
    await expect(batches(toy({ size: 3 }), options).next()).rejects.toThrow(message);
  });
});

describe.each([0, 1])('batches with %i workers when samples cannot be read', (workers) => {
  it('names the sample, after the batches before it', async () => {
    const dataset = toy({ size: 9, broken: [5, 4], delay: 20 });
    const seen: string[] = [];
    const error = await failure(
      (async () => {
        for await (const batch of batches(dataset, { batchSize: 2, workers, prefetch: 4 })) {
          seen.push(...batch.ids);
          tf.dispose(batch);
        }
      })(),
    );
    expect(seen).toEqual(['toy/0', 'toy/1', 'toy/2', 'toy/3']);
    expect(error.message).toMatch(/^Sample "toy\/4" of toy \(train\) could not be read: no file 4\./);
    expect([error.code, error.details]).toMatchObject(['G2D_SAMPLE', { id: 'toy/4', index: 4 }]);
    expect(error.cause).toMatchObject({ message: 'no file 4', code: 'ENOENT' });
  });

  it('leaves them out on demand, and batches that lost everything', async () => {
    const dropped: string[] = [];
    const seen = await collect(
      {
        batchSize: 2,
        workers,
        onError: 'skip',
        onDrop: ({ id, error }) => dropped.push(`${id} ${String(error)}`),
      },
      toy({ size: 8, broken: [1, 4, 5] }),
    );
    expect(seen.map((batch) => batch.ids)).toEqual([['toy/0'], ['toy/2', 'toy/3'], ['toy/6', 'toy/7']]);
    expect(seen[0]?.inputs['sound']).toEqual({ shape: [1, 2], values: [0, 0.5] });
    expect(dropped).toEqual([1, 4, 5].map((i) => `toy/${i} Error: no file ${i}`));
  });

  it('warns of what it leaves out if nobody listens', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    await collect({ batchSize: 4, workers, onError: 'skip' }, toy({ size: 4, broken: [1] }));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(warnings).toEqual(['Sample "toy/1" is left out: no file 1']);
  });

  it('tries again on demand', async () => {
    expect(
      await collect({ batchSize: 3, workers, onError: { retry: 1 } }, toy({ size: 6, flaky: [2, 3] })),
    ).toEqual(await collect({ batchSize: 3 }, toy({ size: 6 })));
    await expect(
      collect({ batchSize: 3, workers, onError: { retry: 1 } }, toy({ size: 6, broken: [2] })),
    ).rejects.toThrow('no file 2');
  });
});

describe('batches with workers', () => {
  it('are the same for any number of workers and batches ahead', async () => {
    const random = randomStream(1);
    const datasets = [
      toy({ size: 13, delay: 3, broken: [3, 9] }),
      missingModalities(toy({ size: 13 }), { rate: 0.4, seed: 2 }),
    ];
    const before = tf.memory().numTensors;
    for (let i = 0; i < 30; i++) {
      const dataset = datasets[i % 2]!;
      const options: Options = {
        batchSize: 1 + random.integer(6),
        seed: random.integer(100),
        epoch: 1 + random.integer(3),
        shuffle: random.uniform() < 0.7,
        dropLast: random.uniform() < 0.5,
        startBatch: random.integer(3),
        transform: random.uniform() < 0.5 ? 'train' : 'test',
        onError: 'skip',
        onDrop: ({ id }) => drops.push(id),
        ...(random.uniform() < 0.3 && { modalities: ['text', 'picture'] as const }),
        ...(random.uniform() < 0.5 && {
          augment: { picture: (x, _, stream) => x.map((v) => v + stream.uniform()) },
        }),
      };
      let drops: string[] = [];
      const expected = await collect(options, dataset);
      const expectedDrops = drops;
      drops = [];
      const pipeline = { workers: random.integer(3), prefetch: random.integer(4) };
      expect(
        await collect({ ...options, ...pipeline }, dataset),
        JSON.stringify({ options, pipeline }),
      ).toEqual(expected);
      expect(drops).toEqual(expectedDrops);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('can be left early, and used again', async () => {
    const dataset = toy({ size: 40, delay: 5 });
    const before = tf.memory().numTensors;
    for await (const batch of batches(dataset, { batchSize: 4, workers: 2, prefetch: 8 })) {
      tf.dispose(batch);
      break;
    }
    expect(tf.memory().numTensors).toBe(before);
    expect(await collect({ batchSize: 4, workers: 2 }, dataset)).toEqual(
      await collect({ batchSize: 4 }, toy({ size: 40 })),
    );
  });

  it('open wrapped datasets of this package', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'g2d-batches-'));
    const root = fileURLToPath(new URL('../../../test/fixtures/avmnist', import.meta.url));
    const test = await avMnist({ root, split: 'test' });
    const dataset = decodedCache(missingModalities(test, { rate: 0.3 }), { folder });
    const read = async (workers: number) => {
      const seen: unknown[] = [];
      for await (const { ids, inputs, labels, present } of batches(dataset, { batchSize: 4, workers })) {
        const tensors = [inputs.audio, inputs.image, labels, present!.audio!, present!.image!];
        seen.push(ids, ...tensors.map((tensor) => tensor.dataSync()));
        tf.dispose(tensors);
      }
      return seen;
    };
    const byWorker = await read(1);
    expect(byWorker).toEqual(await read(0));
    await dataset.close();
    rmSync(folder, { recursive: true });
  });

  it('are two passes at once', async () => {
    const dataset = toy({ size: 8, delay: 2 });
    const options: Options = { batchSize: 2, workers: 1, prefetch: 2, shuffle: true };
    const expected = await collect({ ...options, workers: 0 }, dataset);
    expect(await Promise.all([collect(options, dataset), collect(options, dataset)])).toEqual([
      expected,
      expected,
    ]);
  });

  it('end with a sentence if a worker dies', async () => {
    const before = tf.memory().numTensors;
    const error = await failure(collect({ batchSize: 2, workers: 2 }, toy({ size: 9, deadly: [5] })));
    expect(error.message).toMatch(/A worker thread that reads toy \(train\) ended with exit code 3/);
    expect(error.code).toBe('G2D_WORKER');
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    [{ size: 3, unopenable: true }, /could not open it again through its `source`: the folder is not there/],
    [{ size: 3, prefix: 'other/' }, /sample 0 of toy is "other\/toy\/0" there and "toy\/0" here/],
  ] as [ToyOptions, RegExp][])('end with a sentence if a worker opens %o', async (options, message) => {
    const dataset = toy({ size: 3 });
    const source = { ...dataset.source!, options };
    expect((await failure(collect({ batchSize: 2, workers: 1 }, { ...dataset, source }))).message).toMatch(
      message,
    );
  });

  it.each([
    [undefined, /it has no `source`/],
    [{ module: '@g2d/datasets', name: 'nothing', options: {} }, /@g2d\/datasets has no function "nothing"/],
    [{ module: 'file:///nowhere.js', name: 'open', options: {} }, /nowhere/],
    [{ module: import.meta.url, name: 'toy', options: () => 1 }, /must be data that can be cloned/],
  ])('refuse the source %o', async (source, message) => {
    const { source: _, ...dataset } = toy({ size: 3 });
    const error = await failure(
      collect({ batchSize: 2, workers: 1 }, { ...dataset, ...(source && { source }) }),
    );
    expect(error.message).toMatch(message);
  });

  it('do not keep the process alive', async () => {
    const program = `
      import '@tensorflow/tfjs';
      import { batches } from ${JSON.stringify(new URL('./batches.ts', import.meta.url).href)};
      import { toy } from ${JSON.stringify(new URL('../test/toy-source.ts', import.meta.url).href)};
      for await (const batch of batches(toy({ size: 4 }), { batchSize: 2, workers: 1 })) console.log(batch.ids.join());
      for await (const batch of batches(toy({ size: 4 }), { batchSize: 2, workers: 1 })) break;
      void batches(toy({ size: 4 }), { batchSize: 2, workers: 1 }).next();`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@g2d/source', '--import', 'tsx', '--input-type=module', '--eval', program],
      { cwd: fileURLToPath(new URL('../../..', import.meta.url)), timeout: 25_000 },
    );
    expect(stdout).toBe('toy/0,toy/1\ntoy/2,toy/3\n');
  });
});
