import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { G2DError } from '@g2d/core';
import { makeFolder } from '@g2d/formats/node';

/** Who holds a lock: the content of its file. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Where `pid` means something: this start of this machine, and for containers their own numbering. */
  readonly machine: string;
  /** When the process started, in the machine's own clock: a pid may be given again. Empty if unknown. */
  readonly started: string;
  /** Different for every lock ever taken. */
  readonly token: string;
}

const LOCK = '.lock';
const HEARTBEAT_MS = 10_000;
/** A holder that cannot be asked, on another machine, counts as gone after this time without a heartbeat. */
const SILENT_MS = 120_000;
/** A lock without content is one that is being written. After this time its process was killed just then. */
const EMPTY_MS = 10_000;
/** How often a lock may change hands while we look at it. */
const ATTEMPTS = 100;

/**
 * Locks a run folder for this process, so that no other one trains, resumes or deletes in it.
 *
 * The lock is the file `.lock` in the folder. It is given free by the returned function, when the process exits, and by
 * SIGINT, SIGTERM and SIGHUP unless the program handles these itself. A process that was killed cannot do so: on the
 * same machine the next one sees at once that it is gone. On another machine (a network folder) it cannot see it, so it
 * waits for two minutes without the heartbeat that a living process gives every ten seconds, by the clock of the
 * file server alone. The event loop must therefore turn now and then while the lock is held.
 *
 * @param folder Made if missing.
 * @returns Gives the folder free. May be called twice.
 * @throws {G2DError} With code `G2D_RUN_IN_USE` if another process, or this one, holds the folder; with code
 * `G2D_RUN_FOLDER` if the folder cannot be written.
 * @example
 * const release = lockRun('runs/joint');
 * try {
 *   // Train.
 * } finally {
 *   release();
 * }
 */
export function lockRun(folder: string): () => void {
  const path = join(resolve(folder), LOCK);
  const us = describeProcess();
  let holder: Holder | undefined | 'unknown';
  try {
    makeFolder(folder);
    holder = claim(path, us);
    if (holder === undefined) removeLeftovers(path);
  } catch (error) {
    const reason = (error as Error).message;
    throw new G2DError(
      'G2D_RUN_FOLDER',
      `The run folder ${folder} cannot be locked: ${reason}. Choose another folder.`,
      { path: folder },
      { cause: error },
    );
  }
  if (holder !== undefined) throw inUse(folder, path, holder, us);
  return hold(path, us);
}

/** Whether a process that is alive holds a run folder, this one or another. */
export function isRunLocked(folder: string): boolean {
  const path = join(resolve(folder), LOCK);
  const holder = readHolder(path);
  return holder !== undefined && isAlive(path, holder, describeProcess());
}

function inUse(folder: string, path: string, holder: Holder | 'unknown', us: Holder): G2DError {
  if (holder === 'unknown') {
    return new G2DError(
      'G2D_RUN_IN_USE',
      `The run folder ${folder} is being locked by another process at this moment. Try again in a few seconds.`,
      { path: folder },
    );
  }
  const { pid, host, machine } = holder;
  const advice =
    machine === us.machine
      ? 'Wait until it ends, stop it, or choose another folder.'
      : `Wait until it ends, or choose another folder; if it was killed, the folder is free after ${SILENT_MS / 60_000} minutes, or when you delete ${path}.`;
  return new G2DError(
    'G2D_RUN_IN_USE',
    `The run folder ${folder} is in use by process ${pid} on ${host}. ${advice}`,
    { path: folder, pid, host },
  );
}

/**
 * Makes the lock ours, also when it was held by a process that is gone.
 *
 * @returns Who holds it, if somebody else does.
 */
function claim(path: string, us: Holder): Holder | 'unknown' | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(path, us)) return undefined;
    const holder = readHolder(path);
    // Given free in between.
    if (holder === undefined) continue;
    if (isAlive(path, holder, us)) return holder;
    // Several processes may see a dead holder at the same time, and a slow one must not throw out the next living one.
    // So only the process that holds the lock on taking over from exactly this holder may replace it.
    const token = holder === 'unknown' ? holder : holder.token;
    const takeover = `${path}.${token}`;
    const rival = claim(takeover, us);
    if (rival !== undefined) return rival;
    try {
      if (isSame(readHolder(path), holder) && !isAlive(path, holder, us)) {
        renameSync(writeFile(`${path}.${us.token}.new`, us), path);
        return undefined;
      }
    } finally {
      rmSync(takeover, { force: true });
    }
  }
  return 'unknown';
}

const isSame = (a: Holder | 'unknown' | undefined, b: Holder | 'unknown'): boolean =>
  typeof a === 'object' && typeof b === 'object' ? a.token === b.token : a === b;

function create(path: string, us: Holder): boolean {
  try {
    writeFile(path, us);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function writeFile(path: string, holder: Holder): string {
  const file = openSync(path, 'wx');
  try {
    writeSync(file, `${JSON.stringify(holder)}\n`);
    fsyncSync(file);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  return path;
}

/** Who holds the lock: `undefined` if nobody, `'unknown'` if the file is not written yet, or was never finished. */
function readHolder(path: string): Holder | 'unknown' | undefined {
  const text = orUndefined(() => readFileSync(path, 'utf8'));
  if (text === undefined) return undefined;
  try {
    const holder = JSON.parse(text) as Holder | null;
    return typeof holder?.token === 'string' && holder.pid > 0 ? holder : 'unknown';
  } catch {
    return 'unknown';
  }
}

function isAlive(path: string, holder: Holder | 'unknown', us: Holder): boolean {
  if (holder === 'unknown') return silence(path, us) < EMPTY_MS;
  if (holder.machine !== us.machine) return silence(path, us) < SILENT_MS;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it exists, and belongs to another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return ['', holder.started].includes(startOf(holder.pid));
}

/** Milliseconds since the last heartbeat, both ends by the clock that stamps files there. */
function silence(path: string, us: Holder): number {
  const probe = `${path}.${us.token}.now`;
  const file = openSync(probe, 'wx');
  try {
    writeSync(file, 'now');
    const now = fstatSync(file).mtimeMs;
    return now - (orUndefined(() => statSync(path).mtimeMs) ?? now);
  } finally {
    closeSync(file);
    rmSync(probe, { force: true });
  }
}

/** Files of processes that were killed while they took a lock over: they mean nothing once the lock is held anew. */
function removeLeftovers(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(`${basename(path)}.`)) rmSync(join(dirname(path), name), { force: true });
  }
}

/** Gives signs of life until the lock is given free. */
function hold(path: string, us: Holder): () => void {
  const heartbeat = setInterval(() => {
    let ours = true;
    try {
      ours = beat(path, us);
    } catch {
      // A network folder may be away for a moment; the next heartbeat tries again.
    }
    if (ours) return;
    clearInterval(heartbeat);
    process.emitWarning(
      `The lock ${path} was lost (was the machine asleep?). If another run writes to the same folder, stop one of them.`,
    );
  }, HEARTBEAT_MS);
  heartbeat.unref();
  const release = (): void => {
    clearInterval(heartbeat);
    releaseAtExit.delete(release);
    if (releaseAtExit.size === 0) stopListening();
    try {
      const holder = readHolder(path);
      if (typeof holder === 'object' && holder.token === us.token) rmSync(path, { force: true });
    } catch {
      // What cannot be removed is known as ours by the process id, also when we have ended.
    }
  };
  if (releaseAtExit.size === 0) listen();
  releaseAtExit.add(release);
  return release;
}

/** Writes the lock again, not only its time, so that a file server stamps it with its own clock. False if it is lost. */
function beat(path: string, us: Holder): boolean {
  const file = orUndefined(() => openSync(path, 'r+'));
  if (file === undefined) return false;
  try {
    // Read from what is written to: the name may be another process's in a moment.
    if ((JSON.parse(readFileSync(file, 'utf8')) as Holder).token !== us.token) return false;
    writeSync(file, `${JSON.stringify(us)}\n`, 0);
    return true;
  } finally {
    closeSync(file);
  }
}

const releaseAtExit = new Set<() => void>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const releaseAll = (): void => {
  for (const release of releaseAtExit) release();
};
const onSignal = (signal: NodeJS.Signals): void => {
  // A program that listens too decides itself when it ends: it may have to finish a step and save.
  // (Except for the library that removes the locks of `proper-lockfile`: it waits for us in the same way.)
  const { __signal_exit_emitter__: library } = process as { __signal_exit_emitter__?: { count: number } };
  if (process.listenerCount(signal) > 1 + (library?.count ?? 0)) return;
  releaseAll();
  process.kill(process.pid, signal);
};
function listen(): void {
  process.on('exit', releaseAll);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}
function stopListening(): void {
  process.off('exit', releaseAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function describeProcess(): Holder {
  const host = hostname();
  // Linux alone has these; elsewhere the name of the host must do.
  const boot = orNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = orNothing(() => readlinkSync('/proc/self/ns/pid'));
  return {
    pid: process.pid,
    host,
    machine: [host, boot, namespace].filter(Boolean).join(' '),
    started: startOf(process.pid),
    token: randomBytes(8).toString('hex'),
  };
}

/** When a process started, from Linux's process table; empty where there is none, or it may not be read. */
function startOf(pid: number): string {
  const stat = orNothing(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The second field is the program's name in parentheses, and may hold anything. A zombie (Z) has ended.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? 'ended' : (fields[18] ?? '');
}

function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** `undefined` where a file is not there. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
