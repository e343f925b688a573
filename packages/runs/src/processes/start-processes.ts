import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { checkKeys } from '@g2d/core';
import { STOPPED } from '../node/stop-signal.js';

/** For the others to end by themselves, once one has failed. */
const GRACE_SECONDS = 30;

/** Begins the names of its starts. */
const LOCAL = 'local-';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Starts the processes of a run on this machine, hands signals on to them, and ends them together. They share its processors, unless the
 * environment says how, and each gets a GPU of its own, where there are some. What the first one writes on standard output is the run's.
 *
 * @param command The program and its arguments.
 * @param options `onMessage`: is given what the first process sends by its channel.
 * @returns The exit code: 0 if all ended so, else that of the first that did not.
 */
export async function startProcesses(
  command: readonly string[],
  options: {
    readonly processes: number;
    readonly env?: NodeJS.ProcessEnv;
    readonly onMessage?: (message: unknown) => void;
  },
): Promise<number> {
  const {
    processes,
    env = process.env,
    onMessage,
  } = checkKeys(options, { processes: true, env: true, onMessage: true }, 'startProcesses');
  const [program, ...args] = command as readonly [string, ...string[]];
  const start = `${LOCAL}${process.pid}-${randomBytes(6).toString('hex')}`;
  const threads = String(Math.max(1, Math.floor(availableParallelism() / processes)));
  const devices = env['CUDA_VISIBLE_DEVICES']?.split(',');
  const children = Array.from({ length: processes }, (_, rank) =>
    spawn(program, args, {
      env: {
        OMP_NUM_THREADS: threads,
        TF_NUM_INTRAOP_THREADS: threads,
        TF_NUM_INTEROP_THREADS: threads,
        ...env,
        CUDA_VISIBLE_DEVICES: devices ? (devices[rank] ?? '') : String(rank),
        G2D_RANK: String(rank),
        G2D_PROCESSES: String(processes),
        G2D_START: start,
        G2D_HOST: '127.0.0.1',
      },
      // Ctrl-C reaches a whole terminal; this process alone passes it on. The channel tells them if it is killed.
      detached: true,
      stdio: ['ignore', rank === 0 ? 'inherit' : 'ignore', 'inherit', 'ipc'],
    }),
  );
  if (onMessage) children[0]?.on('message', onMessage);
  const toAll = (signal: NodeJS.Signals): void => children.forEach((child) => void child.kill(signal));
  for (const name of SIGNALS) process.on(name, toAll);
  let failed: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.all(
      children.map(async (child) => {
        const code = await endOf(child);
        if (code === 0 || failed !== undefined) return;
        failed = code;
        // Those that wait for it, or have not begun, have no reason to any more. Where one has saved the run, all are about to end.
        if (!STOPPED.includes(code)) toAll('SIGTERM');
        timer = setTimeout(() => toAll('SIGKILL'), 1000 * GRACE_SECONDS);
      }),
    );
  } finally {
    clearTimeout(timer);
    for (const name of SIGNALS) process.off(name, toAll);
  }
  return failed ?? 0;
}

/** The exit code of a process, as a shell gives it. */
const endOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });

/** Has a process that `startProcesses` started stop as on SIGTERM if the one that started it is killed. */
export function followParent(): void {
  if (!process.env['G2D_START']?.startsWith(LOCAL)) return;
  const stop = (): void => void process.kill(process.pid, 'SIGTERM');
  if (!process.channel) return stop();
  process.once('disconnect', stop);
  process.channel.unref();
}
