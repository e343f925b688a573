// The sweeps of the paper's tables and figures: all of them can be planned, without data, and share their runs.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { planPool, readSweep, type Sweep, type SweepPool } from '@g2d/runs';
import { describe, expect, it } from 'vitest';

const folder = resolve(import.meta.dirname, '../../examples/tables');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

const SCALES = ['paper', 'small', 'smoke'] as const;
type Scale = (typeof SCALES)[number];

const sweepsOf = (scale: Scale, changes: Readonly<Record<string, unknown>> = {}): Sweep[] =>
  files
    .filter((name) => name.endsWith(`.${scale}.json`))
    .map((name) => readSweep(join(folder, name), changes));

/** With one seed and, of IEMOCAP, one fold. */
const once = (sweep: Sweep): Sweep => {
  const { seed, 'dataset.fold': folds, ...grid } = sweep.grid;
  return {
    ...sweep,
    grid: { ...grid, seed: [seed![0]], ...(folds && { 'dataset.fold': [folds[0]] }) },
    // They leave out other seeds.
    exclude: sweep.exclude.filter((left) => !('seed' in left)),
  };
};

const poolOf = (sweeps: readonly Sweep[]): Promise<SweepPool> =>
  planPool(sweeps, { out: join(folder, 'no-such-folder') });

function counts({ members, runs }: SweepPool) {
  const students = Object.values(members).flat();
  const distinct = new Set(students.map(({ id }) => id));
  return {
    students: students.length,
    distinct: distinct.size,
    teachers: runs.filter(({ id }) => !distinct.has(id)).length,
  };
}

describe('examples/tables', () => {
  it('has 58 sweeps, each called as its file', () => {
    expect(files).toHaveLength(58);
    for (const name of files) {
      const [place, scale] = name.split('.');
      const sweep = readSweep(join(folder, name));
      expect([sweep.name, sweep.out]).toEqual([place, `runs/tables/${scale}`]);
    }
  });

  it.each([
    ['paper', { students: 1019, distinct: 777, teachers: 389 }],
    ['small', { students: 441, distinct: 303, teachers: 60 }],
    ['smoke', { students: 179, distinct: 115, teachers: 23 }],
  ] as const)('plans all of the scale %s, each run once', async (scale, expected) => {
    expect(counts(await poolOf(sweepsOf(scale)))).toEqual(expected);
  });

  it.each([
    ['paper', { students: 193, distinct: 127, teachers: 23 }],
    ['small', { students: 147, distinct: 101, teachers: 20 }],
  ] as const)('has so many runs of one seed at the scale %s', async (scale, expected) => {
    expect(counts(await poolOf(sweepsOf(scale).map(once)))).toEqual(expected);
  });

  it('has the 134 students and 14 teachers of the paper, and those of the missing rates', async () => {
    const asPublished = sweepsOf('paper')
      // Another reading of one table, which nobody has published.
      .filter(({ name }) => !name.includes('literal'))
      .map(once)
      .map((sweep) =>
        sweep.name === 'table-11'
          ? {
              ...sweep,
              grid: { ...sweep.grid, method: ['joint', 'cra', 'mmin', 'cpm-net', 'tate', 'g2d'] },
            }
          : sweep,
      );
    // Three of IEMOCAP for each of three rates: theirs lack what their students lack.
    expect(counts(await poolOf(asPublished))).toEqual({ students: 198, distinct: 134, teachers: 14 + 9 });
  });

  it('holds no validation split out as published, and has one to select by otherwise', async () => {
    const settings = async (protocol: string) => {
      const { runs } = await poolOf(sweepsOf('paper', { protocol }));
      const found = runs.map(({ config: { dataset, method, select } }) => {
        const { name, official, validationRows } = dataset;
        return [name, ['mses', 'mslr'].includes(method), select, official ?? '-', validationRows]
          .join(' ')
          .trim();
      });
      return [...new Set(found)].sort();
    };
    expect(await settings('published')).toEqual([
      'av-mnist false test-best false 0',
      'av-mnist true test-best false 5000',
      'crema-d false test-best true',
      'crema-d true test-best false',
      'iemocap false test-best false',
      'mis-me false test-best -',
      'ur-funny false test-best true',
      'vgg-sound false test-best true',
      'vgg-sound true test-best false',
    ]);
    expect(await settings('validation')).toEqual([
      'av-mnist false validation-best false 5000',
      'av-mnist true validation-best false 5000',
      'crema-d false validation-best false',
      'crema-d true validation-best false',
      'iemocap false validation-best false',
      'mis-me false validation-best -',
      'ur-funny false validation-best false',
      'vgg-sound false validation-best false',
      'vgg-sound true validation-best false',
    ]);
  });
});
