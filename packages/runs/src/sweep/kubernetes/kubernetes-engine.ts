import { checkKeys, OptionError } from '@g2d/core';
import type { SweepEngine } from '../engine.js';
import { appendToQueueLog, readQueueLog } from '../queue-log.js';
import { isRunLocked } from '../../node/run-lock.js';
import { isFinished, type RunStatus } from '../status.js';
import { kubernetesJobs, type KubernetesList } from './jobs.js';
import { join } from 'node:path';

/** How runs are given to Kubernetes. */
export interface KubernetesOptions {
  /** Takes the Jobs. */
  readonly write: (jobs: KubernetesList) => void;
}

/**
 * Writes Jobs for the runs that are neither finished nor being trained; nobody is asked, and nothing is started. How is said by the sweep's
 * `kubernetes`.
 *
 * @throws {OptionError} While it runs, if the sweep does not say the image and the claim.
 */
export function kubernetesEngine(options: KubernetesOptions): SweepEngine {
  const { write } = checkKeys(options, { write: true }, 'kubernetesEngine');
  return {
    handsOver: true,
    async run(runs, { out, plan, reporter }) {
      const { name = 'g2d', queues } = plan ?? {};
      const { kubernetes: settings, retries = 1, processes = 1 } = queues ?? {};
      if (!settings) {
        throw new OptionError(
          `The sweep ${name} has no "kubernetes"; it needs at least { "image": "…", "claim": "…" } for --engine kubernetes.`,
          { option: 'kubernetes', value: undefined, accepted: 'an image and a claim' },
        );
      }
      const isDone = (id: string): boolean => isFinished(out, id);
      const open = runs.filter(({ id }) => !isDone(id) && !isRunLocked(join(out, id)));
      const place = { name, out, folder: process.cwd(), retries, processes, settings };
      const { list: all, jobs } = kubernetesJobs(open, { ...place, isFinished: isDone });
      if (jobs.length > 0) {
        appendToQueueLog(
          out,
          ...jobs.flatMap(({ list, name: kubernetes, runs: ids, suspended }) => [
            { list, runs: ids },
            { list, kubernetes, suspended },
          ]),
        );
      }
      write(all);
      for (const { name: job, runs: ids } of jobs)
        reporter.note(`${job}: ${ids.length} run${ids.length === 1 ? '' : 's'}`);
    },
  };
}

/** What a user has to do for Jobs that wait: the command for each whose teachers are finished, and none of whose runs has begun. */
export function kubernetesPatches(
  out: string,
  status: readonly RunStatus[],
  needsOf: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const { lists, kubernetes } = readQueueLog(out);
  if (kubernetes.size === 0) return [];
  const states = new Map(status.map(({ id, state }) => [id, state]));
  return [...kubernetes].flatMap(([job, { list, suspended }]) => {
    const runs = lists.get(list) ?? [];
    const needs = new Set(runs.flatMap((id) => needsOf.get(id) ?? []));
    const isNext =
      suspended &&
      [...needs].every((id) => states.get(id) === 'finished') &&
      runs.every((id) => states.get(id) === 'waiting');
    return isNext ? [`kubectl patch job ${job} --type=merge -p '{"spec":{"suspend":false}}'`] : [];
  });
}
