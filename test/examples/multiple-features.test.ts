// The sweeps of examples/multiple-features: what they plan, and one seed of most for a few epochs, on the data of the repository.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planSweep, readSweep } from '@g2d/runs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../packages/cli/src/main.js';
import { root } from './examples.js';

const example = join(root, 'examples/multiple-features');
const folder = mkdtempSync(join(tmpdir(), 'g2d-multiple-features-'));
const before = process.cwd();
beforeAll(() => {
  for (const name of ['data', 'examples']) symlinkSync(join(root, name), join(folder, name));
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

/** Sweep → modalities of its students, and how much of its grid is tried here. */
const SWEEPS = {
  combinations: {
    sets: [
      ['fou', 'mor'],
      ['fou', 'zer'],
      ['mor', 'zer'],
      ['fou', 'mor', 'zer'],
    ],
    grid: { modalities: [['fou', 'mor', 'zer']], method: ['joint', 'g2d'] },
  },
  'third-view': {
    sets: [
      ['fou', 'mor', 'kar'],
      ['fou', 'mor', 'pix'],
    ],
    grid: undefined,
  },
  missing: { sets: [['fou', 'mor', 'kar']], grid: { 'data.missing.rate': [0.4], method: ['joint', 'g2d'] } },
  'regression-methods': { sets: [['pix', 'zer']], grid: { method: ['joint', 'g2d'] } },
} as const;
const NAMES = Object.keys(SWEEPS) as (keyof typeof SWEEPS)[];

interface Summary {
  readonly task: string;
  readonly metrics: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>;
}

describe.each(NAMES)('examples/multiple-features/%s.json', (name) => {
  const { sets, grid } = SWEEPS[name];
  const path = join(example, `${name}.json`);

  it('plans three seeds whose phases fill the epochs', async () => {
    const { runs } = await planSweep(readSweep(path));
    const g2d = runs.filter(({ config: { method } }) => method === 'g2d');
    const modalities = g2d.map(({ config }) => config.modalities ?? Object.keys(config.encoders));
    expect(new Set(modalities.map(String))).toEqual(new Set(sets.map(String)));
    for (const [i, { config }] of g2d.entries()) {
      const phases = config.methodOptions.smp?.phaseEpochs as readonly number[];
      expect(phases).toHaveLength(modalities[i]!.length);
      expect(phases.reduce((sum, epochs) => sum + epochs, 0)).toBe(config.epochs);
      // A student and its teachers lack the same cells.
      expect(config.data.missing?.seed ?? config.seed).toBe(config.seed);
    }
    expect(new Set(runs.map(({ config: { seed } }) => seed))).toEqual(new Set([0, 1, 2]));
    const teachers = runs.filter(({ id }) => /\/teacher-(?!mean)/.test(id));
    const rates = name === 'missing' ? 4 : 1;
    expect(teachers).toHaveLength(3 * rates * new Set<string>(sets.flat()).size);
  });

  it('is in the README with its command and its page', () => {
    const readme = readFileSync(join(example, 'README.md'), 'utf8');
    const { out } = readSweep(path);
    expect(readme).toContain(`npx g2d sweep examples/multiple-features/${name}.json`);
    expect(readme).toContain(out);
  });

  it.runIf(grid)('trains teachers, joint training and G2D on the data of the repository', async () => {
    const sweep = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly base: string;
      readonly set?: object;
    };
    const phases = sets.at(-1)!.map(() => 1);
    const shortened = {
      ...sweep,
      base: `examples/multiple-features/${sweep.base}`,
      set: { ...sweep.set, epochs: phases.length, 'methodOptions.smp.phaseEpochs': phases },
      grid: { seed: [0], ...grid },
    };
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(shortened));
    let stderr = '';
    const code = await main(['sweep', file], { out: () => {}, err: (text) => void (stderr += text) });
    expect(code, stderr).toBe(0);
    const { out, runs } = await planSweep(readSweep(file));
    for (const { id, config } of runs) {
      const { task, metrics } = JSON.parse(readFileSync(join(out, id, 'summary.json'), 'utf8')) as Summary;
      expect(task).toBe(name === 'regression-methods' ? 'regression' : 'classification');
      const modalities = config.modalities ?? Object.keys(config.encoders);
      expect(Object.keys(metrics['test']!)).toEqual(
        modalities.length === 1 ? modalities : ['fused', ...modalities],
      );
      for (const head of Object.values(metrics['test']!))
        expect(Object.values(head).every(Number.isFinite)).toBe(true);
    }
  });
});

/** Sweep → its methods, and the teachers of a seed. */
const SYSTEMS = {
  'missing-cra': { methods: ['cra'], teacher: undefined },
  'missing-mmin': { methods: ['mmin'], teacher: { id: 'teacher-fused-mmin', method: 'joint' } },
  'missing-cpm-net-tate': {
    methods: ['cpm-net', 'tate'],
    teacher: { id: 'teacher-fused-tate', method: 'tate' },
  },
} as const;

describe.each(Object.entries(SYSTEMS))('examples/multiple-features/%s.json', (name, { methods, teacher }) => {
  const path = join(example, `${name}.json`);

  it('plans each method at four rates and three seeds, with at most one teacher a seed, on complete data', async () => {
    const { runs } = await planSweep(readSweep(path));
    const teachers = runs.filter(({ id }) => id.includes('/teacher-'));
    const seeds = teacher ? [0, 1, 2] : [];
    expect(teachers.map(({ id }) => id)).toEqual(seeds.map((seed) => `seed-${seed}/${teacher!.id}`));
    for (const { config } of teachers) {
      expect(config.method).toBe(teacher!.method);
      expect(config.data?.missing).toBeUndefined();
    }
    const students = runs.filter(({ id }) => !id.includes('/teacher-'));
    for (const method of methods)
      expect(students.filter(({ config }) => config.method === method)).toHaveLength(12);
    // Of one seed all sweeps have the same masks: nothing else is said of them.
    expect(new Set(students.map(({ config }) => JSON.stringify(config.data.missing)))).toEqual(
      new Set([0, 0.2, 0.4, 0.6].map((rate) => JSON.stringify({ rate }))),
    );
    const readme = readFileSync(join(example, 'README.md'), 'utf8');
    expect(readme).toContain(`npx g2d sweep examples/multiple-features/${name}.json`);
    expect(readme).toContain(readSweep(path).out);
  });

  it('trains the teacher and each method on the data of the repository', async () => {
    const sweep = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly base: string;
      readonly overrides?: readonly object[];
    };
    const shortened = {
      ...sweep,
      base: `examples/multiple-features/${sweep.base}`,
      grid: { seed: [0], 'data.missing.rate': [0.4], method: methods },
      overrides: [...(sweep.overrides ?? []), { when: {}, set: { epochs: 1 } }],
    };
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(shortened));
    let stderr = '';
    const code = await main(['sweep', file], { out: () => {}, err: (text) => void (stderr += text) });
    expect(code, stderr).toBe(0);
    const { out, runs } = await planSweep(readSweep(file));
    for (const { id } of runs) {
      const { metrics } = JSON.parse(readFileSync(join(out, id, 'summary.json'), 'utf8')) as Summary;
      expect(Number.isFinite(metrics['test']!['fused']!['loss'])).toBe(true);
    }
  });
});
