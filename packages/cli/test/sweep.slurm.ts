// A sweep on a Slurm that is there (`start-slurm.sh` starts one): jobs are stopped and killed, and all runs are finished in the end. Minutes, since
// Slurm waits for two before a job runs again.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunStatus } from '@g2d/runs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../../runs/test/toy-config.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-slurm-'));
const out = join(root, 'out');
const file = join(root, 'sweep.json');
const bin = resolve(import.meta.dirname, '../bin/g2d.js');
const IDS = ['teacher-loud', 'teacher-quiet', 'joint', 'g2d', 'smp', 'teacher-mean'];

const call = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8' });
/** A status with a failed run ends with 1. */
function g2d(...args: string[]): string {
  try {
    return call(process.execPath, bin, 'sweep', ...args);
  } catch (error) {
    return (error as { readonly stdout: string }).stdout;
  }
}
const status = (): readonly RunStatus[] => JSON.parse(g2d('status', out, '--json')) as RunStatus[];
const numbers = (): string[] =>
  readFileSync(join(out, 'queue.jsonl'), 'utf8')
    .split('\n')
    .flatMap((line) => /"job":"(\d+)"/.exec(line)?.[1] ?? []);

beforeAll(() => {
  try {
    call('sinfo');
  } catch (error) {
    throw new Error('There is no Slurm here: packages/cli/test/start-slurm.sh starts one.', { cause: error });
  }
  process.env['G2D_BACKEND'] = 'cpu';
  const smp = { phaseEpochs: [200, 200], scope: 'encoder' };
  writeFileSync(join(root, 'toy.json'), JSON.stringify(toyConfig({ epochs: 400, methodOptions: { smp } })));
  const sweep = {
    name: 'trial',
    base: 'toy.json',
    out,
    grid: { method: ['joint', 'g2d', 'smp'] },
    references: [{ name: 'teacher-mean', set: { method: 'ume', epochs: 0 } }],
    slurm: { atOnce: 2 },
  };
  writeFileSync(file, JSON.stringify(sweep));
});
afterAll(async () => {
  if (existsSync(out)) g2d('cancel', out);
  // What is trained saves itself first.
  while (call('squeue', '-h', '-r', '-o', '%k').includes(root)) await sleep(1000);
  rmSync(root, { recursive: true, force: true });
}, 120_000);

async function until(isSo: (runs: readonly RunStatus[]) => boolean): Promise<readonly RunStatus[]> {
  for (;;) {
    const runs = status();
    if (isSo(runs)) return runs;
    await sleep(2000);
  }
}

describe('g2d sweep on a real Slurm', () => {
  it('finishes every run, whatever happens to its jobs, and submits none twice', async () => {
    g2d(file, '--engine', 'slurm');
    const [teachers, students] = numbers();
    await until((runs) => runs.slice(0, 2).every(({ epoch = 0 }) => epoch > 20));
    // As at its time limit; and the process that trains is killed, as for its memory.
    call('scancel', '--signal=TERM', '--batch', `${teachers}_0`);
    call('pkill', '-9', '-f', `sweep run ${out} teacher-quiet`);
    await until((runs) => runs.slice(0, 2).every(({ state }) => state === 'queued'));
    expect(status().every(({ state }) => state !== 'failed' && state !== 'blocked')).toBe(true);
    // Somebody takes a run out that is being trained: it does not come back by itself.
    await until(([, , joint]) => (joint?.epoch ?? 0) > 20);
    call('scancel', `${teachers}_2`);
    await until(([, , joint]) => joint?.state === 'stopped');

    g2d(file, '--engine', 'slurm');
    expect(numbers()).toEqual([teachers, students, expect.any(String)]);
    const runs = await until((all) => all.every(({ state }) => state === 'finished'));
    expect(runs.map(({ id }) => id)).toEqual(IDS);
    g2d(file, '--engine', 'slurm');
    expect(numbers()).toHaveLength(3);
  }, 900_000);

  it('blocks the students of a teacher whose job was killed as a whole', async () => {
    const again = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const lost = join(root, 'lost');
    writeFileSync(file, JSON.stringify({ ...again, out: lost, grid: { method: ['joint', 'g2d'] } }));
    g2d(file, '--engine', 'slurm');
    const of = (): Record<string, string> =>
      Object.fromEntries(
        (JSON.parse(g2d('status', lost, '--json')) as RunStatus[]).map(({ id, state }) => [id, state]),
      );
    while (of()['teacher-loud'] !== 'running') await sleep(1000);
    const [job] = /\d+/.exec(readFileSync(join(lost, 'queue.jsonl'), 'utf8').split('"job":')[1] ?? '') ?? [];
    call('scancel', '--signal=KILL', '--full', `${job}_0`);
    while (of()['teacher-loud'] !== 'failed') await sleep(1000);
    while (of()['g2d'] !== 'blocked') await sleep(1000);
    expect(g2d('status', lost)).toMatch(/teacher-loud .*left the queue without a word/);
    g2d('cancel', lost);
  }, 300_000);

  it('trains each run on several processes, which save themselves and go on', async () => {
    const { G2D_BACKEND: backend } = process.env;
    delete process.env['G2D_BACKEND'];
    const again = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const together = join(root, 'together');
    const sweep = { ...again, out: together, processes: 2, grid: { method: ['joint'] }, references: [] };
    writeFileSync(file, JSON.stringify(sweep));
    try {
      g2d(file, '--engine', 'slurm');
      const of = (): RunStatus => (JSON.parse(g2d('status', together, '--json')) as [RunStatus])[0];
      while ((of().epoch ?? 0) < 20) await sleep(1000);
      const [job] =
        /\d+/.exec(readFileSync(join(together, 'queue.jsonl'), 'utf8').split('"job":')[1] ?? '') ?? [];
      // As at its time limit: the script alone hears it, and says it to both processes through srun.
      call('scancel', '--signal=TERM', '--batch', `${job}_0`);
      while (of().state !== 'queued') await sleep(500);
      const { epoch = 0 } = of();
      expect(epoch).toBeLessThan(400);
      expect(readFileSync(join(together, 'joint.attempt.json'), 'utf8')).toContain('"exit": 143');
      while (of().state !== 'finished') await sleep(1000);
      expect(of()).toEqual({ id: 'joint', state: 'finished', epoch: 400, epochs: 400, processes: 2 });
      expect(readFileSync(join(together, 'joint.log'), 'utf8')).toMatch(
        /2 processes \(0: .*2 processes \(0: /s,
      );
    } finally {
      process.env['G2D_BACKEND'] = backend;
    }
  });
});
