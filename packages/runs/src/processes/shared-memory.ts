import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { attribute, execute, tensorflow } from '@g2d/tensor-ops/tensorflow';
import type { Processes } from './processes.js';
import type { Adder } from './sums.js';

/** The operation as `@g2d/native` adds it to TensorFlow, on Linux. */
const OPERATION = 'G2dV1SharedSum';

/** Where the operation looks for it: a file system in memory. */
const fileOf = (segment: number): string => `/dev/shm/g2d-${segment}`;

/**
 * Lets processes that are all on one machine add up through memory that they share: a quarter of the time that TensorFlow's collectives take there.
 * All of them call it, and all get the same answer.
 *
 * @param all Sums over them in another way.
 * @returns `null` where they do not share memory, as on several machines, on GPUs, or without our kernels.
 */
export function sharedMemory(all: Processes, env: NodeJS.ProcessEnv): Adder | null {
  const { rank, processes } = all.allReduce;
  const isWanted = env['G2D_SHARED_MEMORY'] !== 'off' && !tensorflow().isUsingGpuDevice;
  const offer = rank === 0 && isWanted ? offered() : null;
  try {
    const [made] = all.tell(offer);
    const add = made ? adderOf(made.segment, rank, processes) : null;
    const can = add !== null && isWanted && isThere(made as Offer, add);
    return all.tell(can).every(Boolean) ? add : null;
  } finally {
    // Whoever has opened it keeps it, and nothing stays behind.
    if (offer) rmSync(fileOf(offer.segment), { force: true });
  }
}

/** Memory that the first process has made. Its name can be another machine's too; what is in it cannot. */
interface Offer {
  readonly segment: number;
  readonly token: string;
}

function offered(): Offer | null {
  // As an attribute TensorFlow.js hands on 32 bits.
  const offer = { segment: randomInt(2 ** 31), token: randomBytes(32).toString('hex') };
  try {
    writeFileSync(fileOf(offer.segment), offer.token, { flag: 'wx', mode: 0o600 });
    return offer;
  } catch {
    return null;
  }
}

const adderOf = (segment: number, rank: number, processes: number): Adder => {
  const attributes = [attribute.integers('place', [segment, rank, processes])];
  return (tensors) => tensors.map((tensor) => execute(OPERATION, attributes, [tensor]));
};

function isThere({ segment, token }: Offer, add: Adder): boolean {
  try {
    // A part: another process may have made it longer already.
    if (readFileSync(fileOf(segment)).subarray(0, token.length).toString() !== token) return false;
    // Nothing to add: it opens the memory.
    tf.tidy(() => add([tf.zeros([0])]));
    return true;
  } catch {
    return false;
  }
}
