import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeSlurm, onPath, type FakeSlurm } from '../../../test/fake-slurm.js';
import { toyConfig } from '../../../test/toy-config.js';
import { parseConfig } from '../../read-config.js';
import { recordAttempt } from '../attempt.js';
import { recordFailure } from '../failure.js';
import { localEngine } from '../local-engine.js';
import { openSweep } from '../open-sweep.js';
import { onProcesses, type PlannedRun, type SweepPlan } from '../plan.js';
import { listName, readQueueLog } from '../queue-log.js';
import { runSweep } from '../run-sweep.js';
import { sweepStatus } from '../status.js';
import { maxArraySize, sbatchArguments, slurmArrays, slurmScript } from './arrays.js';
import { cancelJobs } from './cancel.js';
import { requeue, slurmJob } from './requeue.js';
import { slurmCalls, slurmEngine } from './slurm-engine.js';
import { signalSteps, stepCommand } from './step.js';

let root: string;
let out: string;
let slurm: FakeSlurm;
let restore: () => void;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-slurm-'));
  out = join(root, 'sweep');
  slurm = fakeSlurm(join(root, 'slurm'));
  restore = onPath(slurm);
});
afterEach(() => {
  restore();
  rmSync(root, { recursive: true, force: true });
});

const config = parseConfig(toyConfig());
const runOf = (id: string, ...needs: string[]): PlannedRun => ({ id, needs, config });
const planOf = (...runs: PlannedRun[]): SweepPlan => ({ name: 'table-1', out, runs });
/** Two teachers and a joint training, two students of both teachers, one of the first alone. */
const six = (): SweepPlan =>
  planOf(
    runOf('teacher-loud'),
    runOf('teacher-quiet'),
    runOf('joint'),
    runOf('g2d', 'teacher-loud', 'teacher-quiet'),
    runOf('smp', 'teacher-loud', 'teacher-quiet'),
    runOf('half', 'teacher-loud'),
  );

const SUMMARY = fileURLToPath(new URL('../../../test/fixtures/version-1/g2d/summary.json', import.meta.url));
function finish(...ids: string[]): void {
  for (const id of ids) {
    mkdirSync(join(out, id), { recursive: true });
    copyFileSync(SUMMARY, join(out, id, 'summary.json'));
  }
}

async function submit(plan: SweepPlan, only?: readonly string[]): Promise<string[]> {
  const notes: string[] = [];
  await runSweep(plan, {
    engine: slurmEngine({ command: ['g2d', 'sweep', 'run'] }),
    signal: new AbortController().signal,
    reporter: { begin() {}, epoch() {}, finished() {}, failed() {}, note: (line) => notes.push(line) },
    ...(only && { only }),
  });
  return notes;
}
const states = (plan: SweepPlan): Record<string, string> =>
  Object.fromEntries(sweepStatus(plan).map(({ id, state }) => [id, state]));
/** Ids of what was submitted, by array. */
const submitted = (): (readonly string[])[] => {
  const { lists } = readQueueLog(out);
  return slurm.jobs().map(({ args }) => lists.get(args.at(-1) as string) as readonly string[]);
};

describe('g2d sweep --engine slurm', () => {
  it('submits only the failed ones again, and calls a failed job failed', async () => {
    const plan = six();
    await submit(plan);
    expect(submitted()).toEqual([['teacher-loud', 'teacher-quiet', 'joint'], ['g2d', 'smp'], ['half']]);
    finish('teacher-loud', 'joint');
    recordAttempt(out, 'teacher-quiet', { tries: 1, exit: 2, why: 'The loss is NaN.', job: '100_1' });
    recordFailure(out, 'teacher-quiet', new Error('The loss is NaN.'));
    slurm.leave('100', '101');
    expect(states(plan)).toEqual({
      'teacher-loud': 'finished',
      'teacher-quiet': 'failed',
      joint: 'finished',
      g2d: 'blocked',
      smp: 'blocked',
      half: 'queued',
    });
    expect(sweepStatus(plan)[1]?.why).toBe('The loss is NaN.');
    await submit(plan);
    expect(submitted().slice(3)).toEqual([['teacher-quiet'], ['g2d', 'smp']]);
    expect(slurm.jobs()[4]?.args).toContain('--dependency=afterok:103_0');
    expect(states(plan)).toMatchObject({ 'teacher-quiet': 'queued', g2d: 'queued', half: 'queued' });
    expect(await submit(plan)).toEqual([]);
    expect(slurm.jobs()).toHaveLength(5);
  });

  it('calls what left the queue without a word failed, with what its job wrote', async () => {
    const plan = planOf(runOf('a'), runOf('b'), runOf('c'), runOf('d', 'a'));
    await submit(plan);
    // `b` is killed while it is trained; `c` saves itself and does not come back.
    recordAttempt(out, 'b', { tries: 1, job: '100_1' });
    recordAttempt(out, 'c', { tries: 0, exit: 143, why: 'it was stopped', job: '100_2' });
    slurm.leave('100', '101');
    expect(sweepStatus(plan)).toEqual([
      {
        id: 'a',
        state: 'failed',
        why: 'left the queue without a word (job 100_0)',
        log: join(out, 'slurm/100_0.out'),
        epochs: 3,
      },
      expect.objectContaining({ id: 'b', state: 'failed', why: expect.stringContaining('100_1') }),
      { id: 'c', state: 'waiting', why: 'it was stopped', epochs: 3 },
      expect.objectContaining({ id: 'd', state: 'blocked', why: 'it needs a, which failed' }),
    ]);
    // A queue that does not answer says nothing of what has left it.
    slurm.set({ silent: 'Unable to contact slurm controller (connect failure)' });
    expect(sweepStatus(plan)[0]).toMatchObject({
      state: 'queued',
      job: '100_0',
      why: 'squeue does not answer: slurm_load_jobs error: Unable to contact slurm controller (connect failure)',
    });
    await expect(submit(plan)).rejects.toThrow(/Unable to contact .*Nothing was submitted/);
  });

  it('finds jobs by their comment whose numbers were never written', async () => {
    const plan = six();
    await submit(plan);
    const log = join(out, 'queue.jsonl');
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(6);
    // Killed after the second answer, in the middle of writing it.
    writeFileSync(log, `${lines.slice(0, 4).join('\n')}\n${lines[4]?.slice(0, 20)}`);
    slurm.leave('102');
    expect(states(plan)).toMatchObject({ joint: 'queued', g2d: 'queued', smp: 'queued', half: 'waiting' });
    await submit(plan);
    expect(submitted()).toHaveLength(4);
    expect(submitted()[3]).toEqual(['half']);
    expect(slurm.jobs()[3]?.args).toContain('--dependency=afterok:100_0');
    // The list is lost too: which run it is cannot be known.
    writeFileSync(log, `${lines[0]}\n`);
    await expect(submit(plan)).rejects.toThrow(/job 10\d_\d is of this sweep, .* scancel 10\d takes it out/);
  });

  it('keeps what was submitted when the queue refuses, in its own words', async () => {
    const plan = six();
    slurm.set({ accept: 1, refuse: 'QOSMaxSubmitJobPerUserLimit' });
    await expect(submit(plan)).rejects.toThrow(
      'sbatch: error: Batch job submission failed: QOSMaxSubmitJobPerUserLimit. 3 of 6 runs were submitted and stay; the same command submits the others.',
    );
    expect(states(plan)).toMatchObject({ joint: 'queued', g2d: 'waiting', half: 'waiting' });
    slurm.set({});
    await submit(plan);
    expect(submitted().slice(1)).toEqual([['g2d', 'smp'], ['half']]);
    expect(slurm.jobs()[1]?.args).toContain('--dependency=afterok:100_0:100_1');
  });

  it('leaves to the queue what is there, also from this machine, and keeps its folder', async () => {
    const plan = planOf(runOf('a'), runOf('b'));
    await submit(plan);
    slurm.leave('100_1');
    const trained: string[] = [];
    const notes: string[] = [];
    await runSweep(plan, {
      engine: localEngine({
        worker: async ({ id }) => {
          trained.push(id);
          finish(id);
          return 'finished';
        },
      }),
      signal: new AbortController().signal,
      reporter: { begin() {}, epoch() {}, finished() {}, failed() {}, note: (line) => notes.push(line) },
    });
    expect(trained).toEqual(['b']);
    expect(notes).toEqual(['Left to the queue, in which they wait or run: 1 of 2.']);
    const other = planOf(runOf('a'));
    expect(() => openSweep(other, { environment: {}, fresh: true })).toThrow(/1 runs .* are in the queue/);
    slurm.set({ silent: 'connect failure' });
    expect(() => openSweep(other, { environment: {}, fresh: true })).toThrow(/1 runs .* may still be/);
    slurm.set({});
    slurm.leave('100');
    openSweep(other, { environment: {}, fresh: true }).release();
  });

  it('cancels its own jobs alone, and they do not come back', async () => {
    const plan = six();
    await submit(plan);
    slurm.begin('100_0', '101_0');
    expect(requeue(out, '100_0')).toBeUndefined();
    expect(cancelJobs(out)).toEqual({ jobs: ['100', '101', '102'], runs: 6 });
    expect(slurm.calls()).toEqual(['scontrol requeue 100_0', 'scancel 100 101 102']);
    expect(requeue(out, '101_0')).toBe('it was cancelled');
    expect(new Set(Object.values(states(plan)))).toEqual(new Set(['waiting']));
    expect(cancelJobs(out)).toEqual({ jobs: [], runs: 0 });
    await submit(plan, ['joint']);
    expect(submitted()[3]).toEqual(['joint']);
  });

  it('says that there is no Slurm', () => {
    rmSync(slurm.bin, { recursive: true });
    const before = process.env['PATH'];
    process.env['PATH'] = slurm.bin;
    try {
      expect(() => slurmEngine({ command: ['g2d'] })).toThrow(/no Slurm here .*--engine local/);
    } finally {
      process.env['PATH'] = before;
    }
  });

  it('prints its calls without a queue, and writes nothing', () => {
    const calls = slurmCalls(six(), ['--time=1:00:00']);
    expect(calls.map((args) => args.filter((arg) => /array|dependency|time/.test(arg)))).toEqual([
      ['--array=0-2', '--time=1:00:00'],
      ['--array=0-1', '--time=1:00:00', '--dependency=afterok:JOB1_0:JOB1_1'],
      ['--array=0-0', '--time=1:00:00', '--dependency=afterok:JOB1_0'],
    ]);
    expect(slurm.jobs()).toEqual([]);
    expect(() => slurmCalls(six(), ['--array=1-3'])).toThrow(/an option that g2d does not give itself/);
    expect(() => readFileSync(join(out, 'manifest.json'))).toThrow(/ENOENT/);
  });
});

describe('slurmArrays', () => {
  const nothing = () => false;

  it('makes arrays of at most so many elements, each after those that it waits for', () => {
    const runs = [runOf('a'), runOf('b'), runOf('c'), runOf('d', 'c'), runOf('e', 'd', 'a'), runOf('f', 'c')];
    const { arrays, lost } = slurmArrays(runs, { isFinished: nothing, isQueued: nothing, most: 2 });
    expect(arrays.map(({ runs: ids, needs }) => [ids, needs])).toEqual([
      [['a', 'b'], []],
      [['c'], []],
      [['d', 'f'], ['c']],
      [['e'], ['d', 'a']],
    ]);
    expect(lost).toEqual([]);
    expect(arrays[0]?.list).toBe(listName(['a', 'b']));
  });

  it('waits for what is queued, not for what is finished, and leaves what nobody trains', () => {
    const runs = [runOf('d', 'done'), runOf('q', 'done', 'queued'), runOf('x', 'nobody'), runOf('y', 'x')];
    const { arrays, lost } = slurmArrays(runs, {
      isFinished: (id) => id === 'done',
      isQueued: (id) => id === 'queued',
      most: 10,
    });
    expect(arrays.map(({ runs: ids, needs }) => [ids, needs])).toEqual([
      [['d'], []],
      [['q'], ['queued']],
    ]);
    expect(lost.map(({ id }) => id)).toEqual(['x', 'y']);
  });

  it('knows how many elements an array has', () => {
    expect(maxArraySize('MaxArraySize            = 4001\nMaxDBDMsgs = 20004')).toBe(4001);
    expect(maxArraySize('')).toBe(1001);
  });
});

describe('the call of sbatch', () => {
  it('is, word for word', () => {
    const array = { list: '0123456789ab', runs: ['a', 'b', 'c'] };
    const place = {
      name: 'table-1',
      out: '/no/such/100%/sweep',
      folder: '/home/me/g2d',
      settings: { options: ['--partition=gpu', '--gres=gpu:1'], setup: [], atOnce: 2 },
    };
    expect(sbatchArguments(array, ['7_0', '9_12'], place)).toEqual([
      '--parsable',
      '--array=0-2%2',
      '--job-name=table-1',
      '--comment=/no/such/100%/sweep 0123456789ab',
      '--requeue',
      '--open-mode=append',
      '--signal=B:TERM@120',
      '--output=/no/such/100%%/sweep/slurm/%A_%a.out',
      '--chdir=/home/me/g2d',
      '--partition=gpu',
      '--gres=gpu:1',
      '--dependency=afterok:7_0:9_12',
      '--kill-on-invalid-dep=yes',
      '/no/such/100%/sweep/slurm/run.sbatch',
      '0123456789ab',
    ]);
  });

  it('asks for the processes of each run, which its script starts', async () => {
    const plan = onProcesses(planOf(runOf('a'), runOf('b')), 2);
    expect(slurmCalls(plan)[0]).toContain('--ntasks=2');
    await submit(plan);
    expect(slurm.jobs()[0]?.args).toContain('--ntasks=2');
    expect(readFileSync(join(out, 'slurm/run.sbatch'), 'utf8')).toMatch(
      / '--planned' '--retries' '0' '--processes' '2' --list "\$1"\n$/,
    );
    expect(stepCommand(['node', 'g2d'], 2, { SLURM_CPUS_PER_TASK: '8' })).toEqual([
      'srun',
      '--ntasks=2',
      '--kill-on-bad-exit=1',
      '--cpus-per-task=8',
      'node',
      'g2d',
    ]);
    expect(stepCommand(['g2d'], 3, {})).toEqual(['srun', '--ntasks=3', '--kill-on-bad-exit=1', 'g2d']);
    signalSteps({ SLURM_JOB_ID: '17' });
    expect(slurm.calls()).toEqual(['scancel --signal=TERM 17']);
    // One process needs neither.
    expect(slurmCalls(planOf(runOf('c')))[0]?.join(' ')).not.toContain('--ntasks');
  });

  it('has a script that takes any folder', () => {
    expect(slurmScript(['/usr/bin/node', "/it's mine/g2d.js", 'sweep'], ['module load cuda'])).toBe(
      `#!/bin/bash
# Written by g2d sweep --engine slurm: each element of an array trains one run.
module load cuda
exec '/usr/bin/node' '/it'\\''s mine/g2d.js' 'sweep' --list "$1"
`,
    );
  });
});

describe('a job', () => {
  it('knows itself, and goes back into the queue only from a run that Slurm does not take away', () => {
    expect(slurmJob({ SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '3' })).toBe('12_3');
    expect(slurmJob({ SLURM_JOB_ID: '12' })).toBeUndefined();
    mkdirSync(out);
    appendFileSync(join(out, 'queue.jsonl'), '');
    expect(requeue(out, '12_3')).toBe('it is not in the queue any more');
  });
});
