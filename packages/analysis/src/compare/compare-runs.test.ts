import { describe, expect, it } from 'vitest';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { plainRun } from '../../fixtures/plain-run.js';
import type { Run, StartedRun } from '../run.js';
import { compareRuns } from './compare-runs.js';
import type { ComparisonTable } from './comparison.js';

const run = (method: string, seed: number, fused: number, more: Parameters<typeof plainRun>[0] = {}): Run =>
  plainRun({
    ...more,
    config: { method, seed, ...more.config },
    summary: {
      test: { fused, audio: fused - 10, image: fused - 20 },
      validation: { fused: fused + 1 },
      ...more.summary,
    },
  });
const only = (runs: readonly Run[]): ComparisonTable => {
  const { tables } = compareRuns(runs);
  expect(tables).toHaveLength(1);
  return tables[0]!;
};
const labels = (table: ComparisonTable | undefined): string[] =>
  (table?.rows ?? []).map(({ label }) => label);

describe('compareRuns', () => {
  it('makes one row of the seeds of a method: mean, sample deviation, interval', () => {
    const [row] = only([run('g2d', 2, 74), run('g2d', 0, 70), run('g2d', 1, 72)]).rows;
    expect(row).toMatchObject({ label: 'G2D', seeds: [0, 1, 2], select: 'validation-best', main: 'fused' });
    expect(row?.test['fused']).toMatchObject({ values: [70, 72, 74], n: 3, mean: 72, deviation: 2 });
    // 4.3027 · 2 / √3 on either side.
    expect(row?.test['fused']?.interval?.lower).toBeCloseTo(72 - 4.9683, 4);
    expect(row?.test['fused']?.interval?.upper).toBeCloseTo(72 + 4.9683, 4);
    expect(row?.test['image']).toMatchObject({ mean: 52 });
    expect(row?.validation['fused']).toMatchObject({ mean: 73 });
  });

  it('gives a single seed neither deviation nor interval', () => {
    expect(only([run('g2d', 0, 70)]).rows[0]?.test['fused']).toEqual({ values: [70], n: 1, mean: 70 });
  });

  it('sorts from the worst to the best, equal ones from joint training to G2D', () => {
    const runs = [
      run('g2d', 0, 80),
      run('smp', 0, 80),
      run('umt', 0, 60),
      run('joint', 0, 60),
      run('mla', 0, 90),
    ];
    expect(labels(only(runs))).toEqual(['Joint training', 'UMT', 'SMP only', 'G2D', 'MLA']);
  });

  it('pairs gains over joint training by seed and counts the seeds that win', () => {
    const table = only([
      ...[60, 62, 61].map((fused, seed) => run('joint', seed, fused)),
      ...[63, 61, 67].map((fused, seed) => run('g2d', seed, fused)),
      ...[60, 62].map((fused, seed) => run('umt', seed + 1, fused)),
    ]);
    const gains = Object.fromEntries(table.rows.map(({ method, gain }) => [method, gain]));
    expect(gains['joint']).toBeUndefined();
    // Differences 3, −1, 6: mean 8/3, deviation √(74/6).
    expect(gains['g2d']).toMatchObject({ over: 'Joint training', wins: { better: 2, of: 3 } });
    expect(gains['g2d']?.mean).toBeCloseTo(8 / 3, 10);
    expect(gains['g2d']?.deviation).toBeCloseTo(Math.sqrt(74 / 6), 10);
    // 4.3027 · 3.5119 / √3 = 8.7240 on either side.
    expect(gains['g2d']).toMatchObject({ n: 3, seeds: [0, 1, 2] });
    expect(gains['g2d']?.interval?.lower).toBeCloseTo(8 / 3 - 8.724, 3);
    expect(gains['g2d']?.interval?.upper).toBeCloseTo(8 / 3 + 8.724, 3);
    // Seeds 1 and 2 of 0, 1 and 2: −2 and 1, mean −0.5, deviation 3/√2, 12.7062 · 1.5 on either side.
    expect(gains['umt']).toMatchObject({ n: 2, seeds: [1, 2], mean: -0.5, wins: { better: 1, of: 2 } });
    expect(gains['umt']?.interval?.upper).toBeCloseTo(-0.5 + 12.7062 * 1.5, 3);
    expect(table.notes).toContain(
      'The gain of UMT over Joint training is of the seeds that both have: 1, 2. Without a partner: Joint training 0.',
    );
    expect(table.notes).toContain(
      'The rows do not all have the same seeds; the more seeds, the more a mean says.',
    );
  });

  it('says where a gain is the difference of means of other seeds', () => {
    const table = only([
      ...[60, 62].map((fused, seed) => run('joint', seed, fused)),
      ...[70, 72, 74].map((fused, seed) => run('g2d', seed + 1, fused)),
    ]);
    expect(table.rows[1]?.gain).toEqual({
      over: 'Joint training',
      wins: { better: 1, of: 1 },
      seeds: [],
      n: 0,
      mean: 11,
    });
    expect(table.notes).toContain(
      'G2D and Joint training have fewer than two seeds in common: the gain is the difference of their means, without an interval.',
    );
  });

  it('covers the true gain as often as it says, whatever the seeds have in common', () => {
    const random = randomStream(deriveSeed(0, 'coverage of gains'));
    let covered = 0;
    for (let i = 0; i < 400; i++) {
      const runs = [0, 1, 2].flatMap((seed) => {
        const shared = 5 * random.normal();
        return [
          run('joint', seed, 60 + shared + random.normal()),
          run('g2d', seed, 63 + shared + random.normal()),
        ];
      });
      const [{ lower, upper }] = only(runs).rows.flatMap(({ gain }) => gain?.interval ?? []) as [
        { lower: number; upper: number },
      ];
      if (lower <= 3 && 3 <= upper) covered++;
    }
    // 95 % ± 4.4 % (four standard errors of 400).
    expect(covered / 400).toBeGreaterThan(0.906);
    expect(covered / 400).toBeLessThan(0.994);
  });

  it('names every seed that has no number, and counts the others', () => {
    const noAudio = run('g2d', 2, 74, { summary: { test: { fused: 74, image: 54 }, validation: {} } });
    const stopped = { ...run('g2d', 3, 0), summary: undefined } as unknown as StartedRun;
    const { tables } = compareRuns([run('g2d', 0, 70), run('g2d', 1, 72), noAudio, stopped]);
    const [row] = tables[0]?.rows ?? [];
    expect(row?.test['audio']).toMatchObject({ values: [60, 62], n: 2 });
    expect(row?.test['fused']).toMatchObject({ n: 3 });
    expect(row?.unfinished.map(({ config }) => config.seed)).toEqual([3]);
    expect(tables[0]?.notes).toContain(
      'G2D: seed 3 (runs/g2d-3, not finished: epoch 0 of 10) has no result, so its numbers are of the other 3 seeds.',
    );
    expect(tables[0]?.notes).toContain(
      'G2D: seed 2 (runs/g2d-2) has no number for audio on test and fused on validation, and is not in their means.',
    );
  });

  it('names a run that is not finished and in no row', () => {
    const stopped = {
      ...run('smp', 3, 0),
      metrics: [{ epoch: 4, loss: {}, train: {} }],
      summary: undefined,
    } as unknown as StartedRun;
    expect(compareRuns([run('g2d', 0, 70), stopped]).notes).toEqual([
      'SMP only: seed 3 (runs/smp-3, not finished: epoch 4 of 10) is in no row.',
    ]);
    expect(() => compareRuns([stopped])).toThrow('at least one finished run');
  });

  it('takes the joint training with the nearest settings', () => {
    const table = only([
      run('joint', 0, 50, { config: { epochs: 10 } }),
      run('joint', 0, 60, { config: { epochs: 99 } }),
      run('g2d', 0, 70, { config: { epochs: 99 } }),
    ]);
    expect(table.rows[2]?.gain).toMatchObject({ over: 'Joint training (epochs 99)', mean: 10 });
  });

  it('ignores name, seed, root, teachers’ paths and environment, and names every other difference', () => {
    const options = (scope: string): Parameters<typeof plainRun>[0] => ({
      config: { methodOptions: { smp: { scope } } },
    });
    const table = only([
      run('g2d', 0, 70, options('conv')),
      run('g2d', 1, 72, {
        config: {
          ...options('conv').config,
          name: 'g2d-seed1',
          dataset: { name: 'digits', root: '/elsewhere' },
          teachers: { audio: 'runs/a1' },
          environment: { backend: 'wasm' },
        },
      }),
      run('g2d', 0, 75, options('encoder')),
      run('g2d', 0, 76, {
        config: { ...options('encoder').config, select: 'test-best' },
        summary: { select: 'test-best', test: { fused: 76 } },
      }),
      run('g2d', 0, 77, { config: { ...options('encoder').config, name: 'mine' } }),
    ]);
    expect(table.rows.map(({ label, seeds }) => `${label}: ${seeds.join()}`)).toEqual([
      'G2D (scope conv, select validation-best): 0,1',
      'G2D (scope encoder, select validation-best): 0',
      'G2D (scope encoder, select test-best): 0',
      'mine: 0',
    ]);
  });

  it('takes encoders that begin with those of another run for the same ones, whatever its seed', () => {
    const probe = (seed: number, path: string): Run =>
      run('linear-probe', seed, 70 + seed, { config: { encoders: { audio: { weights: path } } } });
    const seeds = (runs: readonly Run[]): number[][] => only(runs).rows.map((row) => [...row.seeds]);
    expect(seeds([0, 1, 12].map((seed) => probe(seed, `runs/seed-${seed}/teacher-audio`)))).toEqual([
      [0, 1, 12],
    ]);
    // Another seed's, and other files.
    expect(seeds([probe(0, 'runs/seed-0/audio'), probe(1, 'runs/seed-10/audio')])).toHaveLength(2);
    expect(seeds([probe(0, 'a.pth'), probe(1, 'b.pth')])).toHaveLength(2);
  });

  it('tells students apart whose teachers were trained otherwise', () => {
    const teacher = (epochs: number, seed: number) => ({
      teachers: { audio: { config: plainRun({ config: { kind: 'teacher', epochs, seed } }).config } },
    });
    const runs = [
      run('g2d', 0, 70, teacher(5, 0)),
      run('g2d', 1, 71, teacher(5, 1)),
      run('g2d', 1, 72, teacher(9, 1)),
    ];
    expect(labels(only(runs))).toEqual(['G2D (epochs 5)', 'G2D (epochs 9)']);
  });

  it('takes the mask of the run’s own seed for no difference, and names a rate once, not once more for each teacher', () => {
    const masked = (rate: number, seed: number) => {
      const data = { missing: { rate, seed } };
      const teacher = plainRun({ config: { kind: 'teacher', data, seed } }).config;
      return run('g2d', seed, 70 - 10 * rate, {
        config: { data },
        teachers: { audio: { config: teacher }, image: { config: teacher } },
      });
    };
    const { rows } = only([masked(0, 0), masked(0, 1), masked(0.6, 0), masked(0.6, 1)]);
    expect(rows.map(({ label, seeds }) => `${label}: ${seeds.join()}`)).toEqual([
      'G2D (rate 0.6): 0,1',
      'G2D (rate 0): 0,1',
    ]);
    const others = [0, 1].map((seed) =>
      run('g2d', seed, 70, { config: { data: { missing: { rate: 0, seed: 7 + seed } } } }),
    );
    expect(only(others).rows).toHaveLength(2);
  });

  it('keeps a name that loses a number as if it were a seed', () => {
    const runs = [0, 1, 2].map((seed) => run('g2d', seed, 70, { config: { name: 'tau-1' } }));
    expect(labels(only(runs))).toEqual(['tau-1']);
  });

  it('leaves a repeated run out and says so', () => {
    const again = { ...run('g2d', 0, 90), folder: 'runs/again' };
    const table = only([run('g2d', 0, 70), again]);
    expect(table.rows[0]?.test['fused']?.values).toEqual([70]);
    expect(table.notes.join()).toContain(
      'G2D: left out, since a run with the same settings and seed is there already: runs/again (seed 0).',
    );
  });

  it('puts teachers into a block of their own', () => {
    const teacher = (modality: string, value: number): Run =>
      plainRun({
        config: { kind: 'teacher', method: 'joint', name: `teacher-${modality}`, modalities: [modality] },
        summary: { test: { [modality]: value } },
      });
    const table = only([teacher('image', 75), teacher('audio', 58), run('joint', 0, 60)]);
    expect(labels(table)).toEqual(['Joint training']);
    expect(table.teachers.map(({ label, main, test }) => [label, main, test[main]?.mean])).toEqual([
      ['Teacher of audio', 'audio', 58],
      ['Teacher of image', 'image', 75],
    ]);
    expect(table.teachers[0]).not.toHaveProperty('gain');
  });

  it('never mixes datasets, their options, modalities or tasks', () => {
    const three = { config: { modalities: ['audio', 'image', 'touch'] } };
    const draw = { config: { dataset: { name: 'digits', root: 'data', draw: 'second' } } };
    const teacher = plainRun({
      config: { kind: 'teacher', modalities: ['image'] },
      summary: { test: { image: 75 } },
    });
    const { tables, notes } = compareRuns([
      run('joint', 0, 60),
      run('joint', 0, 61, three),
      run('joint', 0, 62, draw),
      run('joint', 0, 63, { config: { dataset: { name: 'sounds' } } }),
      teacher,
    ]);
    expect(
      tables.map(({ dataset, modalities, teachers }) => [dataset, modalities.length, teachers.length]),
    ).toEqual([
      ['digits', 2, 1],
      ['digits', 3, 1],
      ['digits (draw second)', 2, 0],
      ['sounds', 2, 0],
    ]);
    expect(notes[0]).toContain('so there are 4 tables');
    expect(notes[0]).toContain('digits (draw second) with audio and image; sounds with audio and image');
    expect(tables.every(({ rows }) => rows.length === 1)).toBe(true);
  });

  it('shows teachers whose data no student has', () => {
    const teacher = plainRun({
      config: { kind: 'teacher', modalities: ['image'] },
      summary: { test: { fused: 75 } },
    });
    const table = only([teacher]);
    expect(table).toMatchObject({ rows: [], modalities: ['image'] });
    expect(table.teachers[0]).toMatchObject({ main: 'fused' });
  });

  it('counts a smaller error of a regression as better', () => {
    const mape = (method: string, fused: number, rSquared: number): Run =>
      run(method, 0, fused, {
        summary: {
          task: 'regression',
          test: { fused },
          metrics: { test: { fused: { meanAbsolutePercentageError: fused, rSquared } } },
        },
      });
    const table = only([mape('g2d', 12, 0.8), mape('joint', 20, 0.5)]);
    expect(labels(table)).toEqual(['Joint training', 'G2D']);
    expect(table.rows[1]?.gain).toMatchObject({ mean: 8, wins: { better: 1, of: 1 } });
    expect(table.rows[1]?.metrics).toEqual({ rSquared: { values: [0.8], n: 1, mean: 0.8 } });
    expect(table.notes[0]).toContain('less is better');
  });

  it('names a selection on the test split, and one that is mixed', () => {
    const best = {
      config: { select: 'test-best' },
      summary: { select: 'test-best', test: { fused: 70 } },
    } as const;
    const { notes } = only([run('g2d', 0, 70, best), run('joint', 0, 60)]);
    expect(notes[0]).toMatch(
      /^Selected on the test split \(test-best\): G2D\. .* these numbers are too high\.$/,
    );
    expect(notes[1]).toContain('chosen in different ways');
  });

  it('says that test splits differ in size', () => {
    const size = (count: number) => ({ summary: { test: { fused: 1 }, confusion: { fused: [[count]] } } });
    const { notes } = only([run('g2d', 0, 1, size(10)), run('joint', 0, 1, size(20))]);
    expect(notes.join()).toContain('The test splits differ in size (10 and 20 samples)');
  });

  it('rejects an empty list', () => {
    expect(() => compareRuns([])).toThrow('There are no runs to compare');
  });

  it('does not take a seed of the data that is the run’s own for other data', () => {
    const runs = [0, 1].map((seed) =>
      run('g2d', seed, 70, { config: { dataset: { name: 'digits', seed } } }),
    );
    expect(only(runs).rows[0]?.seeds).toEqual([0, 1]);
  });

  it('takes a seed of the data that stays for one setting, though run 0 has the same', () => {
    const fixed = [0, 1, 2].map((seed) =>
      run('g2d', seed, 70, {
        config: { dataset: { name: 'digits', seed: 0 }, data: { missing: { rate: 0.2, seed: 0 } } },
      }),
    );
    const { tables } = compareRuns(fixed);
    expect(tables.map(({ rows }) => rows.map(({ seeds }) => seeds))).toEqual([[[0, 1, 2]]]);
  });

  it('puts a run whose result is not finite first', () => {
    const lost = run('mla', 0, 0, { summary: { test: {} } });
    const table = only([run('g2d', 0, 70), lost, run('joint', 0, 60)]);
    expect(labels(table)).toEqual(['MLA', 'Joint training', 'G2D']);
    expect(table.rows[0]).not.toHaveProperty('gain');
    expect(table.notes).toContain(
      'MLA: seed 0 (runs/mla-0) has no number for fused on test, and is not in its mean.',
    );
  });
});
