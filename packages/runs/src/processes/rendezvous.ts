import { existsSync, linkSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { lookup } from 'node:dns/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { G2DError, OptionError } from '@g2d/core';
import { makeFolder } from '@g2d/formats/node';
import type { Launch } from './launched.js';

/** In a run's folder: where processes that start say where they are. */
export const RENDEZVOUS = '.processes';

/** Where the processes of a run are. */
export interface Meeting {
  /** `host:port` of each. */
  readonly addresses: readonly string[];
  /** Nobody needs to know any more. */
  forget(): void;
}

/** How processes find each other. */
export interface MeetingOptions {
  /** The run's folder. */
  readonly out: string;
  /** How long they wait for one another. */
  readonly seconds: number;
}

/**
 * Finds the other processes. Each takes a free port and leaves its address in the run's folder, under the name of this start; or their addresses
 * are given, where they have no folder in common.
 *
 * @throws {OptionError} If nothing tells this start from others.
 * @throws {G2DError} `G2D_PROCESSES` if a process is there twice, the port is in use, or not all come.
 */
export async function meet(launch: Launch, { out, seconds }: MeetingOptions): Promise<Meeting> {
  const { rank, processes, start, addresses } = launch;
  if (addresses) {
    await assertFree(addresses[rank] as string, rank);
    return { addresses, forget: () => {} };
  }
  if (start === undefined) {
    throw new OptionError(
      `Process ${rank} of ${processes} does not know which start it is of. Set G2D_START to a name that is the same in all processes and new with every start, or G2D_ADDRESSES to host:port of each.`,
      { option: 'G2D_START', value: undefined, accepted: 'a name' },
    );
  }
  const folder = join(out, RENDEZVOUS, start);
  makeFolder(folder);
  const own = `${processes} ${await ownHost(launch)}:${await freePort()}`;
  publish(join(folder, String(rank)), own, launch);
  const forget = (): void => {
    if (rank !== 0) return;
    rmSync(folder, { recursive: true, force: true });
    try {
      rmdirSync(join(out, RENDEZVOUS));
      // Of a run that did not begin.
      if (resolve(out) !== process.cwd()) rmdirSync(out);
    } catch {
      // Another start is there, or was killed; the run is there.
    }
  };
  const files = Array.from({ length: processes }, (_, i) => join(folder, String(i)));
  const deadline = Date.now() + 1000 * seconds;
  for (;;) {
    const missing = files.flatMap((file, i) => (existsSync(file) ? [] : [i]));
    if (missing.length === 0) break;
    if (Date.now() > deadline) {
      rmSync(files[rank] as string, { force: true });
      throw new G2DError(
        'G2D_PROCESSES',
        `${named(missing)} of ${processes} did not come within ${seconds} s. Look at what they say, and whether they see the folder ${folder} (G2D_ADDRESSES does without).`,
        { missing, processes, folder },
      );
    }
    await sleep(50);
  }
  return { addresses: files.map((file, i) => addressIn(file, i, launch)), forget };
}

/** @throws {OptionError} If the other process was told another count. */
function addressIn(file: string, other: number, { rank, processes }: Launch): string {
  const [count, address] = readFileSync(file, 'utf8').split(' ') as [string, string];
  if (Number(count) === processes) return address;
  throw new OptionError(
    `Process ${other} was started as one of ${count}, but process ${rank} as one of ${processes}. Start all with the same number of processes.`,
    { option: 'processes', value: count, accepted: String(processes) },
  );
}

/** `Process 1`, `Processes 1, 2`. */
const named = (ranks: readonly number[]): string =>
  `${ranks.length === 1 ? 'Process' : 'Processes'} ${ranks.join(', ')}`;

/** Written whole, and once: a link fails where something is. */
function publish(file: string, address: string, { rank, processes }: Launch): void {
  const whole = `${file}.${process.pid}-${Date.now()}`;
  writeFileSync(whole, address);
  try {
    linkSync(whole, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new G2DError(
      'G2D_PROCESSES',
      `Process ${rank} of ${processes} is already there (${readFileSync(file, 'utf8').split(' ')[1]}): it was started twice. Give each process a number of its own, and each start a new G2D_START.`,
      { rank, processes, file },
    );
  } finally {
    rmSync(whole, { force: true });
  }
}

/** The address by which others reach this machine: of the interface that its name means, or of the first one. */
async function ownHost({ host }: Launch): Promise<string> {
  if (host !== undefined) return host;
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const outer = own.filter(({ internal, family }) => !internal && family === 'IPv4');
  const named = await lookup(hostname(), { family: 4 }).catch(() => undefined);
  const found = outer.find(({ address }) => address === named?.address) ?? outer[0];
  return found?.address ?? '127.0.0.1';
}

const freePort = (): Promise<number> => portOf(0);

/** Takes a port for a moment. */
async function portOf(wanted: number): Promise<number> {
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '0.0.0.0', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  } finally {
    await new Promise((resolve) => void server.close(resolve));
  }
}

async function assertFree(address: string, rank: number): Promise<void> {
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  try {
    await portOf(port);
  } catch (error) {
    throw new G2DError(
      'G2D_PROCESSES',
      `Process ${rank} cannot listen at ${address}, which G2D_ADDRESSES gives it: ${(error as Error).message}. Give it a port that is free.`,
      { rank, address },
      { cause: error },
    );
  }
}
