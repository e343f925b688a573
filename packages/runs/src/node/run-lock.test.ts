import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bundle } from '../../test/bundle.js';
import { lockRun } from './run-lock.js';

const real = vi.hoisted(() => ({}) as { readFileSync: typeof readFileSync });
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  real.readFileSync = fs.readFileSync;
  return { ...fs, readFileSync: vi.fn<typeof fs.readFileSync>(fs.readFileSync) };
});

/** Locks and frees folders as told: `lock FOLDER` answers `held` or the error's code, and so on. */
const PROGRAM = `
import { createInterface } from 'node:readline';
import { lockRun } from ${JSON.stringify(new URL('run-lock.ts', import.meta.url).pathname)};
let release = () => {};
const commands: Record<string, (folder: string) => string> = {
  lock(folder) {
    try {
      release = lockRun(folder);
      return 'held';
    } catch (error) {
      return (error as { code: string }).code;
    }
  },
  free() {
    release();
    return 'freed';
  },
  exit: () => process.exit(3),
  ping: () => 'here',
  handle() {
    // As a run does: the step is finished first.
    process.on('SIGINT', () => setTimeout(() => process.exit(4), 300));
    return 'handles';
  },
};
createInterface(process.stdin).on('line', (line) => {
  const [command = '', folder = ''] = line.split(' ');
  console.log(commands[command]?.(folder));
});`;

let programFolder: string;
let program: string;
let folder: string;
let lock: string;
const children: ChildProcess[] = [];
beforeAll(async () => {
  ({ folder: programFolder, program } = await bundle(PROGRAM));
});
afterAll(() => rmSync(programFolder, { recursive: true, force: true }));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'g2d-lock-'));
  lock = join(folder, '.lock');
});
afterEach(() => {
  vi.useRealTimers();
  vi.mocked(readFileSync).mockImplementation(real.readFileSync);
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Another process; `tell` gives its answer. */
function startProcess() {
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const tell = async (command: string): Promise<string> => {
    child.stdin.write(`${command}\n`);
    return (await lines.next()).value as string;
  };
  return { child, tell };
}

const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

/** The lock that this process writes, with other fields. */
function foreignLock(fields: object): void {
  const release = lockRun(folder);
  const ours = JSON.parse(readFileSync(lock, 'utf8')) as object;
  release();
  writeFileSync(lock, JSON.stringify({ ...ours, token: 'foreign', ...fields }));
}

function makeOlder(seconds: number): void {
  const then = Date.now() / 1000 - seconds;
  utimesSync(lock, then, then);
}

describe('lockRun', () => {
  it('makes the folder, and leaves nothing when it is given free', () => {
    const run = join(folder, 'runs', 'a');
    const release = lockRun(run);
    expect(readdirSync(run)).toEqual(['.lock']);
    release();
    release();
    expect(readdirSync(run)).toEqual([]);
    lockRun(run)();
  });

  it('refuses a second process in one sentence, until the first gives it free', async () => {
    const { child, tell } = startProcess();
    expect(await tell(`lock ${folder}`)).toBe('held');
    expect(() => lockRun(folder)).toThrow(
      expect.objectContaining({
        code: 'G2D_RUN_IN_USE',
        message: `The run folder ${folder} is in use by process ${child.pid} on ${hostname()}. Wait until it ends, stop it, or choose another folder.`,
        details: { path: folder, pid: child.pid, host: hostname() },
      }),
    );
    expect(await tell('free')).toBe('freed');
    lockRun(folder)();
  });

  it('refuses this process too', () => {
    const release = lockRun(folder);
    expect(() => lockRun(folder)).toThrow(`in use by process ${process.pid}`);
    release();
  });

  it('sees at once that the process that held it was killed', async () => {
    const { child, tell } = startProcess();
    await tell(`lock ${folder}`);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(existsSync(lock)).toBe(true);
    const release = lockRun(folder);
    expect(readdirSync(folder)).toEqual(['.lock']);
    release();
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'is given free by %s, which ends the process',
    async (signal) => {
      const { child, tell } = startProcess();
      await tell(`lock ${folder}`);
      child.kill(signal);
      expect(await once(child, 'close')).toEqual([null, signal]);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('is given free when the process exits', async () => {
    const { child, tell } = startProcess();
    await tell(`lock ${folder}`);
    void tell('exit');
    expect(await once(child, 'close')).toEqual([3, null]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('stays while a program that handles SIGINT itself finishes', async () => {
    const { child, tell } = startProcess();
    await tell(`lock ${folder}`);
    await tell('handle');
    child.kill('SIGINT');
    // Answered after the signal has arrived.
    expect(await tell('ping')).toBe('here');
    expect(() => lockRun(folder)).toThrow('in use');
    expect(await once(child, 'close')).toEqual([4, null]);
    lockRun(folder)();
  });

  it('is not fooled by a process id that was given again', () => {
    foreignLock({ started: '1' });
    lockRun(folder)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes a process that has ended but was not waited for as gone', async () => {
    // The shell's child ends at once; `sleep`, which the shell becomes, never asks for its status.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(parent);
    const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
    const stat = await vi.waitFor(
      () => {
        const text = readFileSync(`/proc/${Number(pid)}/stat`, 'utf8');
        expect(text).toContain('(sleep) Z');
        return text.split(' ');
      },
      { timeout: 60_000 },
    );
    foreignLock({ pid: Number(pid), started: stat[21] });
    lockRun(folder)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('waits for the heartbeat of another machine, whatever process ids are here', () => {
    foreignLock({ machine: 'other', host: 'node-7', pid: deadPid() });
    makeOlder(100);
    expect(() => lockRun(folder)).toThrow(
      /in use by process \d+ on node-7\. .* if it was killed, the folder is free after 2 minutes, or when you delete .*\.lock\.$/,
    );
    makeOlder(130);
    lockRun(folder)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(['', '{"pid": 1', 'null', '{"token": "x", "pid": 0}'])(
    'understands a lock that was never finished: %j',
    (content) => {
      writeFileSync(lock, content);
      expect(() => lockRun(folder)).toThrow(/being locked by another process at this moment\. Try again/);
      makeOlder(11);
      lockRun(folder)();
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('takes over also where a process was killed while it took over', () => {
    foreignLock({ pid: deadPid() });
    const content = readFileSync(lock, 'utf8');
    writeFileSync(`${lock}.foreign`, content.replace('foreign', 'second'));
    writeFileSync(`${lock}.foreign.second`, content.replace('foreign', 'third'));
    const release = lockRun(folder);
    expect(readdirSync(folder)).toEqual(['.lock']);
    release();
  });

  it('leaves the lock to a process that took it over a moment before', () => {
    foreignLock({ pid: deadPid() });
    let dead = true;
    vi.mocked(readFileSync).mockImplementation(((path: string, encoding: 'utf8') => {
      const content = real.readFileSync(path, encoding);
      if (path === lock && dead) {
        dead = false;
        writeFileSync(lock, JSON.stringify({ ...JSON.parse(content), token: 'rival', pid: process.pid }));
      }
      return content;
    }) as typeof readFileSync);
    expect(() => lockRun(folder)).toThrow(`in use by process ${process.pid}`);
    expect(real.readFileSync(lock, 'utf8')).toContain('rival');
    expect(readdirSync(folder)).toEqual(['.lock']);
  });

  it('gives an abandoned lock to exactly one of many processes', async () => {
    const processes = Array.from({ length: 6 }, startProcess);
    const pid = deadPid();
    for (let round = 0; round < 40; round++) {
      foreignLock({ pid, token: `dead-${round}` });
      const answers = await Promise.all(processes.map(({ tell }) => tell(`lock ${folder}`)));
      expect(answers.toSorted()).toEqual([...Array<string>(5).fill('G2D_RUN_IN_USE'), 'held']);
      await processes[answers.indexOf('held')]?.tell('free');
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it('gives a heartbeat, and a warning when the lock is lost', () => {
    vi.useFakeTimers();
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const release = lockRun(folder);
    makeOlder(60);
    vi.advanceTimersByTime(10_000);
    expect(Date.now() - statSync(lock).mtimeMs).toBeLessThan(30_000);
    expect(warn).not.toHaveBeenCalled();
    foreignLockInPlace();
    vi.advanceTimersByTime(30_000);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('was lost'));
    release();
    // What is another process's stays.
    expect(readFileSync(lock, 'utf8')).toContain('another');
  });

  it('says what is wrong with a folder that cannot be locked', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => lockRun(join(folder, 'file', 'x'))).toThrow(
      expect.objectContaining({
        code: 'G2D_RUN_FOLDER',
        message: expect.stringContaining('cannot be locked'),
      }),
    );
  });
});

function foreignLockInPlace(): void {
  const ours = JSON.parse(readFileSync(lock, 'utf8')) as object;
  writeFileSync(lock, JSON.stringify({ ...ours, token: 'another' }));
}
