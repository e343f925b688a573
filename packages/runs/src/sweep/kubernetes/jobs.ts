import { checkKeys } from '@g2d/core';
import { severally } from '../child-worker.js';
import type { PlannedRun } from '../plan.js';
import { listName } from '../queue-log.js';
import type { SweepFile } from '../schema.js';

/** A sweep's `kubernetes`. */
export type KubernetesSettings = NonNullable<SweepFile['kubernetes']>;

/** Runs that one Job trains, each an index of it. */
export interface KubernetesJob {
  /** What kubectl knows it by: its own name, or that of its JobSet. */
  readonly name: string;
  readonly list: string;
  readonly runs: readonly string[];
  /** It begins when somebody says so. */
  readonly suspended: boolean;
}

/** What `kubectl apply -f` takes. */
export interface KubernetesList {
  readonly apiVersion: 'v1';
  readonly kind: 'List';
  readonly items: readonly object[];
}

/** Where and how Jobs are made. */
interface JobOptions {
  readonly name: string;
  /** The sweep's folder, as containers see it. */
  readonly out: string;
  /** The folder in which g2d is started. */
  readonly folder: string;
  readonly retries: number;
  /** Of each run, in one pod. Default 1. */
  readonly processes?: number;
  readonly settings: KubernetesSettings;
  readonly isFinished: (id: string) => boolean;
}

/**
 * Indexed Jobs for runs: those that need nothing open, and for each level of those that do a Job that waits (`suspend`) until somebody
 * starts it. With `jobset` students begin by themselves: a JobSet for all that hang together.
 *
 * @param runs What is to be trained, in an order in which it can be.
 * @returns `list` for kubectl, and `jobs`: what is in it.
 */
export function kubernetesJobs(
  runs: readonly PlannedRun[],
  options: JobOptions,
): { readonly list: KubernetesList; readonly jobs: readonly KubernetesJob[] } {
  const { settings, isFinished } = checkKeys(options, KEYS, 'kubernetesJobs');
  const levels = levelsOf(runs, isFinished);
  const label = labelOf(options.name);
  const metadata = (name: string): object => ({ name, labels: { [LABEL]: label } });
  const byLevel = (ids: readonly string[]): string[][] => {
    const found: string[][] = [];
    for (const id of ids) (found[levels.get(id) as number] ??= []).push(id);
    return found.filter((level) => level.length > 0);
  };
  const single = (ids: readonly string[], level: number): Made => {
    const list = listName(ids);
    const job = { name: `${label}-${level}-${list}`, list, runs: ids, suspended: level > 0 };
    const spec = { ...jobSpec(job, options), ...(job.suspended && { suspend: true }) };
    return { jobs: [job], item: { apiVersion: 'batch/v1', kind: 'Job', metadata: metadata(job.name), spec } };
  };
  const set = (ids: readonly string[]): Made => {
    const name = `${label}-${listName(ids)}`;
    const parts = byLevel(ids);
    const jobs = parts.map((runs) => ({ name, list: listName(runs), runs, suspended: false }));
    const replicatedJobs = jobs.map((job, level) => ({
      name: `level-${level}`,
      replicas: 1,
      ...(level > 0 && { dependsOn: [{ name: `level-${level - 1}`, status: 'Complete' }] }),
      template: { spec: jobSpec(job, options) },
    }));
    const head = { apiVersion: 'jobset.x-k8s.io/v1alpha2', kind: 'JobSet', metadata: metadata(name) };
    return { jobs, item: { ...head, spec: { replicatedJobs } } };
  };
  const all = (): Made[] => {
    if (!settings.jobset) return byLevel(runs.map(({ id }) => id)).map(single);
    const { together, alone } = connected(runs, levels);
    return [...(alone.length > 0 ? [single(alone, 0)] : []), ...together.map(set)];
  };
  const made = all();
  return {
    list: { apiVersion: 'v1', kind: 'List', items: made.map(({ item }) => item) },
    jobs: made.flatMap(({ jobs }) => jobs),
  };
}

/** An item for kubectl, and what is in it. */
interface Made {
  readonly jobs: readonly KubernetesJob[];
  readonly item: object;
}

const KEYS = {
  name: true,
  out: true,
  folder: true,
  retries: true,
  processes: true,
  settings: true,
  isFinished: true,
} as const;

/** By which a sweep's Jobs are found. */
const LABEL = 'g2d-sweep';

/** A sweep's name as Kubernetes takes it: its pods have longer ones, of at most 63 characters. */
const labelOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 30)
    .replace(/-$/, '') || 'sweep';

/** How many runs must be trained one after the other before one can be. */
function levelsOf(runs: readonly PlannedRun[], isFinished: (id: string) => boolean): Map<string, number> {
  const levels = new Map<string, number>();
  for (const { id, needs } of runs) {
    const open = needs.filter((need) => !isFinished(need));
    levels.set(id, Math.max(0, ...open.map((need) => (levels.get(need) ?? 0) + 1)));
  }
  return levels;
}

/** Runs that hang together by what they need, and those that hang on nothing. */
function connected(
  runs: readonly PlannedRun[],
  levels: ReadonlyMap<string, number>,
): { readonly together: readonly string[][]; readonly alone: readonly string[] } {
  const root = new Map<string, string>(runs.map(({ id }) => [id, id]));
  const rootOf = (id: string): string => {
    let at = id;
    while (root.get(at) !== at) at = root.get(at) as string;
    root.set(id, at);
    return at;
  };
  for (const { id, needs } of runs) {
    for (const need of needs) if (root.has(need)) root.set(rootOf(id), rootOf(need));
  }
  const groups = new Map<string, string[]>();
  for (const { id } of runs) groups.set(rootOf(id), [...(groups.get(rootOf(id)) ?? []), id]);
  const isAlone = (ids: readonly string[]): boolean => ids.every((id) => levels.get(id) === 0);
  return {
    together: [...groups.values()].filter((ids) => !isAlone(ids)),
    alone: [...groups.values()].filter(isAlone).flat(),
  };
}

function jobSpec(
  { list, runs }: Pick<KubernetesJob, 'list' | 'runs'>,
  { out, folder, retries, processes = 1, settings }: JobOptions,
): object {
  const { image, claim, mountPath = folder, command, parallelism, resources } = settings;
  return {
    completions: runs.length,
    parallelism: Math.min(runs.length, parallelism),
    completionMode: 'Indexed',
    backoffLimitPerIndex: retries,
    // One that fails keeps none of the others from being trained.
    maxFailedIndexes: runs.length,
    // Two pods of one run would meet at its lock.
    podReplacementPolicy: 'Failed',
    podFailurePolicy: {
      rules: [
        {
          action: 'FailIndex',
          onExitCodes: { containerName: 'g2d', operator: 'In', values: [2, 4] },
        },
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      ],
    },
    template: {
      spec: {
        restartPolicy: 'Never',
        // A run saves itself before it ends.
        terminationGracePeriodSeconds: 120,
        containers: [
          {
            name: 'g2d',
            image,
            // The index is in the environment of an Indexed Job's containers.
            command: [...command, 'sweep', 'run', out, '--planned', '--list', list, ...severally(processes)],
            workingDir: mountPath,
            resources,
            volumeMounts: [{ name: 'work', mountPath }],
          },
        ],
        volumes: [{ name: 'work', persistentVolumeClaim: { claimName: claim } }],
      },
    },
  };
}
