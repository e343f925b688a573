import { join } from 'node:path';
import { readConfig, type PlannedRun } from '@g2d/runs';
import { describe, expect, it } from 'vitest';
import { parseCompare } from './compare.js';
import { planOf } from './sweeps.js';

const config = join(import.meta.dirname, 'small.json');
const METHODS = ['joint', 'umt', 'ogm-ge', 'g2d-loss', 'smp', 'g2d', 'ume'];

describe('npm run compare', () => {
  it('trains the teachers of a seed before its students, which name them', async () => {
    const { runs } = await planOf('compare.json', { seeds: [0, 7], epochs: 10, out: 'out' });
    expect(runs.map(({ id }) => id)).toEqual(
      [0, 7].flatMap((seed) =>
        ['teacher-audio', 'teacher-image', ...METHODS].map((name) => `seed-${seed}/${name}`),
      ),
    );
    const ofSeed7 = runs.slice(9).map((run) => run.config);
    for (const { seed, methodOptions, optimizer } of ofSeed7.slice(2)) {
      expect(seed).toBe(7);
      expect(methodOptions.smp?.phaseEpochs).toEqual([5, 5]);
      expect(optimizer.schedule).toEqual({ type: 'step', after: [7] });
    }
    expect(ofSeed7.map(({ epochs }) => epochs)).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 0]);
    for (const { seed, select, teachers, evaluation, optimizer } of ofSeed7.slice(0, 2)) {
      expect({ seed, select, teachers }).toEqual({ seed: 7, select: 'validation-best', teachers: {} });
      expect(evaluation.every).toBe(2);
      expect(optimizer.schedule).toEqual({ type: 'step', after: [7] });
    }
    const needing = runs.slice(9).filter(({ needs }) => needs.length > 0);
    expect(needing.map(({ config: { method } }) => method)).toEqual(['umt', 'g2d-loss', 'smp', 'g2d', 'ume']);
    for (const { needs, config: student } of needing) {
      expect(student.select).toBe('last');
      expect(needs).toEqual(['seed-7/teacher-audio', 'seed-7/teacher-image']);
      expect(student.teachers).toEqual({
        audio: 'out/seed-7/teacher-audio',
        image: 'out/seed-7/teacher-image',
      });
    }
  });

  it('trains as long as small.json says unless told otherwise', async () => {
    const plan = await planOf('compare.json', parseCompare([]));
    expect(plan.out).toBe('runs/av-mnist-methods');
    expect([...new Set(plan.runs.map(({ config: { seed } }) => seed))]).toEqual([0, 1, 2]);
    const own = readConfig(config);
    const student = plan.runs.find(({ id }) => id === 'seed-0/g2d') as PlannedRun;
    const { teachers: _, ...changed } = student.config;
    const { teachers: __, ...expected } = own;
    expect(changed).toEqual(expected);
    // The same with the number of epochs that it has.
    expect((await planOf('compare.json', { epochs: 60, out: undefined })).runs).toEqual(plan.runs);
  });

  it('says which value it cannot use', () => {
    expect(() => parseCompare(['--seeds', '0,x'])).toThrow(
      /--seeds is "x"; it must be a whole number of at least 0/,
    );
    expect(() => parseCompare(['--epochs', '1'])).toThrow(
      /--epochs is "1"; it must be a whole number of at least 2/,
    );
  });
});
