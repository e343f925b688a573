import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../../test/toy-config.js';
import { planSweep, type SweepPlan } from './plan.js';
import { readSweep } from './read-sweep.js';
import { sweepJsonSchema } from './schema.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-plan-'));
beforeAll(() => {
  const config = toyConfig({ methodOptions: { smp: { phaseEpochs: [1, 2] } } });
  for (const name of ['one', 'two']) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'base.json'), JSON.stringify({ ...config, batchSize: name.length * 4 }));
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const base = 'one/base.json';

async function planOf(sweep: object): Promise<SweepPlan> {
  const file = join(root, 'sweep.json');
  writeFileSync(file, JSON.stringify({ name: 'test', out: 'out', ...sweep }));
  return planSweep(readSweep(file));
}

describe('schema/sweep.schema.json', () => {
  it('is the schema of sweeps; `npm run schema` writes it anew', () => {
    const file = new URL('../../schema/sweep.schema.json', import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(sweepJsonSchema())));
  });
});

describe('planSweep', () => {
  it('has a run for every combination, and each teacher once, before the runs that need it', async () => {
    const { runs } = await planOf({ base, grid: { seed: [0, 1], method: ['joint', 'g2d', 'umt+smp'] } });
    expect(runs.map(({ id }) => id)).toEqual(
      ['seed-0', 'seed-1'].flatMap((seed) =>
        ['teacher-loud', 'teacher-quiet', 'joint', 'g2d', 'umt+smp'].map((name) => `${seed}/${name}`),
      ),
    );
    const [teacher, , joint, , stack] = runs.slice(5);
    expect(teacher).toMatchObject({
      needs: [],
      config: { name: 'teacher-loud', method: 'joint', modalities: ['loud'], methodOptions: {}, seed: 1 },
    });
    expect(joint).toMatchObject({ needs: [], config: { method: 'joint', seed: 1 } });
    expect(stack).toMatchObject({
      needs: ['seed-1/teacher-loud', 'seed-1/teacher-quiet'],
      config: { teachers: { loud: 'out/seed-1/teacher-loud', quiet: 'out/seed-1/teacher-quiet' }, seed: 1 },
    });
  });

  it('has one teacher of all modalities, on complete data, for the methods that learn from one', async () => {
    const grid = { 'data.missing.rate': [0.2, 0.4], method: ['joint', 'mmin'] };
    const { runs } = await planOf({ base, grid });
    const teachers = runs.filter(({ id }) => id.includes('teacher'));
    expect(teachers.map(({ id }) => id)).toEqual(['teacher-fused']);
    expect(teachers[0]!.config.method).toBe('joint');
    expect(teachers[0]!.config.data.missing).toBeUndefined();
    expect(teachers[0]!.config.modalities).toBeUndefined();
    const students = runs.filter(({ config }) => config.method === 'mmin');
    expect(students.map(({ config }) => config.data.missing)).toEqual([{ rate: 0.2 }, { rate: 0.4 }]);
    for (const { needs, config } of students)
      expect([needs, config.teachers]).toEqual([['teacher-fused'], { fused: 'out/teacher-fused' }]);
  });

  it('trains a full teacher of its own for a method that has settings for it, with what overrides give the method', async () => {
    const { runs } = await planOf({
      base,
      grid: { 'data.missing.rate': [0.2, 0.4], method: ['mmin', 'tate'] },
      overrides: [
        { when: { method: 'tate' }, set: { batchSize: 5, 'methodOptions.tate': { width: 8 } } },
        { when: { 'data.missing.rate': 0.4 }, set: { epochs: 7 } },
      ],
      teachers: {
        set: { select: 'validation-best' },
        full: { tate: { method: 'tate', 'methodOptions.tate': { guide: 'none', width: 8 } } },
      },
    });
    const teachers = runs.filter(({ id }) => id.includes('teacher'));
    expect(teachers.map(({ id }) => id)).toEqual(['teacher-fused', 'teacher-fused-tate']);
    const [shared, own] = teachers.map(({ config }) => config);
    expect(shared).toMatchObject({ method: 'joint', batchSize: 12, select: 'validation-best' });
    expect(own).toMatchObject({
      name: 'teacher-fused-tate',
      method: 'tate',
      batchSize: 5,
      select: 'validation-best',
    });
    expect(own!.data.missing).toBeUndefined();
    expect(own!.methodOptions).toEqual({ tate: expect.objectContaining({ guide: 'none', width: 8 }) });
    expect(own!.epochs).not.toBe(7);
    const needs = runs
      .filter(({ id }) => !id.includes('teacher'))
      .map(({ config, needs }) => [config.method, ...needs]);
    expect(needs).toEqual([
      ['mmin', 'teacher-fused'],
      ['tate', 'teacher-fused-tate'],
      ['mmin', 'teacher-fused'],
      ['tate', 'teacher-fused-tate'],
    ]);
  });

  it('masks teachers as their students, and trains one for each set of modalities under masks', async () => {
    const grid = { modalities: [['loud', 'quiet'], ['quiet']], method: ['g2d-loss'] };
    const { runs } = await planOf({ base, set: { 'data.missing.rate': 0.2 }, grid });
    const teachers = runs.filter(({ id }) => id.includes('teacher'));
    expect(
      teachers.map(({ id, config }) => [id, config.modalities, config.data.missing?.modalities]),
    ).toEqual([
      ['modalities-loud+quiet/teacher-loud', ['loud'], ['loud', 'quiet']],
      ['modalities-loud+quiet/teacher-quiet', ['quiet'], ['loud', 'quiet']],
      ['modalities-quiet/teacher-quiet', ['quiet'], ['quiet']],
    ]);
  });

  it('gives a teacher to all runs that differ in what it does not depend on', async () => {
    const grid = {
      'methodOptions.smp.scope': ['conv', 'encoder'],
      'encoders.quiet.options': [{}, { units: 3 }],
      method: ['smp'],
    };
    const { runs } = await planOf({ base, grid });
    const teachers = runs.filter(({ id }) => id.includes('teacher'));
    expect(teachers.map(({ id }) => id)).toEqual([
      'teacher-loud',
      expect.stringMatching(/^options-[0-9a-f]{8}\/teacher-quiet$/),
      expect.stringMatching(/^options-[0-9a-f]{8}\/teacher-quiet$/),
    ]);
    const students = runs.filter(({ id }) => !id.includes('teacher'));
    expect(students.map(({ id }) => id.split('/')[0])).toEqual([
      'scope-conv',
      'scope-encoder',
      'scope-conv',
      'scope-encoder',
    ]);
    expect(students.every(({ needs }) => needs[0] === 'teacher-loud')).toBe(true);
  });

  it('trains a teacher once for all sets of modalities, unless a set has settings of its own', async () => {
    const sets = [['loud', 'quiet'], ['quiet']];
    const grid = { modalities: sets, method: ['joint', 'g2d-loss'] };
    const ids = async (overrides: readonly object[]) =>
      (await planOf({ base, grid, overrides })).runs.map(({ id }) => id);
    const own = { 'methodOptions.umt.lambda': 2 };
    const students = ['joint', 'g2d-loss'];
    expect(await ids([{ when: { modalities: sets[0] }, set: own }])).toEqual([
      'teacher-loud',
      'teacher-quiet',
      ...students.map((method) => `modalities-loud+quiet/${method}`),
      ...students.map((method) => `modalities-quiet/${method}`),
    ]);
    const { runs } = await planOf({
      base,
      grid,
      overrides: [{ when: { modalities: sets[0] }, set: { epochs: 5 } }],
    });
    const teachers = runs.filter(({ id }) => id.includes('teacher'));
    expect(teachers.map(({ config }) => [config.modalities, config.epochs])).toEqual([
      [['loud'], 5],
      [['quiet'], 5],
      [['quiet'], 3],
    ]);
  });

  it('takes rates of parts for what they are parts of', async () => {
    const grid = {
      'optimizer.learningRates.head/quiet': [0.1, 0.2],
      'optimizer.learningRates.fusion': [0.3],
      method: ['smp'],
    };
    const { runs } = await planOf({ base, grid });
    const rates = runs
      .filter(({ id }) => id.includes('teacher'))
      .map(({ config }) => [config.modalities![0], config.optimizer.learningRates]);
    expect(rates).toEqual([
      ['loud', { fusion: 0.3 }],
      ['quiet', { 'head/quiet': 0.1, fusion: 0.3 }],
      ['quiet', { 'head/quiet': 0.2, fusion: 0.3 }],
    ]);
  });

  it('knows overrides, exclusions, settings of all runs and of teachers, and references', async () => {
    const { runs } = await planOf({
      base,
      set: { epochs: 2, 'optimizer.learningRate': 0.5 },
      grid: { seed: [0, 1], method: ['joint', 'smp'] },
      overrides: [{ when: { method: 'smp' }, set: { 'methodOptions.smp.phaseEpochs': [2, 0], epochs: 5 } }],
      exclude: [{ method: 'smp', seed: 1 }],
      teachers: { set: { select: 'last' } },
      references: [{ name: 'teacher-mean', set: { method: 'ume', epochs: 0 } }],
    });
    const short = runs.map(({ id, config: { epochs, select } }) => `${id} ${epochs} ${select}`);
    expect(short).toEqual([
      'seed-0/teacher-loud 2 last',
      'seed-0/teacher-quiet 2 last',
      'seed-0/joint 2 validation-best',
      'seed-0/smp 5 validation-best',
      'seed-0/teacher-mean 0 validation-best',
      'seed-1/teacher-loud 2 last',
      'seed-1/teacher-quiet 2 last',
      'seed-1/joint 2 validation-best',
      'seed-1/teacher-mean 0 validation-best',
    ]);
    expect(runs.every(({ config: { optimizer } }) => optimizer.learningRate === 0.5)).toBe(true);
    expect(runs[4]!.config).toMatchObject({ name: 'teacher-mean', method: 'ume' });
  });

  it('takes configurations from the grid, by the names of their folders', async () => {
    const { runs } = await planOf({
      grid: { dataset: [base, 'two/base.json'], method: ['joint', 'smp'] },
      overrides: [
        { when: { dataset: 'one' }, set: { epochs: 7 } },
        { when: { dataset: 'two/base.json' }, set: { epochs: 8 } },
      ],
      exclude: [{ dataset: 'two', method: 'smp' }],
      teachers: 'ready',
    });
    expect(runs.map(({ id, config }) => [id, config.epochs])).toEqual([
      ['one/joint', 7],
      ['one/smp', 7],
      ['two/joint', 8],
    ]);
  });

  it('has cases: above overrides, below those that name them, and no teachers of their own without need', async () => {
    const { runs } = await planOf({
      base,
      note: 'Two cases.',
      grid: { case: ['short', 'long', 'noisy'], seed: [4] },
      cases: {
        short: { method: 'smp', epochs: 1, 'optimizer.weightDecay': 0.5 },
        long: { method: 'g2d', epochs: 9, 'methodOptions.g2d-loss.alpha': 0.25 },
        noisy: { method: 'g2d', 'data.missing': { rate: 0.5 } },
      },
      overrides: [
        { when: { case: 'long' }, set: { 'methodOptions.g2d-loss.beta': 3 } },
        { when: { seed: 4 }, set: { epochs: 5, 'methodOptions.g2d-loss.alpha': 7 } },
      ],
      teachers: { set: { epochs: 6 } },
    });
    const students = runs.filter(({ id }) => !id.includes('teacher'));
    expect(students.map(({ id, config }) => [id, config.epochs, config.methodOptions['g2d-loss']])).toEqual([
      ['case-short/seed-4/smp', 1, expect.objectContaining({ alpha: 7 })],
      ['case-long/seed-4/g2d', 9, expect.objectContaining({ alpha: 0.25, beta: 3 })],
      ['case-noisy/seed-4/g2d', 5, expect.objectContaining({ alpha: 7, beta: 1 })],
    ]);
    const teachers = runs.filter(({ id }) => id.includes('teacher'));
    expect(
      teachers.map(({ id, config: { epochs, data, optimizer } }) => [
        id,
        epochs,
        data.missing?.rate,
        optimizer.weightDecay,
      ]),
    ).toEqual([
      ['case-short/seed-4/teacher-loud', 6, undefined, 0.5],
      ['case-short/seed-4/teacher-quiet', 6, undefined, 0.5],
      // Of its epochs teachers have their own: nothing is left that they depend on.
      ['seed-4/teacher-loud', 6, undefined, 1e-4],
      ['seed-4/teacher-quiet', 6, undefined, 1e-4],
      ['case-noisy/seed-4/teacher-loud', 6, 0.5, 1e-4],
      ['case-noisy/seed-4/teacher-quiet', 6, 0.5, 1e-4],
    ]);
  });

  it('applies what is set later later, also where one key is a part of the other', async () => {
    const { runs } = await planOf({
      base,
      set: { fusion: { type: 'film' } },
      grid: { case: ['gated', 'plain'] },
      cases: { gated: { fusion: { type: 'gated' } }, plain: {} },
      overrides: [{ when: {}, set: { 'fusion.hidden': 3 } }],
    });
    expect(runs.map(({ config }) => config.fusion)).toEqual([
      { type: 'gated', hidden: 512 },
      { type: 'film', hidden: 3 },
    ]);
  });

  it('has the first protocol unless another is asked for', async () => {
    const protocols = {
      published: [
        { when: {}, set: { select: 'test-best' } },
        { when: { seed: 1 }, set: { epochs: 8 } },
      ],
      validation: [],
    };
    const settings = async (protocol: object) =>
      (await planOf({ base, grid: { seed: [0, 1] }, protocols, ...protocol })).runs.map(
        ({ config: { select, epochs } }) => [select, epochs],
      );
    expect(await settings({})).toEqual([
      ['test-best', 3],
      ['test-best', 8],
    ]);
    expect(await settings({ protocol: 'validation' })).toEqual([
      ['validation-best', 3],
      ['validation-best', 3],
    ]);
  });

  it('plans 10,000 runs, which takes seconds, and finds the wrong one among them', async () => {
    const seed = Array.from({ length: 2500 }, (_, i) => i);
    const grid = { seed, 'optimizer.learningRate': [0.1, 0.2], method: ['joint', 'ogm'] };
    const set = { 'methodOptions.ogm': { alpha: 0.5 } };
    const { runs } = await planOf({ base, set, grid });
    expect(runs).toHaveLength(10_000);
    expect(new Set(runs.map(({ config }) => `${config.seed} ${config.optimizer.learningRate}`)).size).toBe(
      5000,
    );
    await expect(planOf({ base, set, grid: { ...grid, seed: [...seed.slice(1), 0.5] } })).rejects.toThrow(
      /"seed" is 0\.5; it must be a whole number/,
    );
  });

  it('has the same runs with any number of processes, if their batches can be shared', async () => {
    const one = await planOf({ base, grid: { method: ['joint', 'g2d'] } });
    const four = await planOf({ base, processes: 4, grid: { method: ['joint', 'g2d'] } });
    expect(four.runs).toEqual(one.runs);
    expect([one, four].map(({ queues }) => queues?.processes)).toEqual([1, 4]);
    await expect(planOf({ base, processes: 5 })).rejects.toThrow(
      'The run joint: "batchSize" is 12, which 5 processes cannot share equally. Set it to a multiple of 5',
    );
    await expect(planOf({ base, processes: 0 })).rejects.toThrow(/processes/);
  });

  it('plans a run that comes twice once', async () => {
    const { runs } = await planOf({ base, grid: { seed: [0, 0] } });
    expect(runs.map(({ id }) => id)).toEqual(['seed-0/joint']);
  });

  it('plans no teachers where the base names ready ones', async () => {
    const set = { 'teachers.loud': 'a', 'teachers.quiet': 'b' };
    const { runs } = await planOf({ base, set, grid: { method: ['smp'] }, teachers: 'ready' });
    expect(runs).toMatchObject([{ id: 'smp', needs: [], config: { teachers: { loud: 'a', quiet: 'b' } } }]);
  });

  it.each([
    [{ base, grid: { seed: [0, 'x'] } }, /"seed" is "x"; it must be a number/],
    [{ base, grid: { method: ['joint', 'sgd'] } }, /There is no method "sgd"/],
    [{ base, grid: { seed: [] } }, /"grid.seed" is \[\]; it must be a list of at least 1/],
    [{ base, girds: {} }, /unknown key "girds"; known here: .*grid/],
    [{ base, name: 'a/b' }, /"name" is "a\/b"; it must be letters, digits/],
    [{ base, grid: { dataset: [base] } }, /has both/],
    [{}, /needs "base"/],
    [{ base: 'none.json' }, /The configuration .*none\.json cannot be read: it does not exist/],
    [{ base, grid: { seed: Array.from({ length: 10_001 }, (_, i) => i) } }, /10001 combinations/],
    [{ base, grid: { case: ['a'] } }, /"grid.case" has "a", which is no name of "cases"; it can have none/],
    [{ base, protocol: 'a' }, /"protocol" has "a", which is no name of "protocols"/],
    [
      { base, grid: { seed: [0] }, overrides: [{ when: { sead: 0 }, set: {} }] },
      /"overrides.when" has "sead", which is no key of the grid; it can have seed/,
    ],
    [{ base, grid: { seed: [0] }, exclude: [{ method: 'g2d' }] }, /"exclude" has "method", which is no key/],
    [{ base, references: [{ name: 'joint', set: { seed: 4 } }] }, /share the folder joint/],
  ])('%#: says what is wrong', async (sweep, message) => {
    await expect(planOf(sweep)).rejects.toThrow(message);
  });
});

it('says of the configuration of one run that it is no sweep', () => {
  expect(() => readSweep(join(root, base))).toThrow(
    /base\.json is the configuration of one run, not a sweep/,
  );
});
