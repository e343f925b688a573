// Runs whose data, modules, teachers or checkpoints are not what they were.
import * as tf from '@tensorflow/tfjs';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomStream } from '@g2d/tensor-ops';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FolderSplit } from '../test/folder-dataset.js';
import { toyConfig, toyTeacher } from '../test/toy-config.js';
import { evaluateSplit } from './evaluate-split.js';
import { loadRun } from './load-run.js';
import { RunFolder } from './node/run-folder.js';
import { parseConfig, readConfig } from './read-config.js';
import { runSweep, trainRun, type RunReporter } from './index.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-changed-'));
const at = (...names: string[]): string => join(root, ...names);
const path = fileURLToPath(new URL('../test/folder-dataset.ts', import.meta.url));
let count = 0;

type Splits = Record<'train' | 'validation' | 'test', FolderSplit>;

/** Samples of three classes that say what they are. */
function splits(): Splits {
  const random = randomStream(7);
  const of = (split: string, size: number): FolderSplit => ({
    classNames: ['a', 'b', 'c'],
    samples: Array.from({ length: size }, (_, i) => ({
      id: `${split}-${i}`,
      label: i % 3,
      inputs: {
        loud: [0, 1, 2].map((axis) => (axis === i % 3 ? 2 : 0) + random.uniform()),
        quiet: [0, 1].map((axis) => (axis === i % 3 ? 1 : 0) + random.uniform()),
      },
    })),
  });
  return { train: of('train', 12), validation: of('validation', 6), test: of('test', 6) };
}

/** A folder of data, changed. */
function dataFolder(change: (data: Splits) => void = () => {}): string {
  const folder = at(`data-${count++}`);
  mkdirSync(folder);
  writeData(folder, change);
  return folder;
}

function writeData(folder: string, change: (data: Splits) => void): void {
  const data = splits();
  change(data);
  for (const split of ['train', 'validation', 'test'] as const) {
    const file = join(folder, `${split}.json`);
    rmSync(file, { force: true });
    if (data[split]) writeFileSync(file, JSON.stringify(data[split]));
  }
}

const config = (folder: string, changes: object = {}, options: object = {}) =>
  parseConfig({
    ...toyConfig({ epochs: 2, batchSize: 4, select: 'last' }),
    dataset: { name: 'module', path, options: { folder, ...options } },
    ...changes,
  });

const notes: string[] = [];
const silent: RunReporter = {
  begin: () => {},
  step: () => {},
  epoch: () => {},
  note: (line) => void notes.push(line),
};

/** A run that was stopped after two of its six steps. */
async function stopped(folder: string, changes: object = {}, options: object = {}): Promise<string> {
  const out = at(`run-${count++}`);
  const stop = new AbortController();
  let steps = 0;
  const reporter = { ...silent, step: () => void (++steps === 2 && stop.abort()) };
  const { status } = await trainRun(config(folder, changes, options), { out, signal: stop.signal, reporter });
  expect(status).toBe('interrupted');
  return out;
}

const resume = (out: string, folder: string, changes: object = {}, options: object = {}) => {
  notes.length = 0;
  return trainRun(config(folder, changes, options), { out, resume: true, reporter: silent });
};
const read = (...file: string[]) => JSON.parse(readFileSync(join(...file), 'utf8'));
const refusal = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing was refused',
    (error: Error) => error.message,
  );

beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CHANGES: readonly [string, (data: Splits) => void, RegExp][] = [
  [
    'more training samples',
    ({ train }) => void train.samples.push({ ...train.samples[0]!, id: 'train-12' }),
    /The train split has changed since the run in \S+ began \(samples: 12 then, 13 now\)/,
  ],
  ['fewer test samples', ({ test }) => void test.samples.pop(), /The test split .*samples: 6 then, 5 now/],
  [
    'other ids',
    ({ train }) => train.samples.forEach((sample) => (sample.id = sample.id.replace('train', 'new'))),
    /The train split .*ids: "train-0", .* then, "new-0", /,
  ],
  ['one other id', ({ train }) => void (train.samples[11]!.id = 'other'), /ids: "train-0", "train-1"/],
  [
    'another order',
    ({ train }) => void (train.samples = train.samples.toReversed()),
    /ids: "train-0", .* "train-11", /,
  ],
  [
    'shifted labels',
    ({ train }) =>
      train.samples.forEach((sample) => Object.assign(sample, { label: (sample.label + 1) % 3 })),
    /The train split .*labels: sha256 \w+… then, sha256 \w+… now/,
  ],
  [
    'one other label of the test split',
    ({ test }) => void Object.assign(test.samples[4]!, { label: 0 }),
    /The test split .*labels/,
  ],
  [
    'another order of classes',
    (data) => Object.values(data).forEach((split) => (split.classNames = ['b', 'a', 'c'])),
    /classes: "a", "b", "c" then, "b", "a", "c" now/,
  ],
  [
    'another name of a class',
    (data) => Object.values(data).forEach((split) => (split.classNames = ['a', 'b', 'd'])),
    /"a", "b", "c".*"d"|"d".*"a", "b", "c"/,
  ],
  [
    'one number of one training sample',
    ({ train }) => void ((train.samples[3]!.inputs.loud as number[])[0]! += 0.001),
    /The train split .*contents of loud: sha256/,
  ],
  [
    'another scale of one modality everywhere',
    (data) =>
      Object.values(data).forEach(({ samples }) =>
        samples.forEach(({ inputs }) => {
          Object.assign(inputs, { quiet: (inputs.quiet as number[]).map((value) => 50 * value) });
        }),
      ),
    /The train split .*contents of quiet.* The validation split .* The test split /,
  ],
  [
    'contents of two samples the other way round',
    ({ train: { samples } }) => {
      const { inputs } = samples[0]!;
      Object.assign(samples[0]!, { inputs: samples[3]!.inputs });
      Object.assign(samples[3]!, { inputs });
    },
    /The train split .*contents of loud.*contents of quiet/,
  ],
  [
    'training and test split the other way round',
    (data) => void ([data.train, data.test] = [data.test, data.train]),
    /The train split .*samples: 12 then, 6 now.* The test split .*samples: 6 then, 12 now/,
  ],
  [
    'no validation split any more',
    (data) => void delete (data as Partial<Splits>).validation,
    /The validation split .*samples: 6 then, none now/,
  ],
];

describe('a run that goes on', () => {
  let folder: string;
  let out: string;
  beforeAll(async () => {
    folder = dataFolder();
    out = await stopped(folder);
  });
  /** The stopped run, with data that may be changed. */
  function copied(): { out: string; folder: string } {
    const copy = at(`run-${count++}`);
    cpSync(out, copy, { recursive: true });
    return { out: copy, folder };
  }

  it('records what it began with, and ends as one that was never stopped', async () => {
    const run = copied();
    const { identity } = read(run.out, 'config.json');
    expect(Object.keys(identity.data)).toEqual(['train', 'validation', 'test']);
    expect(identity.data.train).toMatchObject({
      size: 12,
      classNames: ['a', 'b', 'c'],
      labels: { count: 12 },
      contents: { loud: { count: 12 }, quiet: { count: 12 } },
    });
    expect(Object.keys(identity.modules)).toContain(path);
    expect(await resume(run.out, folder)).toMatchObject({ status: 'finished' });
    expect(notes).toEqual([]);
    const whole = at(`run-${count++}`);
    await trainRun(config(folder), { out: whole });
    expect(read(run.out, 'predictions.json')).toEqual(read(whole, 'predictions.json'));
  });

  it.each(CHANGES)('is refused with %s, and both sides are said', async (_, change, message) => {
    const run = copied();
    writeData(folder, change);
    try {
      const before = readFileSync(join(run.out, 'config.json'), 'utf8');
      expect(await refusal(resume(run.out, folder))).toMatch(message);
      expect(readFileSync(join(run.out, 'config.json'), 'utf8')).toBe(before);
    } finally {
      writeData(folder, () => {});
    }
    // Nothing was lost.
    expect(await resume(run.out, folder)).toMatchObject({ status: 'finished' });
  });

  it('sees labels that only reading tells', async () => {
    const secret = dataFolder();
    const run = await stopped(secret, {}, { byReading: true });
    writeData(secret, CHANGES[5]![1]);
    expect(await refusal(resume(run, secret, {}, { byReading: true }))).toMatch(CHANGES[5]![2]);
  });

  it('goes on with other data where that is allowed, and records it', async () => {
    const own = dataFolder();
    const run = await stopped(own);
    const before = read(run, 'config.json');
    const [, change] = CHANGES[0]!;
    writeData(own, change);
    expect(await refusal(resume(run, own))).toContain(
      'Put back what there was, begin a new run with --out, or go on all the same with --allow-changed ("allowChanged": true).',
    );
    const allowed = { allowChanged: true };
    const controller = new AbortController();
    const reporter = { ...silent, step: () => controller.abort() };
    const going = { out: run, resume: true, signal: controller.signal, reporter };
    notes.length = 0;
    expect((await trainRun(config(own, allowed), going)).status).toBe('interrupted');
    const sentence = expect.stringMatching(/^The train split has changed .*\(samples: 12 then, 13 now\)\.$/);
    expect(notes).toEqual([sentence]);
    const after = read(run, 'config.json');
    expect(after.changes).toEqual([
      { epoch: 1, what: [sentence], data: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(after.identity.data.train.size).toBe(13);
    expect({ ...after, identity: 0, changes: 0 }).toEqual({ ...before, identity: 0, changes: 0 });
    // From here on these are its data, also for the checkpoint that was saved before.
    expect((await resume(run, own)).status).toBe('finished');
    expect(notes).toEqual([]);
    const loaded = await loadRun(run, { trust: true });
    expect([loaded.differences, loaded.notes]).toEqual([{}, []]);
    await loaded.close();
  });

  it('records nothing where its first batches are refused', async () => {
    const own = dataFolder();
    const run = await stopped(own);
    const before = readFileSync(join(run, 'config.json'), 'utf8');
    writeData(own, ({ test }) => Object.assign(test.samples[0]!.inputs, { loud: [1e39, 0, 0] }));
    expect(await refusal(resume(run, own, { allowChanged: true }))).toMatch(/The model gives NaN|Infinity/);
    expect(readFileSync(join(run, 'config.json'), 'utf8')).toBe(before);
    writeData(own, () => {});
    expect((await resume(run, own)).status).toBe('finished');
  });

  it('trains classes of another order under the ids that they had', async () => {
    const own = dataFolder();
    const run = await stopped(own);
    // The same samples of the same classes, which have other ids.
    writeData(own, reordered);
    expect((await resume(run, own, { allowChanged: true })).status).toBe('finished');
    const whole = at(`run-${count++}`);
    await trainRun(config(folder), { out: whole });
    expect(read(run, 'predictions.json')).toEqual(read(whole, 'predictions.json'));
    const weights = (out: string) => readFileSync(join(out, 'checkpoints/last/model.safetensors'), 'hex');
    expect(weights(run)).toBe(weights(whole));
  });

  it('is refused with a class that it has not, whatever is allowed', async () => {
    const own = dataFolder();
    const run = await stopped(own);
    writeData(own, (data) => Object.values(data).forEach((split) => (split.classNames = ['a', 'x', 'c'])));
    expect(await refusal(resume(run, own, { allowChanged: true }))).toBe(
      'The data of folder have the class "x", which the run has not: it has the classes "a", "b", "c", and the data have "a", "x", "c". Give data with the classes of the run.',
    );
  });

  it('goes on from a folder of an earlier version with a note, and records its data from there on', async () => {
    const run = copied();
    stripIdentity(run.out);
    const controller = new AbortController();
    const reporter = { ...silent, step: () => controller.abort() };
    notes.length = 0;
    const going = { out: run.out, resume: true, signal: controller.signal, reporter };
    expect((await trainRun(config(folder), going)).status).toBe('interrupted');
    expect(notes).toEqual([
      expect.stringContaining('was begun by an earlier version, which did not record its data'),
    ]);
    expect(read(run.out, 'config.json').identity.data.train.size).toBe(12);
    writeData(folder, CHANGES[1]![1]);
    expect(await refusal(resume(run.out, folder))).toMatch(CHANGES[1]![2]);
    writeData(folder, () => {});
    // Its checkpoint knows them, too.
    const { identity: _, ...recorded } = read(run.out, 'config.json');
    writeFileSync(join(run.out, 'config.json'), JSON.stringify(recorded));
    writeData(folder, CHANGES[1]![1]);
    expect(await refusal(resume(run.out, folder))).toMatch(/The checkpoint in \S+ is of a run on other data/);
    writeData(folder, () => {});
    expect((await resume(run.out, folder)).status).toBe('finished');
    expect(notes).toEqual([expect.stringContaining('was begun by an earlier version')]);
  });

  it('is refused with a module that has changed', async () => {
    const module = at('mine.mjs');
    const code = 'export default () => ({ name: "mine" });';
    writeFileSync(module, code);
    const changes = { method: module };
    const run = await stopped(folder, changes);
    writeFileSync(module, `${code} // another`);
    expect(await refusal(resume(run, folder, changes))).toMatch(
      /^The module \S+mine\.mjs has changed since the run in \S+ began: sha256 \w+… then, sha256 \w+… now\./,
    );
    expect((await resume(run, folder, { ...changes, allowChanged: true })).status).toBe('finished');
    expect(read(run, 'config.json').changes).toHaveLength(1);
    writeFileSync(module, code);
    // Another model would be no run's, other data are what an evaluation may be for.
    expect(await refusal(loadRun(run, { trust: true }))).toMatch(/The module .* has changed/);
    const loaded = await loadRun(run, { trust: true, changes: { allowChanged: true } });
    expect(loaded.notes).toEqual([expect.stringMatching(/The module .* has changed/)]);
    await loaded.close();
  });

  it('is refused with settings that were edited in its folder, or the checkpoint of a run with others', async () => {
    const [edited, mine] = [copied(), copied()];
    const file = join(edited.out, 'config.json');
    const recorded = read(file);
    writeFileSync(file, JSON.stringify({ ...recorded, optimizer: { ...recorded.optimizer, momentum: 0.5 } }));
    const going = { out: edited.out, resume: true };
    expect(await refusal(trainRun(readConfig(file), going))).toMatch(
      /The settings in \S+config\.json are not those that the run began with \(sha256 \w+… then, sha256 \w+… now\)/,
    );
    expect((await trainRun(readConfig(file, { allowChanged: true }), going)).status).toBe('finished');
    expect(read(file).changes).toHaveLength(1);

    const theirs = await stopped(folder, { seed: 5 });
    rmSync(join(mine.out, 'checkpoints'), { recursive: true });
    cpSync(join(theirs, 'checkpoints'), join(mine.out, 'checkpoints'), { recursive: true });
    const message = /The checkpoint in \S+ is of a run with other settings \(sha256 \w+…\) than the folder's/;
    expect(await refusal(resume(mine.out, folder))).toMatch(message);
    expect(await refusal(loadRun(mine.out, { trust: true }))).toMatch(message);
  });

  it('is refused with the checkpoint of a run on other data', async () => {
    const other = dataFolder(CHANGES[5]![1]);
    const [mine, theirs] = [copied(), await stopped(other)];
    rmSync(join(mine.out, 'checkpoints'), { recursive: true });
    cpSync(join(theirs, 'checkpoints'), join(mine.out, 'checkpoints'), { recursive: true });
    expect(await refusal(resume(mine.out, folder))).toMatch(
      /The checkpoint in \S+ is of a run on other data \(sha256 \w+…\) than its config\.json says \(sha256 \w+…\)/,
    );
    expect(await refusal(loadRun(mine.out, { trust: true }))).toMatch(
      /The checkpoint in \S+ is of a run on other data/,
    );
  });

  it('says that it goes on elsewhere, with both sides', async () => {
    const run = copied();
    const recorded = read(run.out, 'config.json');
    const { environment } = recorded;
    const versions = { ...environment.versions, tfjs: '3.1.0' };
    const moved = { ...environment, backend: 'wasm', processes: 2, versions };
    writeFileSync(join(run.out, 'config.json'), JSON.stringify({ ...recorded, environment: moved }));
    expect((await resume(run.out, folder)).status).toBe('finished');
    expect(notes).toEqual([
      `The run began with backend wasm, processes 2, tfjs 3.1.0, and goes on with backend cpu, processes 1, tfjs ${environment.versions.tfjs}: its numbers will not be, bit for bit, those of one that was never stopped.`,
    ]);
  });
});

/** Another order of the classes; every sample keeps its class. */
function reordered(data: Splits): void {
  for (const { classNames, samples } of Object.values(data)) {
    const names = [...classNames];
    classNames.splice(0, 3, 'c', 'a', 'b');
    for (const sample of samples)
      Object.assign(sample, { label: classNames.indexOf(names[sample.label] as string) });
  }
}

/** As an earlier version has left a folder. */
function stripIdentity(out: string): void {
  const { identity: _, ...recorded } = read(out, 'config.json');
  writeFileSync(join(out, 'config.json'), JSON.stringify(recorded));
  for (const label of ['last', 'best']) {
    const file = join(out, 'checkpoints', label, 'state.json');
    if (!existsSync(file)) continue;
    const { state: saved, ...rest } = read(file);
    const { data: __, settings: ___, ...state } = saved;
    const sha256 = {
      ...rest.sha256,
      state: createHash('sha256').update(JSON.stringify(state)).digest('hex'),
    };
    writeFileSync(file, JSON.stringify({ ...rest, sha256, state }));
  }
}

describe('a run that is evaluated', () => {
  let own: string;
  let out: string;
  beforeAll(async () => {
    own = dataFolder();
    out = at(`run-${count++}`);
    await trainRun(config(own, { epochs: 6 }), { out });
  });
  const evaluated = async (folder: string) => {
    const run = await loadRun(out, { trust: true, changes: { 'dataset.options': { folder } } });
    const { predictions, scores } = await evaluateSplit(run.predict, run.data.test, {});
    await run.close();
    return { predictions, scores, differences: run.differences };
  };

  it('gives labels by its own list of classes, on data that have another order', async () => {
    const [here, there] = [await evaluated(own), await evaluated(dataFolder(reordered))];
    expect(here.differences).toEqual({});
    expect(here.scores['fused']).toBeGreaterThan(50);
    expect([there.predictions, there.scores]).toEqual([here.predictions, here.scores]);
    expect(there.differences.test).toBe('classes: "a", "b", "c" then, "c", "a", "b" now');
  });

  it('takes data with fewer classes, and none with another one', async () => {
    const fewer = dataFolder((data) => {
      for (const split of Object.values(data)) {
        split.classNames = ['b', 'a'];
        split.samples = split.samples
          .filter(({ label }) => label < 2)
          .map((sample) => ({ ...sample, label: 1 - sample.label }));
      }
    });
    const { predictions } = await evaluated(fewer);
    expect([predictions.classNames, predictions.labels]).toEqual([
      ['a', 'b', 'c'],
      [0, 1, 0, 1],
    ]);
    const other = dataFolder((data) =>
      Object.values(data).forEach((split) => (split.classNames = ['a', 'b', 'd'])),
    );
    expect(await refusal(evaluated(other))).toMatch(
      /have the class "d", which the run has not: it has the classes "a", "b", "c", and the data have "a", "b", "d"/,
    );
  });

  it('is known by its predictions, where an earlier version wrote it', async () => {
    const old = at(`run-${count++}`);
    cpSync(out, old, { recursive: true });
    stripIdentity(old);
    const run = await loadRun(old, {
      trust: true,
      changes: { 'dataset.options': { folder: dataFolder(reordered) } },
    });
    expect(run.data.test.classNames).toEqual(['a', 'b', 'c']);
    expect(run.notes).toEqual([expect.stringContaining('did not record its data')]);
    await run.close();
  });

  it('says that a finished run was trained on other data than there are now', async () => {
    expect((await resume(out, own, { epochs: 6 })).status).toBe('finished');
    expect(notes).toEqual([]);
    writeData(own, CHANGES[5]![1]);
    expect(await refusal(resume(out, own, { epochs: 6 }))).toMatch(
      /The train split has changed since the finished run in \S+ began .*labels/,
    );
    expect((await resume(out, own, { epochs: 6, allowChanged: true })).status).toBe('finished');
    rmSync(own, { recursive: true });
    expect((await resume(out, own, { epochs: 6 })).status).toBe('finished');
    expect(notes).toEqual([
      expect.stringMatching(/^Whether the data of the finished run in .* cannot be told: /),
    ]);
  });
});

describe('a run that begins', () => {
  const begin = (change: (data: Splits) => void) =>
    refusal(trainRun(config(dataFolder(change)), { out: at(`run-${count++}`), reporter: silent }));

  it.each<[string, (data: Splits) => void, RegExp]>([
    [
      'other classes in the test split',
      ({ test }) => void (test.classNames = ['a', 'b', 'd']),
      /The test split of folder has the classes "a", "b", "d", and the train split has "a", "b", "c"/,
    ],
    [
      'another order of classes in the validation split',
      ({ validation }) => void (validation.classNames = ['b', 'a', 'c']),
      /The validation split of folder has the classes "b", "a", "c"/,
    ],
    [
      'more classes in the test split',
      ({ test }) => void (test.classNames = ['a', 'b', 'c', 'd']),
      /The test split of folder has the classes "a", "b", "c", "d"/,
    ],
    [
      'samples of another shape in the test split',
      ({ test: { samples } }) => samples.forEach(({ inputs }) => Object.assign(inputs, { loud: [1, 2] })),
      /The test split of folder has samples of the shapes .*\["loud",\[2\]\].*, and the train split has/,
    ],
  ])('is refused with %s, before anything is trained', async (_, change, message) => {
    expect(await begin(change)).toMatch(message);
  });

  it('is told of samples that two splits share', async () => {
    notes.length = 0;
    const shared = (data: Splits): void =>
      data.test.samples.forEach((sample, i) => i < 4 && (sample.id = `train-${i}`));
    expect(await begin(shared)).toBe('nothing was refused');
    expect(notes).toContain(
      'The train and the test split of folder share 4 of 6 test samples by their ids ("train-0", "train-1", "train-2", …): what is measured on them is not of new samples.',
    );
  });

  it('is refused with an id that comes twice', async () => {
    const twice = at('twice.mjs');
    writeFileSync(
      twice,
      `export default ({ split }) => ({ name: 'twice', split, task: 'classification', modalities: ['loud', 'quiet'],
        shapes: { loud: [1], quiet: [1] }, classNames: ['a', 'b'], ids: ['x', 'y', 'x'], size: 3,
        sample: async () => ({}), close() {} });`,
    );
    const own = config('', { dataset: { name: 'module', path: twice } });
    expect(await refusal(trainRun(own, { out: at(`run-${count++}`) }))).toBe(
      'The train split of twice has the id "x" twice. Give each sample an id of its own.',
    );
  });

  it('is not told what a module made before of a cache', async () => {
    const module = at('scaled.mjs');
    writeFileSync(module, scaled('2 * '));
    const cached = async (options: object, cache: string): Promise<unknown> => {
      const out = at(`run-${count++}`);
      const dataset = { name: 'module', path: module, options };
      await trainRun(config('', { dataset, data: { cache: at(cache) } }), { out });
      return read(out, 'summary.json').metrics;
    };
    const first = await cached({ scale: 1 }, 'cache');
    const second = await cached({ scale: 50 }, 'cache');
    expect(second).toEqual(await cached({ scale: 50 }, 'new'));
    expect(second).not.toEqual(first);
    expect(await cached({ scale: 1 }, 'cache')).toEqual(first);
  });
});

/** A dataset without a source, as a user writes it. */
const scaled = (factor: string): string => `
  export default ({ split, scale }) => ({
    name: 'scaled', split, task: 'classification', modalities: ['loud', 'quiet'], classNames: ['a', 'b'],
    shapes: { loud: [2], quiet: [2] }, ids: ['0', '1', '2', '3'].map((i) => split + i), size: 4,
    async sample(index, { modalities = ['loud', 'quiet'] } = {}) {
      const inputs = Object.fromEntries(modalities.map((m) => [m, Float32Array.of(${factor}scale * (index + 1), index)]));
      return { id: split + index, label: index % 2, inputs };
    },
    close() {},
  });`;

describe('a run with teachers', () => {
  let own: string;
  let teachers: Record<string, string>;
  const teacher = async (modality: 'loud' | 'quiet', folder: string): Promise<string> => {
    const out = at(`teacher-${count++}`);
    const { modalities, name } = toyTeacher(modality) as Record<string, unknown>;
    await trainRun(config(folder, { modalities, name }), { out });
    return out;
  };
  beforeAll(async () => {
    own = dataFolder();
    teachers = { loud: await teacher('loud', own), quiet: await teacher('quiet', own) };
  });
  const student = (changes: object = {}): object => ({ method: 'umt', teachers, ...changes });

  it.each<[string, (data: Splits) => void, RegExp]>([
    [
      'other labels',
      CHANGES[5]![1],
      /The teacher for loud in \S+ has another train split than this run \(labels: sha256 \w+… there, sha256 \w+… here\)/,
    ],
    [
      'other contents of its modality',
      CHANGES[9]![1],
      /The teacher for loud .* train split .*contents of loud/,
    ],
    [
      'samples that are tested here',
      ({ test }) => void test.samples.pop(),
      /The teacher for loud .* another test split .*samples: 6 there, 5 here/,
    ],
  ])('is refused with one that has seen %s, unless that is allowed', async (_, change, message) => {
    writeData(own, change);
    try {
      expect(await refusal(trainRun(config(own, student()), { out: at(`run-${count++}`) }))).toMatch(message);
      const out = at(`run-${count++}`);
      notes.length = 0;
      await trainRun(config(own, student({ allowChanged: true })), { out, reporter: silent });
      expect(notes).toContainEqual(expect.stringMatching(message));
      expect(read(out, 'config.json').changes).toEqual([
        { epoch: 0, what: expect.arrayContaining([expect.stringMatching(message)]) },
      ]);
    } finally {
      writeData(own, () => {});
    }
  });

  it('is refused with one whose classes have another order, whatever is allowed', async () => {
    const other = await teacher('loud', dataFolder(reordered));
    for (const stripped of [false, true]) {
      if (stripped) stripIdentity(other);
      const changes = student({ teachers: { ...teachers, loud: other }, allowChanged: true });
      // Options of the data are settings: the folder is compared with another sentence.
      const { dataset } = read(teachers['loud'] as string, 'config.json');
      const recorded = read(other, 'config.json');
      writeFileSync(join(other, 'config.json'), JSON.stringify({ ...recorded, dataset }));
      expect(await refusal(trainRun(config(own, changes), { out: at(`run-${count++}`) }))).toMatch(
        /The teacher for loud in \S+ has the classes "c", "a", "b", but this run has "a", "b", "c"\. Train a teacher/,
      );
    }
  });

  it('takes one of an earlier version, with a note', async () => {
    const old = at(`teacher-${count++}`);
    cpSync(teachers['loud'] as string, old, { recursive: true });
    stripIdentity(old);
    notes.length = 0;
    const changes = student({ teachers: { ...teachers, loud: old } });
    await trainRun(config(own, changes), { out: at(`run-${count++}`), reporter: silent });
    expect(notes).toEqual([
      expect.stringMatching(
        /The teacher for loud in \S+ is of an earlier version, which did not record its data/,
      ),
    ]);
  });

  it('is refused with a copy of one in which four bytes have changed', async () => {
    const run = await stopped(own, student());
    expect(Object.keys(read(run, 'config.json').identity.teachers)).toEqual(['loud', 'quiet']);
    for (const name of ['model.safetensors', 'config.json']) {
      const file = new RunFolder(new RunFolder(run).teacher('quiet')).file(name);
      const good = readFileSync(file);
      const bytes = Buffer.from(good);
      bytes.fill(bytes[bytes.length - 3] === 0x20 ? 0x0a : 0x20, bytes.length - 6, bytes.length - 2);
      writeFileSync(file, bytes);
      expect(await refusal(resume(run, own, student()))).toMatch(
        new RegExp(
          `quiet/${name}: the run's copy of its teacher is not what was copied: it has the sha256 \\w+…`,
        ),
      );
      writeFileSync(file, good);
    }
    expect((await resume(run, own, student())).status).toBe('finished');
  });

  it('knows its copies from the day on which it goes on from a folder of an earlier version', async () => {
    const run = await stopped(own, student());
    stripIdentity(run);
    const stop = new AbortController();
    const reporter = { ...silent, step: () => stop.abort() };
    await trainRun(config(own, student()), { out: run, resume: true, signal: stop.signal, reporter });
    const file = new RunFolder(new RunFolder(run).teacher('quiet')).file('model.safetensors');
    const bytes = readFileSync(file);
    bytes.fill(0, bytes.length - 4);
    writeFileSync(file, bytes);
    expect(await refusal(resume(run, own, student()))).toMatch(/copy of its teacher is not what was copied/);
  });

  it('is told where the checksums of its copies are gone', async () => {
    const run = await stopped(own, student());
    const recorded = read(run, 'config.json');
    const { teachers: checksums, ...identity } = recorded.identity;
    writeFileSync(join(run, 'config.json'), JSON.stringify({ ...recorded, identity }));
    expect((await resume(run, own, student())).status).toBe('finished');
    expect(notes).toEqual([expect.stringMatching(/no checksums of its copies of teachers/)]);
    expect(read(run, 'config.json').identity.teachers).toEqual(checksums);
  });

  it('stores outputs anew, once data are allowed to be others, and keeps those that it had', async () => {
    const stored = student({ teacherOutputs: 'stored' });
    const run = await stopped(own, stored);
    const file = join(new RunFolder(run).teacher('quiet'), 'outputs.safetensors');
    const before = readFileSync(file, 'hex');
    writeData(own, CHANGES[10]![1]);
    try {
      // An evaluation on other data stores nothing.
      const loaded = await loadRun(run, { trust: true });
      await loaded.close();
      expect(readFileSync(file, 'hex')).toBe(before);
      // It was allowed once, and stopped before they were computed.
      const stop = new AbortController();
      const going = { out: run, resume: true, signal: stop.signal };
      const reporter = { ...silent, step: () => stop.abort() };
      await trainRun(config(own, { ...stored, allowChanged: true }), { ...going, reporter });
      writeFileSync(file, Buffer.from(before, 'hex'));
      rmSync(`${file}.earlier-1`);
      expect((await resume(run, own, stored)).status).toBe('finished');
      expect(notes).toContainEqual(
        expect.stringMatching(
          /quiet\/outputs\.safetensors has the outputs on other data, and is kept as .*-1:/,
        ),
      );
      expect(readFileSync(file, 'hex')).not.toBe(before);
      expect(readFileSync(`${file}.earlier-1`, 'hex')).toBe(before);
    } finally {
      writeData(own, () => {});
    }
  });
});

describe('a sweep', () => {
  it('keeps no run that was trained on other data than there are now', async () => {
    const own = dataFolder();
    const plan = (changes: object = {}) => ({
      name: 'two',
      out: at('sweep'),
      runs: [0, 1].map((seed) => ({
        id: `${seed}`,
        config: config(own, { seed, epochs: 1, ...changes }),
        needs: [],
      })),
    });
    const lines: string[] = [];
    const reporter = {
      begin: () => {},
      epoch: () => {},
      finished: () => {},
      failed: () => {},
      note: (line: string) => void lines.push(line),
    };
    const { signal } = new AbortController();
    const first = { ...plan(), runs: plan().runs.slice(0, 1) };
    await runSweep(first, { signal, reporter });
    writeData(own, CHANGES[5]![1]);
    expect(await refusal(runSweep(plan(), { signal, reporter }))).toMatch(
      /The train split has changed since the finished run in \S+0 began \(labels/,
    );
    expect(existsSync(at('sweep', '1'))).toBe(false);
    const status = await runSweep(plan({ allowChanged: true }), { signal, reporter });
    expect(status.map(({ state }) => state)).toEqual(['finished', 'finished']);
    expect(lines).toContainEqual(expect.stringMatching(/The train split has changed/));
  });
});
