// `g2d sweep` as a user types it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childWorker, localEngine, planSweep, readSweep, RunFolder, runSweep } from '@g2d/runs';
import { toyConfig } from '../../../runs/test/toy-config.js';
import { main } from '../main.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-cli-sweep-'));
const at = (...path: string[]): string => join(root, ...path);
const bin = resolve(import.meta.dirname, '../../bin/g2d.js');

beforeAll(() => {
  process.env['G2D_BACKEND'] = 'cpu';
  const smp = { phaseEpochs: [1, 2], scope: 'encoder' };
  writeFileSync(at('toy.json'), JSON.stringify(toyConfig({ methodOptions: { smp } })));
});
afterAll(() => {
  delete process.env['G2D_BACKEND'];
  rmSync(root, { recursive: true, force: true });
});

async function g2d(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await main(args, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

/** In a process of its own, with TensorFlow, through which processes add up. */
async function own(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { G2D_BACKEND: _, ...rest } = process.env;
  const env = { ...rest, TF_CPP_MIN_LOG_LEVEL: '3' };
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

function sweepFile(name: string, changes: object = {}): string {
  const sweep = {
    name,
    base: 'toy.json',
    out: at('runs', name),
    grid: { method: ['joint', 'g2d'] },
    references: [{ name: 'teacher-mean', set: { method: 'ume', epochs: 0 } }],
    ...changes,
  };
  writeFileSync(at(`${name}.json`), JSON.stringify(sweep));
  return at(`${name}.json`);
}

const IDS = ['teacher-loud', 'teacher-quiet', 'joint', 'g2d', 'teacher-mean'];

describe('g2d sweep', () => {
  it('plans without writing, trains in this process, and does nothing twice', async () => {
    const file = sweepFile('here');
    const plan = await g2d('sweep', 'plan', file);
    expect(
      plan.out
        .split('\n')
        .slice(0, 5)
        .map((line) => line.split(' ')[0]),
    ).toEqual(IDS);
    expect(existsSync(at('runs'))).toBe(false);

    const first = await g2d('sweep', file, '--quiet');
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/5 finished\n$/) });
    const summary = join(at('runs/here/g2d'), 'summary.json');
    const written = statSync(summary).mtimeMs;
    const second = await g2d('sweep', file, '--json');
    expect(JSON.parse(second.out)).toEqual(
      IDS.map((id) => {
        const epochs = id === 'teacher-mean' ? 0 : 3;
        return { id, state: 'finished', epoch: epochs, epochs };
      }),
    );
    expect(statSync(summary).mtimeMs).toBe(written);
    // As trained by hand.
    const teachers = IDS.slice(0, 2).map((id) => ['--set', `teachers.${id.slice(8)}=${at('runs/here', id)}`]);
    const args = ['--method', 'g2d', '--out', at('alone'), '--quiet', ...teachers.flat()];
    expect(await g2d('train', at('toy.json'), ...args)).toMatchObject({ code: 0 });
    const { test } = new RunFolder(at('alone')).summary()!;
    expect(new RunFolder(at('runs/here/g2d')).summary()!.test).toEqual(test);
  });

  it('has other seeds on request', async () => {
    const file = resolve(import.meta.dirname, '../../../../examples/av-mnist-small/compare.json');
    const { out } = await g2d('sweep', 'plan', file, '--seeds', '0,7');
    const names = ['joint', 'umt', 'ogm-ge', 'g2d-loss', 'smp', 'g2d', 'ume'];
    expect(
      out
        .split('\n')
        .slice(0, -2)
        .map((line) => line.split(' ')[0]),
    ).toEqual(
      [0, 7].flatMap((seed) =>
        ['teacher-audio', 'teacher-image', ...names].map((name) => `seed-${seed}/${name}`),
      ),
    );
    expect(await g2d('sweep', 'plan', file, '--seeds', '0,x')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--seeds is "x"; it must be a whole number of at least 0/),
    });
  });

  it('several at once, in processes of their own, have the same numbers', async () => {
    const file = sweepFile('jobs');
    const { code, out } = await g2d('sweep', file, '--jobs', '2', '--quiet');
    expect([code, out]).toEqual([0, expect.stringMatching(/5 finished\n$/)]);
    expect(existsSync(at('runs/jobs/g2d.log'))).toBe(true);
    for (const id of IDS) {
      const [own, other] = ['jobs', 'here'].map((name) => new RunFolder(at('runs', name, id)).summary()!);
      expect(own!.test, id).toEqual(other!.test);
    }
  });

  it('trains each run on several processes, and knows it with any number of them', async () => {
    const file = sweepFile('together', { processes: 2, grid: { method: ['joint'] }, references: [] });
    expect((await g2d('sweep', 'plan', file)).out).toMatch(/1 runs in .*together, each on 2 processes\n$/);
    const line = 'finished   joint        3/3  2 processes\n1 finished\n';
    expect(await own('sweep', file, '--quiet')).toMatchObject({ code: 0, out: line });
    // With another number it is the same run, which stays, and says by how many it was trained.
    const written = statSync(at('runs/together/joint/summary.json')).mtimeMs;
    expect(await g2d('sweep', file, '--processes', '1', '--quiet')).toMatchObject({ code: 0, out: line });
    expect(statSync(at('runs/together/joint/summary.json')).mtimeMs).toBe(written);
  });

  it('says of a run on several processes what the one that failed says', async () => {
    const broken = { 'dataset.options': { broken: 3 } };
    const file = sweepFile('halves', {
      set: broken,
      retries: 3,
      grid: { method: ['joint'] },
      references: [],
    });
    const { code, out, err } = await own('sweep', file, '--processes', '2', '--quiet');
    expect(code).toBe(1);
    // Each says it, whichever of them has the sample.
    expect(err).toMatch(/^g2d: joint failed\. The loss is NaN .* Sample "[^"]*":/m);
    expect(out).toMatch(/failed +joint +0\/3  2 processes, The loss is NaN .* Sample "[^"]*":/);
    const { tries, exit } = JSON.parse(readFileSync(at('runs/halves/joint.attempt.json'), 'utf8'));
    expect({ tries, exit }).toEqual({ tries: 1, exit: 2 });
    const odd = await g2d('sweep', 'plan', sweepFile('odd', { processes: 7 }));
    expect(odd).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^g2d: The run teacher-loud: "batchSize" is 20/),
    });
  });

  it('names what failed and what it blocks, trains the rest, and tries again when asked', async () => {
    const broken = { when: { method: 'g2d' }, set: { 'dataset.options': { broken: 3 } } };
    const file = sweepFile('broken', {
      grid: { seed: [0], method: ['g2d', 'joint'] },
      overrides: [broken],
      references: [],
    });
    const first = await g2d('sweep', file, '--quiet');
    expect(first.code).toBe(1);
    expect(first.out).toMatch(/failed +seed-0\/g2d .*dataset/);
    expect(first.out).toMatch(/finished +seed-0\/joint/);
    const status = await g2d('sweep', 'status', at('runs/broken'), '--json');
    expect(status.code).toBe(1);
    expect(JSON.parse(status.out)).toMatchObject([{}, {}, { id: 'seed-0/g2d', state: 'failed' }, {}]);
    const again = await g2d('sweep', 'retry', '--trust', at('runs/broken'), '--quiet', '--jobs', '2');
    expect(again.code).toBe(1);
    expect(again.out).toMatch(/--- .*g2d\.log\n--- begun .*\n.*g2d: /);
    const table = await g2d('compare', at('runs/broken'));
    expect(table.out).toMatch(/Joint training/);
    expect(table.err).not.toContain('teachers');
    const wrong = await g2d('sweep', 'retry', '--trust', at('runs/broken'), 'seed-0/joint');
    expect(wrong).toMatchObject({
      code: 2,
      err: expect.stringMatching(/is no failed run of .*these are: seed-0\/g2d/),
    });
  });

  it('says of a process that died what is known', async () => {
    const plan = await planSweep(
      readSweep(sweepFile('dies', { grid: { method: ['joint'] }, references: [] })),
    );
    const script = 'console.log("the last words"); process.kill(process.pid, "SIGKILL")';
    const status = await runSweep(plan, {
      engine: localEngine({ worker: childWorker([process.execPath, '-e', script], { jobs: 1 }) }),
      signal: new AbortController().signal,
      reporter: { begin() {}, epoch() {}, finished() {}, failed() {}, note() {} },
    });
    const why = 'Its process was ended by SIGKILL; the last line of its log is: the last words';
    expect(status).toEqual([{ id: 'joint', state: 'failed', why, epochs: 3 }]);
  });

  it('goes on with the same command after everything was killed', async () => {
    const file = sweepFile('killed', { set: { epochs: 150, 'methodOptions.smp.phaseEpochs': [75, 75] } });
    const args = [bin, 'sweep', file, '--jobs', '2', '--quiet'];
    const first = spawn(process.execPath, args, { stdio: 'ignore' });
    const metrics = at('runs/killed/teacher-loud/metrics.jsonl');
    while (!existsSync(metrics) && first.exitCode === null) await sleep(20);
    first.kill('SIGKILL');
    await once(first, 'exit');
    // The children notice that nobody is there any more, and save themselves.
    const states = async (): Promise<string[]> =>
      JSON.parse((await g2d('sweep', 'status', at('runs/killed'), '--json')).out).map(
        ({ state }: { state: string }) => state,
      );
    while ((await states()).includes('running')) await sleep(50);
    expect(await states()).toContain('stopped');
    expect(await states()).not.toContain('failed');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"g2d"]', '"g2d","smp"]'));

    const second = spawn(process.execPath, args, { stdio: 'ignore' });
    while (!existsSync(at('runs/killed/joint/metrics.jsonl')) && second.exitCode === null) await sleep(20);
    second.kill('SIGINT');
    await once(second, 'exit');
    expect(second.exitCode).toBe(130);
    expect(await states()).not.toContain('failed');
  });

  it.each([
    [['sweep'], /FILE is missing/],
    [['sweep', 'none.json'], /The sweep none\.json cannot be read/],
    [['sweep', 'FILE', '--jobs', '0'], /--jobs is "0"; it must be a whole number of at least 1/],
    [['sweep', 'FILE', '--engine', 'cloud'], /--engine is "cloud"; it can be local, slurm, kubernetes/],
    [['sweep', 'FILE', 'more'], /"more" is one argument too many/],
    [['sweep', 'status', '.'], /is no folder of a sweep/],
    [['sweep', 'run', 'DIR', 'mine'], /has no run mine; g2d sweep status/],
  ])('%j is an error of one sentence', async (args, message) => {
    const file = sweepFile('errors');
    const given = args.map((arg) => (arg === 'FILE' ? file : arg === 'DIR' ? at('runs/here') : arg));
    const { code, err } = await g2d(...given);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});
