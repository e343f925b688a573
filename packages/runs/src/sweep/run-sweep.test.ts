import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { G2DError } from '@g2d/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toyConfig } from '../../test/toy-config.js';
import { parseConfig } from '../read-config.js';
import { recordFailure } from './failure.js';
import { localEngine, type Worker } from './local-engine.js';
import { readPlan } from './manifest.js';
import { openSweep } from './open-sweep.js';
import type { PlannedRun, SweepPlan } from './plan.js';
import { runSweep } from './run-sweep.js';
import { slurmSchema } from './schema.js';
import { isFinished, sweepStatus } from './status.js';

let root: string;
let out: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-sweep-'));
  out = join(root, 'sweep');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const runOf = (id: string, needs: readonly string[] = [], changes: object = {}): PlannedRun => ({
  id,
  needs,
  config: parseConfig(toyConfig(changes)),
});
const planOf = (...runs: PlannedRun[]): SweepPlan => ({ name: 'test', out, runs });

const folders = (plan: SweepPlan): Record<string, string> =>
  Object.fromEntries(sweepStatus(plan).map(({ id, state }) => [id, state]));

/** Finishes a run without training it. */
/** Of a run of an earlier version. */
const SUMMARY = fileURLToPath(new URL('../../test/fixtures/version-1/g2d/summary.json', import.meta.url));

function finish({ id }: PlannedRun): void {
  mkdirSync(join(out, id), { recursive: true });
  writeFileSync(join(out, id, 'config.json'), '{ "format": "g2d-run" }');
  copyFileSync(SUMMARY, join(out, id, 'summary.json'));
}

const quiet = { begin: () => {}, epoch: () => {}, finished: () => {}, failed: () => {}, note: () => {} };

function sweep(plan: SweepPlan, worker: Worker, options: object = {}) {
  const { jobs = 1, ...rest } = options as { jobs?: number };
  const signal = new AbortController().signal;
  return runSweep(plan, { engine: localEngine({ jobs, worker }), signal, reporter: quiet, ...rest });
}

const four = () => planOf(runOf('a'), runOf('b'), runOf('c', ['a']), runOf('d', ['c']));

describe('runSweep', () => {
  it('trains a run when what it needs is finished, so many at once', async () => {
    const began: string[] = [];
    let [now, most] = [0, 0];
    await sweep(
      four(),
      async (run) => {
        began.push(run.id);
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, run.id === 'b' ? 60 : 10));
        finish(run);
        now--;
        return 'finished';
      },
      { jobs: 2 },
    );
    expect(began).toEqual(['a', 'b', 'c', 'd']);
    expect(most).toBe(2);
    expect(readPlan(out).runs.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('names a run that fails, blocks what needs it, and trains the others; then only what is open', async () => {
    const plan = four();
    const began: string[] = [];
    let isBroken = true;
    const worker: Worker = async (run) => {
      began.push(run.id);
      if (run.id === 'a' && isBroken) {
        const error = new G2DError('G2D_DIVERGED', 'The loss is NaN.', {});
        recordFailure(out, run.id, error);
        throw error;
      }
      rmSync(join(out, `${run.id}.failed.json`), { force: true });
      finish(run);
      return 'finished';
    };
    const status = await sweep(plan, worker);
    expect(status).toMatchObject([
      { id: 'a', state: 'failed', why: 'The loss is NaN.' },
      { id: 'b', state: 'finished' },
      { id: 'c', state: 'blocked', why: 'it needs a, which failed' },
      { id: 'd', state: 'blocked' },
    ]);
    isBroken = false;
    expect((await sweep(plan, worker, { only: ['a'] })).every(({ state }) => state === 'finished')).toBe(
      true,
    );
    expect(began).toEqual(['a', 'b', 'a', 'c', 'd']);
  });

  it('begins no further run after the signal', async () => {
    const plan = planOf(runOf('a'), runOf('b'));
    const controller = new AbortController();
    const status = await runSweep(plan, {
      engine: localEngine({
        worker: async () => {
          controller.abort();
          return 'interrupted';
        },
      }),
      signal: controller.signal,
      reporter: quiet,
    });
    expect(status.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
  });

  it('says which runs it tries, those that differ in their numbers alone once, and stops trying at the signal', async () => {
    const plan = planOf(
      runOf('a'),
      runOf('b', [], { seed: 5, optimizer: { type: 'sgd', learningRate: 0.5 } }),
      runOf('c', [], { fusion: { type: 'sum' } }),
      runOf('d', [], { fusion: { type: 'concat' } }),
    );
    const controller = new AbortController();
    const tried: unknown[] = [];
    const onTry = ({ id }: PlannedRun, n: number, count: number): void => {
      tried.push([id, n, count]);
      if (id === 'c') controller.abort();
    };
    const began: string[] = [];
    const status = await sweep(plan, async ({ id }) => (began.push(id), 'finished'), {
      signal: controller.signal,
      onTry,
    });
    expect(tried).toEqual([
      ['a', 1, 3],
      ['c', 2, 3],
    ]);
    expect(began).toEqual([]);
    expect(status.every(({ state }) => state === 'waiting')).toBe(true);
  });

  it('trains nothing where a method cannot be trained by several processes', async () => {
    const plan = planOf(runOf('a'), runOf('b', [], { method: 'cpm-net' }));
    const queues = { retries: 0, slurm: slurmSchema.parse({}), processes: 2 };
    const began: string[] = [];
    const worker: Worker = async ({ id }) => (began.push(id), 'finished');
    await expect(sweep({ ...plan, queues }, worker)).rejects.toThrow(
      'The run b cannot be trained: The method "cpm-net" needs all of a batch in one process, and 2 would share it. Train it in one.',
    );
    expect(began).toEqual([]);
  });
});

describe('openSweep', () => {
  const open = (plan: SweepPlan, options: object = {}) =>
    openSweep(plan, { environment: { a: 1 }, ...options });

  it('keeps what has begun, takes in new runs, and refuses other settings of a run that has begun', () => {
    const plan = planOf(runOf('a'), runOf('b'));
    open(plan).release();
    finish(plan.runs[0] as PlannedRun);
    const longer = planOf(runOf('a'), runOf('b', [], { epochs: 9 }), runOf('c'));
    const second = open(longer);
    expect(second.resumed).toBe(true);
    second.release();
    expect(folders(longer)).toEqual({ a: 'finished', b: 'waiting', c: 'waiting' });
    expect(() => open(planOf(runOf('a', [], { epochs: 9 })))).toThrow(
      /The run a in .* began with "epochs" 3, and the sweep now has 9/,
    );
    expect(readPlan(out).runs).toHaveLength(3);
  });

  it('is used by one process at a time', () => {
    const { release } = open(planOf(runOf('a')));
    expect(() => open(planOf(runOf('a')))).toThrow(/in use by process/);
    release();
  });

  it('fresh: goes on with an interrupted sweep, and moves a finished one or another aside', () => {
    const plan = planOf(runOf('a'), runOf('b'));
    const fresh = (now: SweepPlan, options: object = {}): boolean => {
      const { resumed, release } = open(now, { fresh: true, ...options });
      release();
      return resumed;
    };
    expect([fresh(plan), fresh(plan)]).toEqual([false, true]);
    for (const run of plan.runs) finish(run);
    expect(fresh(plan, { result: 'summary.json' })).toBe(true);
    expect(fresh(plan)).toBe(false);
    expect(existsSync(join(`${out}.previous`, 'a', 'summary.json'))).toBe(true);
    expect(folders(plan)).toEqual({ a: 'waiting', b: 'waiting' });
    expect(fresh(planOf(runOf('a', [], { seed: 5 })))).toBe(false);
    // What was moved aside before stays where it is.
    expect(existsSync(join(`${out}.previous`, 'a', 'summary.json'))).toBe(true);
    expect(existsSync(join(`${out}.previous-2`, 'manifest.json'))).toBe(true);
    expect(fresh(planOf(runOf('a', [], { seed: 5 })), { environment: { a: 2 } })).toBe(false);
    for (const folder of [out, `${out}.previous`, `${out}.previous-2`, `${out}.previous-3`]) {
      expect([existsSync(folder), existsSync(join(folder, '.lock'))]).toEqual([true, false]);
    }
  });

  it('fresh: knows the folders of the main job from before there were sweeps', () => {
    mkdirSync(out);
    writeFileSync(join(out, 'config.json'), '{ "kind": "g2d-run-group" }');
    expect(() => open(planOf(runOf('a')))).toThrow(/not of an experiment \(config\.json\)/);
    open(planOf(runOf('a')), { fresh: true }).release();
    expect(existsSync(join(`${out}.previous`, 'config.json'))).toBe(true);
  });

  it.each(['sweep', 'sweep.previous'])('never touches a folder that is not a sweep’s: %s', (name) => {
    const plan = planOf(runOf('a'));
    if (name !== 'sweep') {
      open(plan).release();
      finish(plan.runs[0] as PlannedRun);
    }
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, 'thesis.tex'), 'years of work');
    const begin = (): unknown => open(plan, { fresh: true }).release();
    const said = (): string => {
      try {
        begin();
        return 'moved aside';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(said()).toMatch(name === 'sweep' ? /not of an experiment \(thesis\.tex\)/ : /^moved aside$/);
    expect(readFileSync(join(root, name, 'thesis.tex'), 'utf8')).toBe('years of work');
    expect(existsSync(join(out, '.lock'))).toBe(false);
  });

  it('takes nothing that cannot be read for absent: manifest, summary, reason of a failure', () => {
    const plan = planOf(runOf('a'), runOf('b'), runOf('c'));
    open(plan).release();
    for (const run of plan.runs) finish(run);
    writeFileSync(join(out, 'a', 'summary.json'), '{ "name": "a", ');
    rmSync(join(out, 'b', 'summary.json'));
    mkdirSync(join(out, 'b', 'summary.json'));
    rmSync(join(out, 'c', 'summary.json'));
    writeFileSync(join(out, 'c.failed.json'), '');
    const states = sweepStatus(plan);
    expect(states.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed']);
    expect(states.map(({ why }) => why)).toEqual([
      expect.stringMatching(/a\/summary\.json: it is not JSON/),
      expect.stringMatching(/b\/summary\.json is there and cannot be read \(EISDIR/),
      expect.stringMatching(/c\.failed\.json: it does not say why the run failed/),
    ]);
    expect(plan.runs.map(({ id }) => isFinished(out, id))).toEqual([false, false, false]);

    writeFileSync(join(out, 'manifest.json'), '{ "format": "g2d-s');
    const before = readdirSync(out, { recursive: true }).sort();
    for (const fresh of [false, true]) {
      expect(() => open(plan, { fresh })).toThrow(/manifest\.json: it is not JSON: .* Nothing was changed/);
    }
    expect(readdirSync(out, { recursive: true }).sort()).toEqual(before);
    rmSync(join(out, 'manifest.json'));
    mkdirSync(join(out, 'manifest.json'));
    expect(() => open(plan)).toThrow(/manifest\.json is there and cannot be read/);
  });

  it('says what is wrong with a file, a folder without a sweep, and a manifest of another version', () => {
    writeFileSync(out, '');
    expect(() => open(planOf(runOf('a')))).toThrow(/is a file, and is left alone/);
    rmSync(out);
    expect(() => readPlan(out)).toThrow(/is no folder of a sweep/);
    mkdirSync(out);
    writeFileSync(join(out, 'manifest.json'), '{ "format": "g2d-sweep", "version": 2 }');
    expect(() => readPlan(out)).toThrow(/is of version 2, and this g2d knows version 1/);
  });
});
