import { join } from 'node:path';
import { readConfig } from '@g2d/runs';
import { describe, expect, it } from 'vitest';
import { METHODS, parseCompare, plannedRuns } from './compare.js';

const config = join(import.meta.dirname, 'small.json');

describe('npm run compare', () => {
  it('trains the teachers of a seed before its students, which name them', () => {
    const runs = plannedRuns({ seeds: [0, 7], epochs: 10, out: 'out' });
    expect(runs.map(({ out }) => out)).toEqual(
      [0, 7].flatMap((seed) =>
        ['teacher-audio', 'teacher-image', ...METHODS].map((name) => join('out', `seed-${seed}`, name)),
      ),
    );
    const ofSeed7 = runs.slice(9).map(({ changes }) => readConfig(config, changes));
    for (const { seed, methodOptions, optimizer } of ofSeed7) {
      expect(seed).toBe(7);
      expect(methodOptions.smp?.phaseEpochs).toEqual([5, 5]);
      expect(optimizer.schedule).toEqual({ type: 'step', after: [7] });
    }
    expect(ofSeed7.map(({ epochs }) => epochs)).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 0]);
    for (const { select, teachers } of ofSeed7.slice(0, 2)) {
      expect({ select, teachers }).toEqual({ select: 'validation-best', teachers: {} });
    }
    for (const { select, teachers } of ofSeed7.slice(2)) {
      expect(select).toBe('last');
      expect(teachers).toEqual({ audio: 'out/seed-7/teacher-audio', image: 'out/seed-7/teacher-image' });
    }
  });

  it('trains as long as small.json says unless told otherwise', () => {
    const settings = parseCompare([]);
    expect(settings).toMatchObject({ seeds: [0, 1, 2], out: 'runs/av-mnist-methods' });
    const own = readConfig(config);
    const student = plannedRuns(settings).find(({ out }) => out.endsWith('g2d')) as { changes: object };
    const { teachers: _, ...changed } = readConfig(config, student.changes as Record<string, unknown>);
    const { teachers: __, ...expected } = own;
    expect(changed).toEqual(expected);
  });

  it('says which value it cannot use', () => {
    expect(() => parseCompare(['--seeds', '0,x'])).toThrow(
      /--seeds is "x"; it takes whole numbers of at least 0/,
    );
    expect(() => parseCompare(['--epochs', '1'])).toThrow(
      /--epochs is "1"; it takes whole numbers of at least 2/,
    );
  });
});
