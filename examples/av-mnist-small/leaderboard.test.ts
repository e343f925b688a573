import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { PlannedRun } from '@g2d/runs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainRun } from '../../packages/analysis/fixtures/plain-run.js';
import { parseLeaderboard } from './leaderboard.js';
import { parityCounts } from './leaderboard/parity-counts.js';
import { entrants, partsOf, runsOf, settingsOf, settingWords, TUNING_SEED } from './leaderboard/plan.js';
import { leaderboardMarkdown, resultsJson, resultsOf, type Results } from './leaderboard/results.js';
import { strengths } from './leaderboard/strengths.js';
import { candidatesOf, choose, formatTuning, writeTuning, type Candidate } from './leaderboard/tuning.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-leaderboard-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const NAMES = entrants.map(({ name }) => name);
const options = { names: NAMES, epochs: 60, out: root };

describe('the runs of the leaderboard', () => {
  let candidates: ReadonlyMap<string, readonly Candidate[]>;
  beforeAll(async () => {
    candidates = await candidatesOf(options);
  });

  it('are of every method, each with four settings and one seed that is none of those reported', () => {
    expect([...candidates.keys()]).toEqual(NAMES);
    for (const [name, all] of candidates) {
      expect(all, name).toHaveLength(4);
      expect(new Set(all.map(({ id }) => id)).size, name).toBe(4);
      const configs = all.flatMap(({ runs }) => runs.map(({ config }) => config));
      expect(new Set(configs.map(({ seed }) => seed)), name).toEqual(new Set([TUNING_SEED]));
    }
    expect(parseLeaderboard([]).seeds).toEqual([0, 1, 2]);
  });

  it('have the epochs of all others, and evaluate as often as their method needs', () => {
    for (const [name, all] of candidates) {
      for (const { id, runs } of all) {
        const { config } = runs.find((run) => run.id === id) as PlannedRun;
        expect(config.epochs, id).toBe(name === 'ume' ? 0 : 60);
        const everyEpoch = partsOf(name).some(({ needs }) => needs?.validation === 'every-epoch');
        expect(config.evaluation, id).toMatchObject({ every: everyEpoch ? 1 : 2, splits: ['validation'] });
        expect(config.select, id).toBe('last');
        expect(
          Object.keys(config.methodOptions).every((key) => partsOf(name).some((part) => part.name === key)),
          id,
        ).toBe(true);
      }
    }
  });

  it('come after the teachers that they need, of the same seed and learning rate', () => {
    for (const [name, all] of candidates) {
      const needsTeachers = name === 'linear-probe' || partsOf(name).some(({ needs }) => needs?.teachers);
      for (const { id, runs } of all) {
        const { needs, config } = runs.at(-1) as PlannedRun;
        const teachers = runs.slice(0, -1);
        expect(needs, id).toEqual(needsTeachers ? teachers.map((teacher) => teacher.id) : []);
        expect(teachers, id).toHaveLength(needsTeachers ? 2 : 0);
        for (const teacher of teachers) {
          const [modality] = teacher.config.modalities as [string];
          expect(teacher.config.optimizer.learningRate).toBe(config.optimizer.learningRate);
          const folder = join(root, teacher.id);
          const named =
            name === 'linear-probe' ? config.encoders[modality]?.weights : config.teachers?.[modality];
          expect(named, id).toBe(folder);
        }
      }
    }
  });

  it('have folders that seeds and settings name, so that no two settings share one', async () => {
    const setting = settingsOf('ogm', 60)[1]!;
    const runs = await runsOf('ogm', { seeds: [0, 7], setting }, options);
    expect(runs.map(({ id }) => id)).toEqual(
      [0, 7].map((seed) => `seed-${seed}/learningRate-0.02/alpha-0.8/ogm`),
    );
    expect(settingWords(setting)).toBe('learningRate 0.02, alpha 0.8');
    const folders = new Map<string, string>();
    for (const { id, config } of [...candidates.values()].flat().flatMap((candidate) => candidate.runs)) {
      const text = JSON.stringify(config);
      expect(folders.get(id) ?? text, id).toBe(text);
      folders.set(id, text);
    }
  });

  it('fit into a few epochs too', async () => {
    const few = await candidatesOf({ ...options, epochs: 2 });
    for (const [name, all] of few) {
      expect(all.length, name).toBeGreaterThanOrEqual(2);
      expect(new Set(all.map(({ id }) => id)).size, name).toBe(all.length);
    }
  });

  it('know no method that is none', () => {
    expect(Object.keys(strengths(60)).filter((name) => !NAMES.includes(name))).toEqual([]);
  });
});

describe('the choice of a setting', () => {
  const finish = (id: string, validation: number, test: number): void => {
    const folder = join(root, id);
    cpSync(resolve(import.meta.dirname, '../../packages/analysis/fixtures/run-group/joint'), folder, {
      recursive: true,
    });
    const path = join(folder, 'summary.json');
    const summary = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(
      path,
      JSON.stringify({ ...summary, validation: { fused: validation }, test: { fused: test } }),
    );
  };
  const settings = [0.05, 0.02, 0.1].map((rate) => ({ 'optimizer.learningRate': rate }));
  const tried = (name: string): [string, readonly Candidate[]] => [
    name,
    settings.map((setting, i) => ({ setting, id: `${name}-${i}`, runs: [] })),
  ];

  it('is by the validation split alone: the best, of equal ones the first; a run that failed is none', () => {
    finish('joint-0', 70, 99);
    finish('joint-1', 80, 10);
    finish('joint-2', 80, 50);
    finish('ogm-2', 20, 20);
    mkdirSync(join(root, 'pmr-0'));
    writeFileSync(join(root, 'pmr-0/summary.json'), '{');
    const choices = choose(new Map([tried('joint'), tried('ogm'), tried('pmr')]), root);
    expect(choices.map(({ method, setting }) => [method, setting])).toEqual([
      ['joint', settings[1]],
      ['ogm', settings[2]],
    ]);
    expect(choices[1]?.tried.map(({ validation }) => validation)).toEqual([null, null, 20]);
    expect(formatTuning(choices)).toContain('learningRate 0.05: 70.0; learningRate 0.1: 80.0');
    expect(formatTuning(choices)).toContain('learningRate 0.05: failed');
    const written = JSON.parse(readFileSync(writeTuning(choices, root), 'utf8')) as object;
    expect(written).toEqual({ seed: TUNING_SEED, split: 'validation', choices });
  });
});

describe('the results', () => {
  const setting = { 'optimizer.learningRate': 0.05 };
  const choices = ['joint', 'agm', 'qmf'].map((method) => ({ method, setting, tried: [] }));
  const runs = [0, 1, 2].flatMap((seed) =>
    Object.entries({ joint: 80 + seed, agm: 75, qmf: 70 + 2 * seed }).map(([method, fused]) =>
      plainRun({ config: { method, seed }, summary: { test: { fused, audio: 60, image: 50 } } }),
    ),
  );
  const results = resultsOf(runs, { choices, epochs: 60, command: 'npm run leaderboard' });

  it('give the same table after they were kept in a file, with setting and parity cases', () => {
    const markdown = leaderboardMarkdown(results);
    expect(leaderboardMarkdown(JSON.parse(resultsJson(results)) as Results)).toBe(markdown);
    expect(markdown).toMatch(/\| qmf .*72\.0 ± 2\.0 .*\| learningRate 0\.05 \| +0 \|/);
    expect(markdown).toContain(
      `Of at most four settings the best on the validation split with seed ${TUNING_SEED}`,
    );
    // Runs are in the folders, the file has numbers.
    expect(resultsJson(results).length).toBeLessThan(20_000);
  });

  it('name what is worse than joint training, and its parity cases', () => {
    expect(leaderboardMarkdown(results)).toMatch(
      /Worse than joint training on average: qmf \(no parity case\), agm \(\d+ parity cases\)\./,
    );
    const same = resultsOf(runs.slice(0, 1), { choices, epochs: 60, command: '' });
    expect(leaderboardMarkdown(same)).toContain('No method is worse than joint training.');
  });

  it('count the parity cases that there are', () => {
    const folders = readdirSync(resolve(import.meta.dirname, '../../test/parity/methods'));
    const counts = parityCounts(['agm', 'mm-pareto', 'recon-boost', 'smp', 'g2d', 'no-such']);
    const of = (start: string): number => folders.filter((name) => name.startsWith(start)).length;
    expect(counts).toMatchObject({
      agm: of('agm-'),
      'mm-pareto': of('mmpareto-'),
      'recon-boost': of('reconboost-'),
    });
    expect(of('mmpareto-')).toBeGreaterThan(0);
    // The cases of G2D are of both of its parts.
    expect(counts['smp']).toBe(counts['g2d']);
    expect(counts['smp']).toBeGreaterThan(0);
    expect(counts['no-such']).toBe(0);
  });
});

describe('npm run leaderboard', () => {
  it('takes the methods in the order of the table', () => {
    expect(parseLeaderboard(['--methods', 'smp,joint', '--seeds', '3,3', '--epochs', '9'])).toMatchObject({
      names: ['joint', 'smp'],
      seeds: [3],
      epochs: 9,
    });
    expect(parseLeaderboard([]).names).toEqual(NAMES);
  });

  it.each([
    [['--methods', 'joint,none'], /--methods has "none"; it can have joint, /],
    [['--seeds', ''], /--seeds is ""/],
    [['--seeds', '0,x'], /--seeds is "x"; it must be a whole number of at least 0/],
    [['--epochs', '1'], /--epochs is "1"; it must be a whole number of at least 2/],
    [['--jobs', '0'], /--jobs is "0"/],
    [['joint'], /"joint" is no option/],
    [['--publish', '--methods', 'joint'], /--publish is of all methods/],
  ])('answers %j with a sentence', (args, message) => {
    expect(() => parseLeaderboard(args)).toThrow(message);
  });

  it('explains itself', () => {
    const file = join(import.meta.dirname, 'leaderboard.ts');
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--conditions=@g2d/source', '--import', 'tsx', file, '--help'],
      { encoding: 'utf8', cwd: dirname(dirname(import.meta.dirname)) },
    );
    expect(status).toBe(0);
    for (const option of ['--seeds', '--epochs', '--methods', '--jobs', '--out', '--publish'])
      expect(stdout).toContain(option);
  });
});
