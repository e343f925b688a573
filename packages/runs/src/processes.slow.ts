// One run on several processes, with TensorFlow's own collectives: every method comes to what it comes to in one process, a run goes on with another
// number of processes, and whatever happens to one of them ends all, with a sentence and the checkpoint kept.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { methods } from '@g2d/methods';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { methodPlan, synchronizedPlan, teacherPlan } from '../test/processes/plan.js';
import { toyConfig } from '../test/toy-config.js';
import { fromCheckpoint } from './checkpoint-state.js';
import { readCheckpoint } from './node/checkpoints/read-checkpoint.js';
import { RunFolder } from './node/run-folder.js';

const repository = resolve(import.meta.dirname, '../../..');
const g2d = join(repository, 'packages/cli/bin/g2d.js');
const program = join(import.meta.dirname, '../test/processes/program.ts');
const root = mkdtempSync(join(tmpdir(), 'g2d-processes-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** A process that has been started, what it says, and how it ends. */
interface Started {
  readonly child: ChildProcess;
  readonly end: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const one = { OMP_NUM_THREADS: '1', TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' };
  const child = spawn(process.execPath, args, {
    cwd: repository,
    env: { ...process.env, ...one, TF_CPP_MIN_LOG_LEVEL: '3', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  return { child, end: once(child, 'close').then(([code]) => ({ code: code as number | null, out, err })) };
}

let starts = 0;
/** What a launcher does: every process is told who it is. */
function launch(
  count: number,
  args: readonly string[] | ((rank: number) => readonly string[]),
  env: NodeJS.ProcessEnv = {},
): Started[] {
  const common = {
    G2D_PROCESSES: String(count),
    G2D_START: `start-${starts++}`,
    G2D_HOST: '127.0.0.1',
    ...env,
  };
  return Array.from({ length: count }, (_, rank) =>
    start(typeof args === 'function' ? args(rank) : args, { G2D_RANK: String(rank), ...common }),
  );
}

type Weights = Readonly<Record<string, { readonly values: Float32Array }>>;
const weightsOf = (out: string): Weights => new RunFolder(out).weights('last');

/** The largest difference of two models, relative to weights above 1. */
function apart(a: Weights, b: Weights): number {
  expect(Object.keys(b)).toEqual(Object.keys(a));
  return Math.max(
    ...Object.entries(a).map(([name, { values }]) => {
      const scale = Math.max(1, ...values.map(Math.abs));
      return Math.max(...values.map((value, i) => Math.abs(value - b[name]!.values[i]!))) / scale;
    }),
  );
}

const write = (name: string, content: object): string => {
  const path = join(root, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};

describe('every method', () => {
  const trained = async (count: number, shared = 'on'): Promise<Record<string, string | null>> => {
    const out = join(root, `on-${count}-${shared}`);
    const runs = [methodPlan, synchronizedPlan].flatMap((planOf) => planOf(root, out).runs);
    const plan = write(`plan-${count}-${shared}.json`, { runs, kills: [] });
    const args = ['--conditions=@g2d/source', '--import', 'tsx', program, plan, root];
    const ends = await Promise.all(
      (count === 1 ? [start(args)] : launch(count, args, { G2D_SHARED_MEMORY: shared })).map(
        ({ end }) => end,
      ),
    );
    for (const { code, err } of ends) expect(code, err).toBe(0);
    const problems = ends[0]!.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; problem: string | null });
    return Object.fromEntries(problems.map(({ id, problem }) => [id, problem]));
  };

  beforeAll(async () => {
    const plan = write('teachers.json', teacherPlan(root));
    const { code, err } = await start(['--conditions=@g2d/source', '--import', 'tsx', program, plan, root])
      .end;
    expect(code, err).toBe(0);
    const alone = await trained(1);
    expect(Object.values(alone).every((problem) => problem === null)).toBe(true);
    expect(Object.keys(alone)).toEqual(expect.arrayContaining(methods.map(({ name }) => name)));
  }, 600_000);

  // Through memory that they share, and through TensorFlow's collectives, as on several machines.
  it.each([
    [2, 'on'],
    [3, 'on'],
    [2, 'off'],
  ] as const)(
    'comes to the same with %i processes as with one, shared memory %s',
    async (count, shared) => {
      const { 'cpm-net': refused, ...problems } = await trained(count, shared);
      expect(refused).toMatch(count === 2 ? /needs all of a batch in one process/ : /cannot share equally/);
      const found = Object.entries(problems).map(([id, problem]) => {
        if (problem !== null) return [id, problem];
        const [one, several] = ['1-on', `${count}-${shared}`].map((way) => join(root, `on-${way}`, id));
        // It trains nothing.
        if (id === 'ume') return [id, 0];
        return [id, apart(weightsOf(one!), weightsOf(several!))];
      });
      // Its head has batch normalization: each process has the statistics of its rows, unless it is synchronized.
      const others = found.filter(([id]) => id !== 'mis-me');
      expect(others.filter(([, distance]) => !(Number(distance) < 1e-6))).toEqual([]);
    },
    900_000,
  );
});

const faulty = (fault: string, more: object = {}) => ({
  name: 'module',
  path: join(import.meta.dirname, '../test/processes/faulty-dataset.ts'),
  // The first epochs are trained and saved.
  options: { fault, rank: 1, after: 250, ...more },
});

describe('a run on several processes', () => {
  const out = (name: string): string => join(root, 'runs', name);
  let configs = 0;
  const long = (changes: object = {}): string =>
    write(`long-${configs++}.json`, toyConfig({ epochs: 2000, evaluation: { every: 100 }, ...changes }));
  const train = (config: string, name: string, ...more: readonly string[]): readonly string[] => [
    g2d,
    'train',
    config,
    '--quiet',
    '--out',
    out(name),
    ...more,
  ];
  const begun = async (name: string): Promise<void> => {
    while (!existsSync(join(out(name), 'checkpoints/last/state.json'))) await sleep(50);
  };
  /** All end within half a minute. */
  const soon = <T>(ends: readonly Promise<T>[]): Promise<T[]> =>
    Promise.race([
      Promise.all(ends),
      sleep(30_000).then(() => {
        throw new Error('It is not over after 30 s.');
      }),
    ]);

  it.each([
    ['killed', 'SIGKILL', 1],
    ['killed, the first one', 'SIGKILL', 0],
    ['stopped', 'SIGSTOP', 1],
    ['killed, without shared memory', 'SIGKILL', 1, 'off'],
    ['stopped, without shared memory', 'SIGSTOP', 1, 'off'],
  ] as const)(
    'ends if one is %s, and goes on in one process',
    async (_, signal, victim, shared: string = 'on') => {
      const name = `${signal}-${victim}-${shared}`;
      const config = long();
      const all = launch(2, train(config, name), { G2D_SHARED_MEMORY: shared });
      await begun(name);
      all[victim]!.child.kill(signal);
      const [{ code, err }] = (await soon([all[1 - victim]!.end])) as [Awaited<Started['end']>];
      all[victim]!.child.kill('SIGKILL');
      await all[victim]!.end;
      expect({ code, err }).toEqual({
        code: 5,
        err: expect.stringMatching(
          new RegExp(
            `Process ${victim} of 2 \\(127\\.0\\.0\\.1:\\d+\\) is gone: process ${1 - victim} waited for it in vain\\. The last checkpoint stays; go on with --resume`,
          ),
        ),
      });
      const { position } = fromCheckpoint(readCheckpoint(new RunFolder(out(name)).checkpoints, 'last')!);
      const epochs = position.epoch + 2;
      const { end } = start(train(config, name, '--resume', `--epochs=${epochs}`));
      expect(await end).toEqual({
        code: 0,
        out: expect.anything(),
        err: expect.stringContaining('The run began with processes 2, and goes on with processes 1'),
      });
      const whole = start(train(config, `${name}-whole`, `--epochs=${epochs}`));
      expect(await whole.end).toMatchObject({ code: 0 });
      expect(apart(weightsOf(out(`${name}-whole`)), weightsOf(out(name)))).toBeLessThan(1e-4);
    },
    240_000,
  );

  it('ends if one cannot go on, and says why', async () => {
    const config = long({ dataset: faulty('throw') });
    const all = launch(2, train(config, 'throw'));
    const [first, second] = await Promise.all(all.map(({ end }) => end));
    expect(second!.code).toBe(2);
    expect(second!.err).toContain('The disk of process 1 is gone.');
    expect(first!.code).toBe(5);
    expect(existsSync(join(out('throw'), 'checkpoints/last/state.json'))).toBe(true);
  }, 120_000);

  it('ends if one lives and stands still', async () => {
    const config = long({ dataset: faulty('stand') });
    const all = launch(2, train(config, 'stand'), { G2D_STALL_MINUTES: '0.05' });
    const { code, err } = await all[0]!.end;
    all[1]!.child.kill('SIGKILL');
    await all[1]!.end;
    expect(code).toBe(null);
    expect(err).toMatch(/process 0 of 2 has waited for another one for 0\.05 minutes .*in its sum \d+/);
  }, 120_000);

  it('says what is not the same everywhere, before anything is written', async () => {
    const [one, two] = [long(), long({ batchSize: 10 })];
    const settings = launch(2, (rank) => train(rank === 0 ? one : two, 'configs'));
    for (const { code, err } of await Promise.all(settings.map(({ end }) => end))) {
      expect(code).toBe(2);
      expect(err).toContain('Process 1 of 2 has 10 for "batchSize", but process 0 has 20.');
    }
    const data = launch(2, train(long({ dataset: faulty('none', { other: true }) }), 'data'));
    for (const { err } of await Promise.all(data.map(({ end }) => end)))
      expect(err).toContain('Process 1 of 2 has another data than process 0');
    expect([existsSync(out('configs')), existsSync(out('data'))]).toEqual([false, false]);
  }, 120_000);

  it('says that the folder is in use, in every process', async () => {
    const config = long();
    const holder = start(train(config, 'used'));
    await begun('used');
    const all = launch(2, train(config, 'used', '--resume'));
    for (const { code, err } of await Promise.all(all.map(({ end }) => end))) {
      expect(code).toBe(2);
      expect(err).toMatch(/in use|trains in/);
    }
    holder.child.kill('SIGTERM');
    await holder.end;
  }, 120_000);

  it('is started, stopped and gone on with by one command, with any number of processes', async () => {
    const config = long({ batchSize: 12, epochs: 300, evaluation: { every: 100 } });
    const whole = start(train(config, 'whole'));
    expect(await whole.end).toMatchObject({ code: 0 });
    // Every start that gets as far as training opens a file of its own.
    const folder = join(out('parts'), 'tensorboard');
    const files = (): number => (existsSync(folder) ? readdirSync(folder).length : 0);
    for (const count of [2, 3]) {
      const before = files();
      const part = start(train(config, 'parts', '--resume', '--processes', String(count)));
      while (files() === before && part.child.exitCode === null) await sleep(20);
      await sleep(300);
      part.child.kill('SIGTERM');
      const { code, err } = await part.end;
      expect(code, err).toBe(143);
    }
    const last = await start(train(config, 'parts', '--resume', '--processes', '2', '--json')).end;
    expect(last.code, last.err).toBe(0);
    expect(JSON.parse(last.out)).toMatchObject({ epochs: 300 });
    expect(apart(weightsOf(out('whole')), weightsOf(out('parts')))).toBeLessThan(1e-5);
    expect(existsSync(join(out('parts'), '.processes'))).toBe(false);
  }, 600_000);
});
