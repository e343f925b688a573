// Cases of single methods: what is refused, what is noticed, and the backend without kernels of ours.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { changedCase, filesOf, methodNames, type Json } from '../../test/parity-files.js';
import { exceeds } from '../compare.js';
import { EncoderPool } from '../encoder-pool.js';
import { loadCase, runCase } from '../run-case.js';
import { compareTree } from './compare-tree.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const run = (files: ReturnType<typeof filesOf>) => runCase(loadCase(files), new EncoderPool());

describe('a case of a method', () => {
  // One of each method: the tensorflow backend runs them all.
  const [...methods] = new Set(methodNames('').map((name) => /^[a-z]+/.exec(name)![0]));
  it.each(methods.map((method) => methodNames(method)[0]!))('passes on the cpu backend: %s', async (name) => {
    const before = tf.memory().numTensors;
    const { checks } = await run(filesOf(name));
    expect(checks.filter(exceeds)).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
  });

  const refused: [string, (file: Json) => void, RegExp][] = [
    [
      'another value of an option',
      (file) => (file.options.projection = 'full'),
      /`options\.projection` must be "off" or "scalar" or "released-elementwise"; it is "full"/,
    ],
    ['an unknown option', (file) => (file.options.decay = 1), /the key `options\.decay` is unknown/],
    [
      'a missing option',
      (file) => delete file.options.clearedGradients,
      /`options\.clearedGradients` must be .*it is missing/,
    ],
    ['another event', (file) => (file.steps[0].do = 'rest'), /`steps\[0\]\.do`/],
    ['a further key', (file) => (file.teacher = {}), /the key `teacher` is unknown/],
    ['an unknown method', (file) => (file.method = 'other'), /`method` must be .*"mla".*it is "other"/],
    [
      'another version',
      (file) => (file.format = 'g2d-method-case/2'),
      /`format` must be "g2d-parity-case\/1" or "g2d-method-case\/1"/,
    ],
  ];
  it.each(refused)('refuses %s by name', (_, change, message) => {
    const files = changedCase('mla-off', { case: (file) => void change(file) });
    expect(() => loadCase(files)).toThrow(message);
  });

  const dlmgRefused: [string, (file: Json) => void, RegExp][] = [
    ['another schedule', (file) => (file.options.schedule = 'heuristic'), /`options\.schedule`/],
    ['an option of another schedule', (file) => (file.options = { schedule: 'fitted', floor: 0 }), /floor/],
    ['another mode', (file) => (file.steps[4].mode = 'train'), /`steps\[4\]\.mode` must be "eval"/],
    ['fewer rows later', (file) => (file.steps[4].rows = 3), /`steps\[4\]\.rows` must be .* the same/],
    ['a batch that is not there', (file) => (file.steps[0].batch = 'x'), /`steps\[0\]\.batch` must be/],
    ['a first epoch that halves', (file) => (file.steps[0].epoch = 20), /`steps\[0\]\.epoch` must be 0/],
    ['a step of another epoch', (file) => (file.steps[1].epoch = 3), /`steps\[1\]\.epoch` must be 0/],
  ];
  it.each(dlmgRefused)('refuses what DLMG does not follow, by name: %s', async (_, change, message) => {
    const files = changedCase('dlmg-learnable', { case: (file) => void change(file) });
    await expect((async () => run(files))()).rejects.toThrow(message);
  });

  it('refuses a case of DLMG that trains before it has weights', async () => {
    const files = changedCase('dlmg-learnable', {
      case: (file) => void file.steps.shift(),
      expected: (file) => void file.truth.steps.shift(),
    });
    await expect(run(files)).rejects.toThrow(/`steps\[0\]\.do` must be "weights"/);
  });

  it('refuses results of another case, and of more steps', () => {
    const other = changedCase('mla-off', { expected: (file) => void (file.id = 'mla-on') });
    expect(() => loadCase(other)).toThrow(/`id` must be "mla-off"; it is "mla-on"/);
    const fewer = changedCase('mla-off', { expected: (file) => void file.truth.steps.pop() });
    expect(() => loadCase(fewer)).toThrow(/`truth\.steps` must be a list of 13/);
  });

  it('refuses tensors that have no place in the model, and a fusion that nobody has', async () => {
    const tensor = changedCase('mmpareto-plain', {
      case: (file) => void file.model.tensors.push(['head.text.weight', [4, 3], 0, 1]),
    });
    await expect(run(tensor)).rejects.toThrow(/head\.text\.weight have no place in this model/);
    const fusion = changedCase('mses-two', { case: (file) => void (file.model.fusion.type = 'outer') });
    await expect(run(fusion)).rejects.toThrow(/`model\.fusion\.type` is "outer".*late, sum, concat/);
  });

  it('notices a window, a schedule and a patience that are another', async () => {
    const first = async (name: string, change: (file: Json) => void) =>
      (await run(changedCase(name, { case: (file) => void change(file) }))).checks.find(exceeds)?.key;
    expect(await first('mses-decay', (file) => (file.optimizer.schedule.every = 4))).toMatch(
      /^steps\[9\]\..*learningRate/,
    );
    expect(await first('mla-zero', (file) => (file.options.clearedGradients = 'none'))).toMatch(
      /^steps\[1\]\.gradients/,
    );
    expect(await first('mla-scalar', (file) => (file.batchesPerEpoch = 4))).toMatch(/^steps\[2\]\.gradNorms/);
  });
});

describe('compareTree', () => {
  it('allows eight times the deviation, and nothing where both have to be equal', () => {
    const ratioOf = (truth: Json, deviation: Json, got: Json) =>
      compareTree({ x: truth }, { x: deviation }, { x: got }).map((check) => [
        check.deviation,
        check.tolerance,
      ]);
    expect(ratioOf(1, 0.01, 1.05)).toEqual([[expect.closeTo(0.05, 12), 0.08]]);
    expect(ratioOf([1, -4], 0, [1, -4.00001])).toEqual([
      [expect.closeTo(1e-5, 12), expect.closeTo(3.2e-5, 12)],
    ]);
    expect(ratioOf('a', null, 'b')).toEqual([[Infinity, 0]]);
    expect(ratioOf([1, 2], null, [1, 2])).toEqual([[0, 0]]);
    expect(ratioOf(0, 0, 1e-30)).toEqual([[1e-30, 0]]);
    expect(compareTree({ x: 1 }, { x: 1 }, { x: NaN }).every((check) => exceeds(check))).toBe(true);
  });

  it('wants the same keys, rows and lengths; accuracies alone may be missing', () => {
    const key = (truth: Json, got: Json) => compareTree(truth, truth, got, ['t']).find(exceeds)?.key;
    expect(key({ a: 1, b: 2 }, { a: 1 })).toBe('t (b)');
    expect(key({ a: 1 }, { a: 1, c: 3 })).toBe('t (c)');
    expect(key({ a: 1, accuracy: 2 }, { a: 1 })).toBeUndefined();
    expect(key([{ a: 1 }], [])).toBe('t (length)');
    expect(key([1, 2], [1])).toBe('t (length)');
    const table = (rows: Json) => ({ columns: ['l2'], rows });
    expect(key(table({ w: [1] }), table({ v: [1] }))).toBe('t (w, v)');
  });
});
