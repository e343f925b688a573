import { spawn, type ChildProcess } from 'node:child_process';

/** How a child process ended. */
export interface CommandResult {
  /** Exit code; null when it was ended by a signal or never started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it could not be started (`ENOENT`: there is no such program), else null. */
  readonly startError: string | null;
}

/** Runs a program to its end and never throws. Tests hand in their own. */
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

/**
 * Runs a program, collects what it prints (the last megabyte) and resolves when it has ended. The program does not
 * outlive us: an abort or our own exit ends it.
 */
export const runCommand: RunCommand = (command, args, options = {}) =>
  new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    let startError: string | null = null;
    const { timeoutMs, ...rest } = options;
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...rest,
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: 'SIGKILL' as const }),
    });
    killOnExit(child);
    const keep = (text: string, chunk: string) => (text + chunk).slice(-(1 << 20));
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (stdout = keep(stdout, chunk)));
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (stderr = keep(stderr, chunk)));
    child.on('error', (error: NodeJS.ErrnoException) => {
      startError = error.code ?? error.message;
      if (child.pid === undefined) resolve({ code: null, stdout, stderr, startError });
    });
    child.on('close', (code) => resolve({ code, stdout, stderr, startError }));
  });
