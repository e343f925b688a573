import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join, parse, resolve } from 'node:path';

/** How a child process ended. */
export interface CommandResult {
  /** Exit code; null when it was ended by a signal or never started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it could not be started (`ENOENT`: there is no such program), else null. */
  readonly startError: string | null;
}

/**
 * Runs a program to its end and never throws. Tests hand in their own.
 *
 * It runs in `cwd`, by default an empty folder of its own: Python, Node and compilers take files of the current folder for parts of
 * themselves, such as a `pip.py`.
 */
export type RunCommand = (
  command: string,
  args: readonly string[],
  options?: { cwd?: string; env?: NodeJS.ProcessEnv; signal?: AbortSignal | undefined; timeoutMs?: number },
) => Promise<CommandResult>;

const running = new Set<ChildProcess>();
let watching = false;

function killOnExit(child: ChildProcess): void {
  running.add(child);
  child.once('close', () => running.delete(child));
  if (watching) return;
  watching = true;
  process.once('exit', () => running.forEach((one) => one.kill('SIGKILL')));
}

/** An empty folder that nobody else can write. */
function emptyFolder(): string | undefined {
  try {
    return mkdtempSync(join(tmpdir(), 'g2d-native-'));
  } catch {
    return undefined;
  }
}

/** Programs are looked for in folders with a full path: another one would be below the folder that they run in. */
function withAbsolutePath(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PATH, ...rest } = env;
  const kept = (PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  // An empty one would stand for the current folder; without one the system has its own.
  return kept.length === 0 ? rest : { ...rest, PATH: kept.join(delimiter) };
}

/**
 * Runs a program, collects what it prints (the last megabyte) and resolves when it has ended. The program does not
 * outlive us: an abort or our own exit ends it.
 */
export const runCommand: RunCommand = (command, args, options = {}) =>
  new Promise((done) => {
    let stdout = '';
    let stderr = '';
    let startError: string | null = null;
    const { timeoutMs, cwd, env = process.env, ...rest } = options;
    const own = cwd === undefined ? emptyFolder() : undefined;
    const end = (code: number | null): void => {
      if (own !== undefined) rmSync(own, { recursive: true, force: true });
      done({ code, stdout, stderr, startError });
    };
    // A path is meant from where the user is, not from where the program runs.
    const child = spawn(/[/\\]/.test(command) ? resolve(command) : command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: cwd ?? own ?? parse(process.execPath).root,
      env: withAbsolutePath(env),
      ...rest,
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: 'SIGKILL' as const }),
    });
    killOnExit(child);
    const keep = (text: string, chunk: string) => (text + chunk).slice(-(1 << 20));
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (stdout = keep(stdout, chunk)));
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (stderr = keep(stderr, chunk)));
    child.on('error', (error: NodeJS.ErrnoException) => {
      startError = error.code ?? error.message;
      if (child.pid === undefined) end(null);
    });
    child.on('close', end);
  });
