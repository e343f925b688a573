import { join } from 'node:path';
import { listName } from '../queue-log.js';
import type { PlannedRun } from '../plan.js';
import { commentOf, fullPath } from './queue.js';

/** A sweep's `slurm`. */
export interface SlurmSettings {
  /** Options of sbatch, such as `--partition=gpu`. */
  readonly options: readonly string[];
  /** Lines of the script, above the run. */
  readonly setup: readonly string[];
  /** How many elements of one array run at a time. */
  readonly atOnce?: number | undefined;
}

/** Runs that are submitted by one call: their jobs wait for the same others. */
export interface SlurmArray {
  readonly list: string;
  readonly runs: readonly string[];
  /** Ids of runs that must be finished. */
  readonly needs: readonly string[];
}

/**
 * One array for all runs that need nothing which is open, then one for each set of needed runs: as exact as a job for each run, with as few
 * calls as there are sets.
 *
 * @param runs What is to be submitted, in an order in which it can be trained.
 * @param options `isFinished`: of what runs need. `isQueued`: what is in the queue already. `most`: elements of an array.
 * @returns The arrays, each after those that it waits for, and runs that need one which is in neither place.
 */
export function slurmArrays(
  runs: readonly PlannedRun[],
  {
    isFinished,
    isQueued,
    most,
  }: {
    readonly isFinished: (id: string) => boolean;
    readonly isQueued: (id: string) => boolean;
    readonly most: number;
  },
): { readonly arrays: readonly SlurmArray[]; readonly lost: readonly PlannedRun[] } {
  const groups = new Map<string, { needs: readonly string[]; runs: string[] }>();
  const submitted = new Set<string>();
  const lost: PlannedRun[] = [];
  for (const run of runs) {
    const needs = run.needs.filter((need) => !isFinished(need));
    if (!needs.every((need) => submitted.has(need) || isQueued(need))) {
      lost.push(run);
      continue;
    }
    submitted.add(run.id);
    const key = JSON.stringify(needs);
    const group = groups.get(key) ?? { needs, runs: [] };
    group.runs.push(run.id);
    groups.set(key, group);
  }
  const arrays = [...groups.values()].flatMap((group) =>
    chunks(group.runs, most).map((ids) => ({ list: listName(ids), runs: ids, needs: group.needs })),
  );
  return { arrays, lost };
}

const chunks = <T>(values: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));

/** Slurm's own default; an element's number is smaller. */
const USUAL_ARRAY = 1001;

/** The most elements of an array, from what `scontrol show config` says. */
export function maxArraySize(config: string): number {
  const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(config)?.[1] ?? USUAL_ARRAY);
  return size > 0 ? size : USUAL_ARRAY;
}

/** Where jobs of a sweep write: one file for each element of an array. */
export const outputOf = (out: string, job: string): string => join(fullPath(out), 'slurm', `${job}.out`);

export const scriptOf = (out: string): string => join(fullPath(out), 'slurm', 'run.sbatch');

/**
 * What sbatch is called with.
 *
 * @param after Jobs of what the array needs: `123_4`.
 */
export function sbatchArguments(
  { list, runs }: Pick<SlurmArray, 'list' | 'runs'>,
  after: readonly string[],
  {
    name,
    out,
    folder,
    processes = 1,
    settings: { options, atOnce },
  }: {
    readonly name: string;
    readonly out: string;
    /** In which jobs begin: that in which g2d was started, since configurations name data from there. */
    readonly folder: string;
    /** Of each run. Default 1. */
    readonly processes?: number;
    readonly settings: SlurmSettings;
  },
): string[] {
  return [
    '--parsable',
    `--array=0-${runs.length - 1}${atOnce === undefined ? '' : `%${atOnce}`}`,
    `--job-name=${name}`,
    `--comment=${commentOf(out, list)}`,
    '--requeue',
    '--open-mode=append',
    // The run saves itself before the time limit, and goes on in the same job.
    '--signal=B:TERM@120',
    `--output=${escaped(join(fullPath(out), 'slurm'))}/%A_%a.out`,
    `--chdir=${folder}`,
    ...(processes > 1 ? [`--ntasks=${processes}`] : []),
    ...options,
    ...(after.length > 0 ? [`--dependency=afterok:${after.join(':')}`, '--kill-on-invalid-dep=yes'] : []),
    scriptOf(out),
    list,
  ];
}

/** `%` begins a pattern in names of output files. */
const escaped = (path: string): string => path.replaceAll('%', '%%');

/** The script of all arrays of a sweep; its argument is the list. */
export const slurmScript = (command: readonly string[], setup: readonly string[]): string =>
  [
    '#!/bin/bash',
    '# Written by g2d sweep --engine slurm: each element of an array trains one run.',
    ...setup,
    `exec ${command.map(quoted).join(' ')} --list "$1"`,
    '',
  ].join('\n');

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
