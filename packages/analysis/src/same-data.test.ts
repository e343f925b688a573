import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunIdentity, SplitFingerprint } from '@g2d/core/run-folder';
import { describe, expect, it } from 'vitest';
import { plainRun } from '../fixtures/plain-run.js';
import { temporaryGroup } from '../fixtures/temporary-group.js';
import { compareRuns } from './compare/compare-runs.js';
import { readRunGroup } from './read-run-group.js';
import type { Run } from './run.js';
import { testDifference } from './same-data.js';

type Predictions = NonNullable<Run['predictions']>;

const predictions = (changes: Partial<Predictions> = {}): Predictions => ({
  ids: ['a', 'b', 'c'],
  labels: [0, 1, 0],
  classNames: ['no', 'yes'],
  predictions: {},
  ...changes,
});
const split = (name: string): SplitFingerprint => ({
  size: 3,
  classNames: ['no', 'yes'],
  ids: 'same ids',
  firstIds: ['t'],
  labels: { count: 3, sha256: 'same labels' },
  contents: { audio: { count: 3, sha256: name } },
});
const identity = (train: string, test = 'same', modules?: Record<string, string>): RunIdentity => ({
  data: { train: split(train), test: split(test) },
  ...(modules && { modules }),
});
const joint = (seed: number, parts: Partial<Pick<Run, 'predictions'>>, config: Partial<Run['config']> = {}) =>
  plainRun({
    ...parts,
    config: { method: 'joint', seed, ...config },
    summary: { test: { fused: 60 + seed } },
  });

describe('compareRuns', () => {
  it.each<[string, Partial<Predictions>, string]>([
    ['other test ids', { ids: ['a', 'b', 'x'] }, '(ids: "a", "b", "x" (sha256'],
    ['other labels', { labels: [0, 1, 1] }, '(labels: sha256'],
    ['another order of classes', { classNames: ['yes', 'no'] }, '(classes: "yes", "no", there "no", "yes").'],
    ['fewer samples', { ids: ['a', 'b'], labels: [0, 1] }, '(samples: 2, there 3).'],
  ])('makes no two seeds of runs with %s', (_, changes, words) => {
    const runs = [joint(0, { predictions: predictions() }), joint(1, { predictions: predictions(changes) })];
    const { tables, notes } = compareRuns(runs);
    expect(tables.map(({ rows }) => rows.map(({ seeds }) => seeds))).toEqual([[[0]], [[1]]]);
    expect(tables.map(({ dataset }) => dataset)).toEqual(['digits', 'digits (other test split)']);
    expect(notes[1]).toContain(`The test split of runs/joint-1 is not that of runs/joint-0 ${words}`);
  });

  it('makes two seeds of runs with the same test split, and of one that does not say', () => {
    const runs = [
      joint(0, { predictions: predictions() }),
      joint(1, { predictions: predictions() }, { identity: identity('x') }),
      joint(2, {}),
    ];
    expect(compareRuns(runs).tables.map(({ rows }) => rows.map(({ seeds }) => seeds))).toEqual([[[0, 1, 2]]]);
  });

  it('keeps a teacher out of the table of students with another test split', () => {
    const teacher = plainRun({
      predictions: predictions({ labels: [1, 1, 1] }),
      config: { kind: 'teacher', method: 'joint', modalities: ['image'] },
      summary: { test: { image: 75 } },
    });
    const { tables } = compareRuns([joint(0, { predictions: predictions() }), teacher]);
    expect(tables.map(({ rows, teachers }) => [rows.length, teachers.length])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it('sees other contents of the test split by what was recorded, with and without predictions', () => {
    const of = (seed: number, test: string, parts: Partial<Pick<Run, 'predictions'>>) =>
      joint(seed, parts, { identity: identity('train', test) });
    for (const parts of [{}, { predictions: predictions() }]) {
      const { tables, notes } = compareRuns([of(0, 'x', parts), of(1, 'y', parts)]);
      expect(tables).toHaveLength(2);
      expect(notes.join()).toContain('(contents of audio: sha256 y…, there sha256 x…).');
    }
  });

  it('makes rows of their own of runs that were trained on other data or by another module', () => {
    const { tables } = compareRuns([
      joint(0, {}, { identity: identity('x', 'same', { './mine.mjs': 'm' }) }),
      joint(1, {}, { identity: identity('y', 'same', { './mine.mjs': 'm' }) }),
      joint(2, {}, { identity: identity('x', 'same', { './mine.mjs': 'n' }) }),
      joint(3, {}, { identity: identity('x', 'same', { './mine.mjs': 'm' }) }),
    ]);
    expect(tables).toHaveLength(1);
    expect(tables[0]?.rows.map(({ seeds }) => seeds.join()).sort()).toEqual(['0,3', '1', '2']);
    const notes = tables[0]?.notes.join(' ');
    expect(notes).toContain(
      'has the settings of runs/joint-0, but was not trained on the same (contents of audio: sha256 y…, there sha256 x…).',
    );
    expect(notes).toContain('(content of ./mine.mjs: sha256 n…, there sha256 m…).');
  });

  it('takes splits that are drawn by the run’s own seed for what they are, and says so', () => {
    const drawn = (seed: number) =>
      joint(
        seed,
        { predictions: predictions({ ids: [`${seed}`, 'b', 'c'] }) },
        { dataset: { name: 'digits', seed } },
      );
    const { tables } = compareRuns([drawn(0), drawn(1)]);
    expect(tables[0]?.rows.map(({ seeds }) => seeds)).toEqual([[0, 1]]);
    expect(tables[0]?.notes).toContain('The data are divided by the seed: every seed has splits of its own.');
  });

  it('names runs that went on with other data', () => {
    const what = ['The train split has 14 samples, and had 12.'];
    const { tables } = compareRuns([joint(0, {}, { changes: [{ epoch: 3, what }] })]);
    expect(tables[0]?.notes).toContain(`runs/joint-0 went on in epoch 3 although: ${what[0]}`);
  });
});

describe('readRunGroup', () => {
  it('refuses runs that were tested on other samples', () => {
    const { folder, runs } = temporaryGroup();
    const [run] = runs.filter(({ name }) => name === 'smp') as [Run];
    const path = join(folder, 'smp', 'predictions.json');
    const shifted = (run.predictions!.labels as number[]).map((label) => (label + 1) % 4);
    writeFileSync(path, JSON.stringify({ ...run.predictions, labels: shifted }));
    expect(() => readRunGroup(folder)).toThrow(/smp: its test split is not that of \S+ \(labels: sha256/);
  });
});

describe('testDifference', () => {
  it('hashes predictions as fingerprints are hashed', async () => {
    // What `fingerprint` of @g2d/datasets gives for these ids and labels.
    const recorded: SplitFingerprint = {
      ...split('x'),
      ids: 'fa1844c2988ad15ab7b49e0ece09684500fad94df916859fb9a43ff85f5bb477',
      firstIds: ['a', 'b', 'c'],
      labels: {
        count: 3,
        sha256: 'b478c82900a216d741ae56917973ab7e435ca61a52b209649be1150d04f239ef',
      },
    };
    const one = joint(0, {}, { identity: { data: { train: recorded, test: recorded } } });
    expect(testDifference(one, joint(1, { predictions: predictions() }))).toBeUndefined();
  });
});
