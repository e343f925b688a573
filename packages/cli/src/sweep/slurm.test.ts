// `g2d sweep --engine slurm` as a user types it, with programs of Slurm that keep their queue in a file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeSlurm, onPath, type FakeSlurm } from '../../../runs/test/fake-slurm.js';
import { toyConfig } from '../../../runs/test/toy-config.js';
import { main } from '../main.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-cli-slurm-'));
const at = (...path: string[]): string => join(root, ...path);
const bin = resolve(import.meta.dirname, '../../bin/g2d.js');
let slurm: FakeSlurm;
let restore: () => void;

beforeAll(() => {
  process.env['G2D_BACKEND'] = 'cpu';
  slurm = fakeSlurm(at('slurm'));
  restore = onPath(slurm);
  writeFileSync(at('toy.json'), JSON.stringify(toyConfig({ epochs: 1 })));
});
afterAll(() => {
  delete process.env['G2D_BACKEND'];
  restore();
  rmSync(root, { recursive: true, force: true });
});

async function g2d(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await main(args, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

/** A process of its own: it is killed, or is a job. */
async function started(args: readonly string[], env: object = {}): Promise<unknown[]> {
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  });
  return once(child, 'exit');
}

function sweepFile(name: string, changes: object = {}): string {
  const file = at(`${name}.json`);
  const sweep = {
    name,
    base: 'toy.json',
    out: at('runs', name),
    grid: { method: ['joint', 'umt'] },
    ...changes,
  };
  writeFileSync(file, JSON.stringify(sweep));
  return file;
}

describe('g2d sweep --engine slurm', () => {
  it('submits nothing twice, though it was killed between the answer of sbatch and writing it down', async () => {
    const file = sweepFile('killed', { slurm: { options: ['--time=1:00'], atOnce: 5 } });
    const dry = await g2d('sweep', file, '--engine', 'slurm', '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.out).toMatch(
      /^sbatch .*--array=0-2%5 .*--time=1:00 .*\n2 calls of sbatch\n$|^sbatch (.*\n)+2 calls of sbatch\n$/,
    );
    expect(existsSync(at('runs'))).toBe(false);

    slurm.set({ kill: true });
    expect(await started(['sweep', file, '--engine', 'slurm'])).toEqual([null, 'SIGKILL']);
    slurm.set({});
    expect(slurm.jobs()).toHaveLength(1);
    const log = (): string[] => readFileSync(at('runs/killed/queue.jsonl'), 'utf8').trim().split('\n');
    expect(log()).toHaveLength(2);

    const second = await g2d('sweep', file, '--engine', 'slurm', '--json');
    expect(second.code).toBe(0);
    expect(slurm.jobs()[1]?.args).toContainEqual(
      expect.stringMatching(/^--dependency=afterok:100_\d:100_\d$/),
    );
    expect(JSON.parse(second.out)).toHaveLength(4);
    for (const run of JSON.parse(second.out)) expect(run).toMatchObject({ state: 'queued' });
    await g2d('sweep', file, '--engine', 'slurm');
    expect(slurm.jobs()).toHaveLength(2);
  });

  it('its jobs train the run of their element, and say so beside it', async () => {
    const [{ list, runs }] = readFileSync(at('runs/killed/queue.jsonl'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)) as [{ list: string; runs: string[] }];
    const id = runs[0] as string;
    const args = ['sweep', 'run', at('runs/killed'), '--planned', '--retries', '1', '--list', list];
    const env = { SLURM_ARRAY_JOB_ID: '100', SLURM_ARRAY_TASK_ID: '0' };
    expect(await started(args, env)).toEqual([0, null]);
    expect(existsSync(at('runs/killed', id, 'summary.json'))).toBe(true);
    expect(JSON.parse(readFileSync(at('runs/killed', `${id}.attempt.json`), 'utf8'))).toMatchObject({
      tries: 1,
      exit: 0,
      job: '100_0',
    });
    // Its student has another teacher, too.
    const student = await g2d('sweep', 'run', at('runs/killed'), 'umt', '--planned');
    expect(student).toMatchObject({
      code: 4,
      err: expect.stringMatching(/umt needs .*, and that is not finished/),
    });
    const wrong = await g2d('sweep', 'run', at('runs/killed'), '--planned', '--list', list, '--index', '7');
    expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/3 runs, and none of index 7/) });
    slurm.leave('100_0');
  });

  it('shows, cancels and retries what is queued', async () => {
    const folder = at('runs/killed');
    expect((await g2d('sweep', 'status', folder)).out).toMatch(
      /queued +umt +0\/1 +job 101_0\n.*1 finished, 3 queued\n$/s,
    );
    slurm.leave('101');
    writeFileSync(at('runs/killed/slurm/101_0.out'), 'slurmstepd: error: Detected 1 oom-kill event\n');
    const status = await g2d('sweep', 'status', folder);
    expect(status.code).toBe(1);
    expect(status.out).toMatch(/failed +umt .*left the queue without a word \(job 101_0\)/);
    expect(status.out).toMatch(/--- .*slurm\/101_0\.out\nslurmstepd: error: Detected 1 oom-kill event/);
    const retried = await g2d('sweep', 'retry', folder, '--engine', 'slurm', '--trust');
    expect(retried.out).toMatch(/queued +umt .*job 102_0/);
    expect(slurm.jobs()[2]?.args).toContain('--time=1:00');
    expect((await g2d('sweep', 'cancel', folder)).out).toBe('cancelled 3 runs: jobs 100, 102\n');
    expect((await g2d('sweep', 'cancel', folder)).out).toBe('No job of this sweep is in the queue.\n');
  });

  it('says in one sentence what is wrong', async () => {
    const file = sweepFile('wrong', { grid: { method: ['joint'] } });
    slurm.set({ accept: 0, refuse: 'invalid partition specified: gpu' });
    const refused = await g2d('sweep', file, '--engine', 'slurm');
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(
      /^g2d: sbatch: error: .*invalid partition specified: gpu\. 0 of 1 runs were submitted/m,
    );
    slurm.set({});
    for (const [args, message] of [
      [['--dry-run'], /--dry-run is of --engine slurm, and the engine is local/],
      [['--engine', 'kubernetes'], /has no "kubernetes"; it needs at least/],
    ] as const) {
      const { code, err } = await g2d('sweep', file, ...args);
      expect([code, err]).toEqual([2, expect.stringMatching(message)]);
      expect(err.trim().split('\n')).toHaveLength(1);
    }
    const own = sweepFile('own', { slurm: { options: ['--array=1-3'] } });
    expect((await g2d('sweep', own, '--engine', 'slurm')).err).toMatch(/slurm\.options/);
    const local = await g2d('sweep', 'cancel', at('runs/wrong'));
    expect(local.out).toMatch(/No job of this sweep|Nothing to cancel/);
  });

  it('writes Jobs for Kubernetes on standard output, and nothing else', async () => {
    const file = sweepFile('pods', { kubernetes: { image: 'g2d:1', claim: 'work' } });
    const { code, out } = await g2d('sweep', file, '--engine', 'kubernetes');
    expect(code).toBe(0);
    const { items } = JSON.parse(out) as { items: { metadata: { name: string } }[] };
    expect(items).toHaveLength(2);
    const cancelled = await g2d('sweep', 'cancel', at('runs/pods'));
    const names = items.map(({ metadata: { name } }) => name).join(' ');
    expect(cancelled.out).toMatch(`kubectl delete --ignore-not-found job,jobset ${names}\n`);
  });

  it('its jobs train a run on several processes, which srun starts', async () => {
    const file = sweepFile('together', { processes: 2, grid: { method: ['joint'] } });
    const dry = await g2d('sweep', file, '--engine', 'slurm', '--dry-run', '--processes', '5');
    expect(dry.out).toMatch(/^sbatch .*--array=0-0 .*--ntasks=5 /);
    await g2d('sweep', file, '--engine', 'slurm');
    const folder = at('runs/together');
    const queued = await g2d('sweep', 'status', folder);
    expect(queued.out).toMatch(/^queued +joint +0\/1  2 processes, job \d+_0\n/);
    const [{ list }] = readFileSync(join(folder, 'queue.jsonl'), 'utf8')
      .split('\n')
      .slice(0, 1)
      .map((line) => JSON.parse(line)) as [{ list: string }];
    const args = ['sweep', 'run', folder, '--planned', '--retries', '1', '--processes', '2', '--list', list];
    const job = { SLURM_JOB_ID: '17', SLURM_ARRAY_JOB_ID: '17', SLURM_ARRAY_TASK_ID: '0', G2D_BACKEND: '' };
    expect(await started(args, { ...job, SLURM_CPUS_PER_TASK: '1' })).toEqual([0, null]);
    expect(slurm.calls()).toContain('srun --ntasks=2 --kill-on-bad-exit=1 --cpus-per-task=1');
    const recorded = JSON.parse(readFileSync(join(folder, 'joint/config.json'), 'utf8'));
    expect(recorded.environment.processes).toBe(2);
    // Who is one of several keeps no count of tries.
    const step = { ...job, SLURM_PROCID: '1', SLURM_STEP_NUM_TASKS: '2' };
    expect(await started(args, step)).toEqual([2, null]);
  });
});
