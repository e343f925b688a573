import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toyConfig } from '../../test/toy-config.js';
import { parseConfig } from '../read-config.js';
import { readPlan } from './manifest.js';
import { openSweep } from './open-sweep.js';
import { planPool, type SweepPool } from './pool.js';
import { readSweep } from './read-sweep.js';
import { runKey } from './run-key.js';
import { runSweep } from './run-sweep.js';

let root: string;
let out: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-pool-'));
  out = join(root, 'pool');
  const config = toyConfig({ methodOptions: { smp: { phaseEpochs: [1, 2] }, mses: { patience: 2 } } });
  mkdirSync(join(root, 'toy'));
  writeFileSync(join(root, 'toy/base.json'), JSON.stringify(config));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function sweep(name: string, changes: object = {}) {
  const file = join(root, `${name}.json`);
  writeFileSync(
    file,
    JSON.stringify({ name, out: 'elsewhere', grid: { dataset: ['toy/base.json'], ...changes }, ...changes }),
  );
  return readSweep(file);
}

/** Six methods; its ids are those of the first. */
const first = () =>
  sweep('first', { grid: { dataset: ['toy/base.json'], seed: [0, 1], method: ['joint', 'smp', 'g2d'] } });
/** By cases: two of them are the first's, one is not. */
const second = () =>
  sweep('second', {
    grid: { dataset: ['toy/base.json'], case: ['none', 'whole', 'part'], seed: [0] },
    cases: {
      none: { method: 'smp', 'methodOptions.mses.patience': 5 },
      whole: { method: 'g2d-loss+smp', fusion: { type: 'late' }, 'data.workers': 2 },
      part: { method: 'g2d', 'methodOptions.g2d-loss.alpha': 0.5 },
    },
  });

const idsOf = ({ members }: SweepPool, name: string): unknown[] =>
  members[name]!.map(({ id, combination: { case: of } }) => [of, id]);

function open(pool: SweepPool): void {
  openSweep(pool, { environment: {} }).release();
}

describe('planPool', () => {
  it('has each run once, in the folder that the first sweep gives it', async () => {
    const pool = await planPool([first(), second()], { out });
    const ids = pool.runs.map(({ id }) => id);
    expect(ids).toEqual([
      ...['teacher-loud', 'teacher-quiet', 'joint', 'smp', 'g2d'].map((name) => `toy/seed-0/${name}`),
      ...['teacher-loud', 'teacher-quiet', 'joint', 'smp', 'g2d'].map((name) => `toy/seed-1/${name}`),
      'toy/case-part/seed-0/g2d',
    ]);
    expect(idsOf(pool, 'second')).toEqual([
      ['none', 'toy/seed-0/smp'],
      ['whole', 'toy/seed-0/g2d'],
      ['part', 'toy/case-part/seed-0/g2d'],
    ]);
    expect(pool.members['second']![2]).toEqual({
      id: 'toy/case-part/seed-0/g2d',
      combination: { dataset: 'toy', method: 'g2d', case: 'part', seed: 0, others: {} },
      needs: ['toy/seed-0/teacher-loud', 'toy/seed-0/teacher-quiet'],
      teachers: { loud: 'toy/seed-0/teacher-loud', quiet: 'toy/seed-0/teacher-quiet' },
    });
    expect(pool.runs.at(-1)!.config.teachers).toEqual({
      loud: join(out, 'toy/seed-0/teacher-loud'),
      quiet: join(out, 'toy/seed-0/teacher-quiet'),
    });
  });

  it('keeps the names of a folder in whatever order sweeps are planned later, and what others planned', async () => {
    open(await planPool([second()], { out }));
    const then = readPlan(out);
    expect(then.isShared).toBeUndefined();
    const pool = await planPool([first()], { out });
    expect(idsOf(pool, 'first').map((each) => (each as string[])[1])).toEqual([
      'toy/seed-0/joint',
      'toy/case-none/seed-0/smp',
      'toy/case-whole/seed-0/g2d-loss+smp',
      'toy/seed-1/joint',
      'toy/seed-1/smp',
      'toy/seed-1/g2d',
    ]);
    open(pool);
    const { runs } = readPlan(out);
    expect(runs.slice(0, then.runs.length).map(({ id }) => id)).toEqual(then.runs.map(({ id }) => id));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(then.runs.length + 6);
    for (const [i, { needs }] of runs.entries())
      for (const need of needs) expect(runs.slice(0, i).map(({ id }) => id)).toContain(need);
    // Whatever is planned next, nothing is lost.
    open(await planPool([second()], { out }));
    expect(readPlan(out).runs.map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
    expect(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'))).toMatchObject({ isShared: true });
  });

  it('knows a run that has begun with other options of methods that it lacks', async () => {
    const pool = await planPool([first(), second()], { out });
    open(pool);
    for (const { id } of pool.runs) {
      mkdirSync(join(out, id), { recursive: true });
      writeFileSync(join(out, id, 'config.json'), '{ "format": "g2d-run" }');
    }
    const again = await planPool([second(), first()], { out });
    open(again);
    const run = again.runs.find(({ id }) => id === 'toy/seed-0/g2d')!;
    // As it was planned, but for what changes no number.
    expect(run.config).toMatchObject({ method: 'g2d', data: { workers: 2 } });
  });

  it('does not take the place of what another has planned meanwhile', async () => {
    const other = sweep('other', { set: { epochs: 9 }, grid: first().grid });
    const [one, two] = [
      await planPool([first(), second()], { out }),
      await planPool([other, second()], { out }),
    ];
    open(one);
    expect(() => open(two)).toThrow(
      /teacher-loud in .* was planned meanwhile with "epochs" 3, and the sweep now has 9\. Give the same command again/,
    );
    expect(readPlan(out).runs).toHaveLength(one.runs.length);
    open(await planPool([other, second()], { out }));
    expect(readPlan(out).runs.some(({ id }) => id === 'other/toy/seed-0/g2d')).toBe(true);
  });

  it('puts the name of the sweep in front of one that other settings have', async () => {
    const other = () => sweep('other', { set: { epochs: 9 }, grid: first().grid });
    const pool = await planPool([first(), other()], { out });
    expect(pool.members['other']![0]!.id).toBe('other/toy/seed-0/joint');
    expect(pool.members['other']![1]!.teachers).toEqual({
      loud: 'other/toy/seed-0/teacher-loud',
      quiet: 'other/toy/seed-0/teacher-quiet',
    });
  });

  it('has one teacher of all modalities, which is joint training where that learns from the same', async () => {
    const missing = sweep('missing', {
      grid: { dataset: ['toy/base.json'], case: ['0%', '20%'], method: ['joint', 'mmin'] },
      cases: { '0%': {}, '20%': { 'data.missing': { rate: 0.2 } } },
    });
    const { runs, members } = await planPool([missing], { out });
    expect(runs.filter(({ id }) => id.includes('teacher'))).toEqual([]);
    const [joint, mmin, , incomplete] = members['missing']!;
    expect([mmin!.needs, incomplete!.needs]).toEqual([[joint!.id], [joint!.id]]);
    expect(runs.findIndex(({ id }) => id === joint!.id)).toBeLessThan(
      runs.findIndex(({ id }) => id === mmin!.id),
    );
  });

  it('is the plan of the sweep, where there is one alone', async () => {
    const { runs, name, isShared } = await planPool([first()], { out });
    expect([name, isShared, runs.length]).toEqual(['first', false, 10]);
  });

  it('gives no queue the runs of sweeps that say differently how', async () => {
    const told = (name: string, time: string, retries: number) =>
      sweep(name, {
        grid: { dataset: ['toy/base.json'] },
        slurm: { options: [`--time=${time}`] },
        retries,
      });
    const one = told('one', '1:00:00', 1);
    const same = await planPool([one, told('same', '1:00:00', 2)], { out });
    expect(same).toMatchObject({ queues: { retries: 2, slurm: { options: ['--time=1:00:00'] } } });
    expect(same.disagreement).toBeUndefined();

    const several = { ...told('several', '1:00:00', 1), processes: 2 };
    expect((await planPool([one, several], { out })).disagreement).toBe(
      'one and several have different "processes"',
    );

    const pool = await planPool([one, told('longer', '9:00:00', 1)], { out });
    const none = () => undefined;
    const handedOver = await runSweep(pool, {
      engine: { handsOver: true, run: () => Promise.reject(new Error('handed over')) },
      signal: new AbortController().signal,
      reporter: { begin: none, epoch: none, finished: none, failed: none, note: none },
    }).catch(String);
    expect(handedOver).toMatch(/one and longer have different "slurm".*Give them the same/);
    expect(existsSync(out)).toBe(false);
  });

  it('refuses two sweeps of one name, and none', async () => {
    await expect(planPool([first(), first()], { out })).rejects.toThrow(/Two sweeps are called "first"/);
    await expect(planPool([])).rejects.toThrow(/has no sweep/);
  });
});

describe('runKey', () => {
  const key = (changes: object) => runKey(parseConfig(toyConfig(changes)));
  const keyOf = (values: object, changes: Record<string, unknown>) =>
    runKey(parseConfig(values, { changes }));

  it.each([
    { name: 'x' },
    { teachers: { loud: 'a', quiet: 'b' } },
    { data: { workers: 3, prefetch: 1, cache: 'c', inMemory: true } },
    { checkpoints: { every: 9 } },
    { methodOptions: { mses: { patience: 3 } } },
    { modalities: ['quiet', 'loud'] },
    { method: 'joint', teacherPrecision: 'bfloat16' },
  ])('is the same with %j', (changes) => {
    expect(key(changes)).toBe(key({}));
  });

  it.each([
    { seed: 1 },
    { epochs: 4 },
    { method: 'umt' },
    { modalities: ['loud'] },
    { fusion: { type: 'sum' } },
    { select: 'last' },
    { data: { missing: { rate: 0.2 } } },
    { data: { dropLast: true } },
    { optimizer: { type: 'sgd', learningRate: 0.2 } },
    // Nobody knows what a module's encoder reads.
    { evaluation: { batchSize: 3 } },
  ])('is another with %j', (changes) => {
    expect(key(changes)).not.toBe(key({}));
  });

  it('knows a stack by its methods, and options by their defaults', () => {
    expect(key({ method: 'g2d' })).not.toBe(key({ method: 'g2d-loss' }));
    const smp = { phaseEpochs: [1, 2] };
    const whole = { method: 'g2d', methodOptions: { smp, 'g2d-loss': { alpha: 1 } } };
    expect(key({ method: 'g2d-loss+smp', methodOptions: { smp } })).toBe(key(whole));
    expect(key({ ...whole, methodOptions: { smp, 'g2d-loss': { alpha: 2 } } })).not.toBe(key(whole));
  });

  it('leaves out what is of other modalities, and the fusion where there is nothing to fuse', () => {
    const one = toyConfig({ modalities: ['loud'] });
    const same = {
      'fusion.type': 'sum',
      'encoders.quiet.options': { units: 9 },
      'optimizer.learningRates': { quiet: 0.5, 'head/quiet': 0.5 },
      freeze: ['quiet'],
    };
    expect(keyOf(one, same)).toBe(keyOf(one, {}));
    expect(keyOf(one, { 'encoders.loud.options': { units: 9 } })).not.toBe(keyOf(one, {}));
    expect(keyOf(one, { freeze: ['loud'] })).not.toBe(keyOf(one, {}));
  });

  it('leaves out the folder of the data and batches of evaluation where nothing is padded', () => {
    const image = {
      dataset: { name: 'small-av-mnist', root: 'data' },
      encoders: { image: { type: 'small-image' } },
      epochs: 1,
      batchSize: 4,
      optimizer: { type: 'sgd', learningRate: 0.1 },
    };
    expect(keyOf(image, { 'dataset.root': 'elsewhere', 'evaluation.batchSize': 7 })).toBe(keyOf(image, {}));
  });
});
