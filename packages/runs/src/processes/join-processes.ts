import { checkKeys, G2DError, OptionError } from '@g2d/core';
import { loadTensorFlow, runtimeInfo } from '@g2d/native';
import { collectives } from './collectives.js';
import type { Launch } from './launched.js';
import { processesOver, type Processes } from './processes.js';
import { meet } from './rendezvous.js';
import { serverDef } from './server-def.js';
import { sharedMemory } from './shared-memory.js';
import { sumsBy, type Adder } from './sums.js';
import { watchdog } from './watchdog.js';

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
export async function joinProcesses(launch: Launch, options: JoinOptions): Promise<Processes> {
  const {
    out,
    note,
    env = process.env,
  } = checkKeys(options, { out: true, note: true, env: true }, 'joinProcesses');
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
  } catch (error) {
    forget();
    throw error;
  } finally {
    // Not for processes that this one starts.
    delete process.env['G2D_SERVER_DEF'];
  }
  const dog = watchdog(minutes, `process ${rank} of ${processes}`);
  let adder: Adder = collectives(processes);
  const { sent, ...sums } = sumsBy(() => adder, { addresses, rank, watchdog: dog });
  const all = processesOver(sums, {
    sent,
    patiently: dog.rest,
    close() {
      dog.stop();
      forget();
    },
  });
  const pids = firstWords(all);
  const shared = sharedMemory(all, env);
  adder = shared ?? adder;
  if (rank === 0) {
    const where = addresses.map((address, i) => `${i}: ${address}, pid ${pids[i]}`).join('; ');
    note(
      `${processes} processes (${where}). Their ports are open to everyone who can reach these machines, and take any operation: use whole nodes or a private network.${shared ? ' Sums go through memory that they share.' : ''}`,
    );
  }
  return all;
}

/** @throws {G2DError} If nothing comes through. */
function firstWords(all: Processes): number[] {
  try {
    return all.tell(process.pid);
  } catch (error) {
    all.close();
    const { details } = error as G2DError;
    throw new G2DError(
      'G2D_PROCESSES',
      `The ${all.allReduce.processes} processes found each other, but do not connect: ${String(details?.['reason'] ?? error)} Look whether they reach one another's ports (G2D_HOST chooses the interface), and whether TensorFlow was installed by this version (npx g2d-native install).`,
      { rank: all.allReduce.rank },
      { cause: error },
    );
  }
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
