import { deserialize, serialize } from 'node:v8';
import { G2DError, OptionError } from '@g2d/core';
import { loadTensorFlow, runtimeInfo } from '@g2d/native';
import { gatherBytes } from '@g2d/trainer/internal';
import { collectives, type Sums } from './collectives.js';
import type { Launch } from './launched.js';
import { meet } from './rendezvous.js';
import { serverDef } from './server-def.js';
import { watchdog } from './watchdog.js';

/** The processes that train a run together, as one of them sees them. Every process makes the same calls in the same order. */
export interface Processes {
  /** Sums over them, for the loop. */
  readonly allReduce: Sums;
  /** What each of them says, in their order. */
  tell<T>(value: T): T[];
  /** The run is over: waits until it is so for all. */
  leave(): void;
  /** Tidies up, however it ended. */
  close(): void;
}

/** How processes come together. */
export interface JoinOptions {
  /** The run's folder. */
  readonly out: string;
  /** Who is told once that a port is open. */
  readonly note: (line: string) => void;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Makes this process one of several that train a run together, and loads TensorFlow, which connects them. Nothing may have loaded TensorFlow.js'
 * backend before.
 *
 * @throws {OptionError} If the backend is another one.
 * @throws {G2DError} `G2D_PROCESSES` if they do not come together.
 */
export async function joinProcesses(
  launch: Launch,
  { out, note, env = process.env }: JoinOptions,
): Promise<Processes> {
  const { rank, processes } = launch;
  const backend = env['G2D_BACKEND'];
  if (backend && backend !== 'tensorflow') {
    throw new OptionError(
      `G2D_BACKEND is ${backend}, but ${processes} processes need TensorFlow, through which they add up. Leave it out.`,
      { option: 'G2D_BACKEND', value: backend, accepted: 'tensorflow' },
    );
  }
  if (runtimeInfo()) throw new Error('Processes join before a backend is loaded.');
  const seconds = numberOf(env, 'G2D_JOIN_SECONDS', 300);
  const minutes = numberOf(env, 'G2D_STALL_MINUTES', 10);
  const { addresses, forget } = await meet(launch, { out, seconds });
  process.env['G2D_SERVER_DEF'] = serverDef(addresses, rank).toString('hex');
  try {
    await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  } finally {
    // Not for processes that this one starts.
    delete process.env['G2D_SERVER_DEF'];
  }
  const name = `process ${rank} of ${processes}`;
  const dog = watchdog(minutes, name);
  const allReduce = collectives(addresses, { rank, watchdog: dog });
  const all: Processes = {
    allReduce,
    tell: <T>(value: T) => gatherBytes(allReduce, serialize(value)).map((bytes) => deserialize(bytes) as T),
    leave() {
      try {
        // Nobody leaves while another one still reads what it was sent.
        allReduce.sum(new Float64Array(1));
      } catch {
        // Whoever is gone by now was done.
      }
    },
    close() {
      dog.stop();
      forget();
    },
  };
  const pids = all.tell(process.pid);
  if (rank === 0) {
    note(
      `${processes} processes (${addresses.map((address, i) => `${i}: ${address}, pid ${pids[i]}`).join('; ')}). Their ports are open to everyone who can reach these machines, and take any operation: use whole nodes or a private network.`,
    );
  }
  return all;
}

function numberOf(env: NodeJS.ProcessEnv, name: string, usual: number): number {
  const text = env[name];
  if (!text) return usual;
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new OptionError(`${name} is "${text}"; it must be a number above 0.`, {
    option: name,
    value: text,
    accepted: 'a number above 0',
  });
}

/**
 * Runs a part of a run in every process: where it fails in one, it fails in all.
 *
 * @throws {G2DError} `G2D_PEER_FAILED` where it failed in another one; its own error where it failed here.
 */
export async function together<T>(all: Processes | undefined, body: () => T | Promise<T>): Promise<T> {
  if (!all) return body();
  let end: { readonly value: T } | { readonly error: unknown };
  try {
    end = { value: await body() };
  } catch (error) {
    end = { error };
  }
  if ('error' in end && G2DError.isInstance(end.error) && end.error.code === 'G2D_PEER_LOST') throw end.error;
  const failures = all.tell(
    'error' in end ? String((end.error as Error | undefined)?.message ?? end.error) : null,
  );
  if ('error' in end) throw end.error;
  const first = failures.findIndex((failure) => failure !== null);
  if (first < 0) return end.value;
  throw new G2DError(
    'G2D_PEER_FAILED',
    `Process ${first} of ${failures.length} ended, and so do the others: ${failures[first]}`,
    { rank: first },
  );
}

/** What the first process finds, in all of them. */
export async function fromFirst<T>(all: Processes | undefined, find: () => T | Promise<T>): Promise<T> {
  if (!all) return find();
  const isFirst = isFirstOf(all);
  const found = await together(all, () => (isFirst ? find() : undefined));
  const [told] = all.tell(isFirst ? found : undefined);
  return isFirst ? (found as T) : (told as T);
}

/** What every process does, after the first one: where it finds what that one has written. */
export async function inTurn<T>(all: Processes | undefined, body: () => T | Promise<T>): Promise<T> {
  if (!all) return body();
  const isFirst = isFirstOf(all);
  const own = await together(all, () => (isFirst ? body() : undefined));
  return (await together(all, () => (isFirst ? own : body()))) as T;
}

/** Whether this process is the one that writes. */
export const isFirstOf = (all: Processes | undefined): boolean => !all || all.allReduce.rank === 0;
