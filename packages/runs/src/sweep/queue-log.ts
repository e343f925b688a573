import { createHash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { G2DError } from '@g2d/core';
import { readIfThere } from '@g2d/formats/node';

/**
 * What a sweep has given to a queue: `queue.jsonl` in its folder, which is only appended to.
 *
 * Lists of runs are written before their arrays are submitted, and an array's number after the queue's answer. A process that is killed
 * between the two leaves jobs that are known by their comment, which names the list.
 */
export interface QueueLog {
  /** By its name, the runs of a list: element `i` of an array trains the one at `i`. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** Of each run the last job that it was given to, unless that was cancelled: `123_4`. */
  readonly jobs: ReadonlyMap<string, string>;
  /** Arrays that were cancelled on purpose. */
  readonly cancelled: ReadonlySet<string>;
  /** Jobs that were written for Kubernetes, by their names. */
  readonly kubernetes: ReadonlyMap<string, KubernetesEntry>;
}

/** A Job for Kubernetes. */
interface KubernetesEntry {
  readonly list: string;
  readonly kubernetes: string;
  /** It begins when somebody says so. */
  readonly suspended: boolean;
}

/** One line. */
type Entry =
  | { readonly list: string; readonly runs: readonly string[] }
  | { readonly list: string; readonly job: string }
  | KubernetesEntry
  | { readonly cancelled: readonly string[] };

const fileOf = (out: string): string => join(out, 'queue.jsonl');

/** What a list is called: by its content, so that the same runs are the same list. */
export const listName = (runs: readonly string[]): string =>
  createHash('sha256').update(runs.join('\n')).digest('hex').slice(0, 12);

/** @throws {G2DError} With code `G2D_FILE` if it is there and cannot be read. */
export function readQueueLog(out: string): QueueLog {
  const lists = new Map<string, readonly string[]>();
  const jobs = new Map<string, string>();
  const cancelled = new Set<string>();
  const kubernetes = new Map<string, KubernetesEntry>();
  for (const entry of entriesOf(readIfThere(fileOf(out))?.toString('utf8') ?? '')) {
    if ('cancelled' in entry) for (const job of entry.cancelled) cancelled.add(job);
    else if ('runs' in entry) lists.set(entry.list, entry.runs);
    else if ('kubernetes' in entry) kubernetes.set(entry.kubernetes, entry);
    else for (const [i, id] of (lists.get(entry.list) ?? []).entries()) jobs.set(id, `${entry.job}_${i}`);
  }
  for (const [id, job] of jobs) if (cancelled.has(job.replace(/_\d+$/, ''))) jobs.delete(id);
  return { lists, jobs, cancelled, kubernetes };
}

/** A line that is torn was being written when its process ended: its jobs are known by their comment, or were never submitted. */
function entriesOf(text: string): Entry[] {
  return text.split('\n').flatMap((line): Entry[] => {
    try {
      const entry: unknown = JSON.parse(line);
      return typeof entry === 'object' && entry !== null ? [entry as Entry] : [];
    } catch {
      return [];
    }
  });
}

/**
 * Adds lines, and returns when they are on the disk. The caller holds the sweep's folder.
 *
 * @throws {G2DError} `G2D_RUN_FOLDER` if they cannot be written.
 */
export function appendToQueueLog(out: string, ...entries: readonly Entry[]): void {
  try {
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    const file = openSync(fileOf(out), 'a+');
    try {
      const { size } = fstatSync(file);
      const last = Buffer.alloc(1);
      if (size > 0) readSync(file, last, 0, 1, size - 1);
      // After a line that is torn begins a new one.
      const isTorn = size > 0 && last.toString() !== '\n';
      const bytes = Buffer.from(`${isTorn ? '\n' : ''}${text}`);
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw new G2DError(
      'G2D_RUN_FOLDER',
      `${fileOf(out)} cannot be written: ${full ? 'the disk is full' : message}. Put this right, and give the same command again: what has been submitted is known to the queue, and is not submitted twice.`,
      { path: fileOf(out), reason: code },
      { cause: error },
    );
  }
}
