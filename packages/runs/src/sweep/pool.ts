import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { checkKeys, OptionError } from '@g2d/core';
import type { RunConfig } from '../config-schema.js';
import { parseConfig } from '../read-config.js';
import { baseOf } from './combinations.js';
import { findManifest, type SweepManifest } from './manifest.js';
import { needsTeachers } from './needs-teachers.js';
import {
  onProcesses,
  planRuns,
  queuesOf,
  type PlannedRun,
  type PlannedStudent,
  type SweepPlan,
} from './plan.js';
import type { Sweep } from './read-sweep.js';
import { runKey } from './run-key.js';

/** What a sweep has for one of its students. */
export interface Combination {
  /** The folder of the configuration that it begins with, such as `av-mnist-small`. */
  readonly dataset: string;
  /** As resolved: a case may have set it. */
  readonly method: string;
  readonly case?: string;
  readonly seed: number;
  /** Further keys of the grid, such as `dataset.fold`. */
  readonly others: Readonly<Record<string, unknown>>;
  /** What the sweep calls it, if it is one of its references. */
  readonly reference?: string;
}

/** A student of a sweep, and where in the pool it lies. */
export interface PoolMember {
  readonly id: string;
  readonly combination: Combination;
  /** Ids of what it needs. */
  readonly needs: readonly string[];
  /** The same by modality; `fused` has all of them. */
  readonly teachers: Readonly<Record<string, string>>;
}

/** The runs of several sweeps, each once. */
export interface SweepPool extends SweepPlan {
  /** The students of each sweep, by its name, in the order of its grid. */
  readonly members: Readonly<Record<string, readonly PoolMember[]>>;
  readonly isShared: boolean;
}

/**
 * One plan of several sweeps: a run that several of them have is trained once.
 *
 * Runs are the same if their settings are (`runKey`) and their teachers are the same. The first sweep that plans a run names its folder, the others refer to it. A
 * folder in which sweeps have begun keeps its names, in whatever order they are planned later; where a name is taken by other settings, the sweep's own name stands
 * in front.
 *
 * @param options `out`: the folder of all of them. Default: that of the first sweep.
 * @throws {OptionError} As `planSweep`; if two sweeps have one name.
 * @throws {FileFormatError} If the folder's manifest is damaged.
 * @example
 * const files = ['table-1', 'table-4'].map((name) => readSweep(`examples/tables/${name}.small.json`));
 * const { runs, members } = await planPool(files, { out: 'runs/tables/small' });
 * members['table-4']?.map(({ id }) => id); // av-mnist-small/seed-0/joint, …
 */
export async function planPool(
  sweeps: readonly Sweep[],
  options: { readonly out?: string } = {},
): Promise<SweepPool> {
  const [first] = sweeps;
  const { out = first?.out } = checkKeys(options, { out: true }, 'planPool');
  if (!first || out === undefined) {
    throw new OptionError('`planPool` has no sweep; expected one or more.', {
      option: 'sweeps',
      value: sweeps,
      accepted: 'a list of sweeps',
    });
  }
  const names = sweeps.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new OptionError(`Two sweeps are called "${twice}": give each a "name" of its own.`, {
      option: 'name',
      value: twice,
      accepted: 'a name for each sweep',
    });
  }
  const before = findManifest(out);
  const isShared = sweeps.length > 1 || (before !== undefined && isOfOthers(before, first.name));
  const pool = new Pool(out, isShared ? (before?.runs ?? []).map(asOfToday) : []);
  await pool.begin();
  const members: Record<string, readonly PoolMember[]> = {};
  for (const sweep of sweeps) {
    const planned = await planRuns({ ...sweep, out });
    const placed = await pool.place(planned, sweep.name);
    members[sweep.name] = planned.students.map((student) => memberOf(student, placed, sweep));
  }
  const plan = {
    name: isShared ? (before?.name ?? first.name) : first.name,
    out,
    runs: pool.runs,
    members,
    isShared,
    ...sharedQueues([first, ...sweeps.slice(1)]),
  };
  return onProcesses(plan, first.processes);
}

/** All wait in one queue, so all have to say the same of it; they are tried again as often as the most patient says. */
function sharedQueues(sweeps: readonly [Sweep, ...Sweep[]]): Pick<SweepPlan, 'queues' | 'disagreement'> {
  const [first] = sweeps;
  const queues = { ...queuesOf(first), retries: Math.max(...sweeps.map(({ retries }) => retries)) };
  for (const kind of ['slurm', 'kubernetes', 'processes'] as const) {
    const other = sweeps.find((sweep) => !isDeepStrictEqual(sweep[kind], first[kind]));
    if (other) return { queues, disagreement: `${first.name} and ${other.name} have different "${kind}"` };
  }
  return { queues };
}

const isOfOthers = (before: SweepManifest, name: string): boolean =>
  before.isShared === true || before.name !== name;

function memberOf(
  { run, combined, reference }: PlannedStudent,
  placed: ReadonlyMap<string, PlannedRun>,
  sweep: Sweep,
): PoolMember {
  const { dataset, case: name, method: _, seed: __, ...others } = combined;
  const { id, config, needs } = placed.get(run.id) as PlannedRun;
  const teachers = Object.entries(config.teachers ?? {}).flatMap(([modality, path]) => {
    const need = needOf(path, needs);
    return need === undefined ? [] : [[modality, need] as const];
  });
  return {
    id,
    combination: {
      dataset: baseOf(dataset, sweep.bases).name,
      method: run.config.method,
      ...(name !== undefined && { case: name as string }),
      seed: run.config.seed,
      others,
      ...(reference !== undefined && { reference }),
    },
    needs,
    teachers: Object.fromEntries(teachers),
  };
}

/** The runs of a folder by what they are known by. */
class Pool {
  /** What the sweeps have planned, each once, in an order in which it can be trained. */
  readonly runs: PlannedRun[] = [];
  readonly #before = new Map<string, PlannedRun>();
  readonly #ids = new Map<string, string>();

  constructor(
    readonly out: string,
    before: readonly PlannedRun[],
  ) {
    for (const run of before) this.#before.set(run.id, run);
  }

  async begin(): Promise<void> {
    for (const [id, key] of await keysOf([...this.#before.values()])) {
      if (!this.#ids.has(key)) this.#ids.set(key, id);
    }
  }

  /** @returns By the id in the sweep: the run, as it lies in the pool. */
  async place(
    {
      runs,
      students,
    }: { readonly runs: readonly PlannedRun[]; readonly students: readonly PlannedStudent[] },
    sweep: string,
  ): Promise<ReadonlyMap<string, PlannedRun>> {
    const keys = await keysOf(runs);
    this.#name(runs, students, { keys, sweep });
    const placed = new Map<string, PlannedRun>();
    const planned = new Map(this.runs.map((run) => [run.id, run]));
    for (const { id: own, config, needs } of runs) {
      const id = this.#ids.get(keys.get(own) as string) as string;
      const same = planned.get(id);
      if (same) {
        placed.set(own, same);
        continue;
      }
      const before = this.#before.get(id);
      const teachers = Object.entries(config.teachers ?? {}).map(([modality, path]) => {
        const need = needOf(path, needs);
        return [modality, need === undefined ? path : join(this.out, (placed.get(need) as PlannedRun).id)];
      });
      const run: PlannedRun = {
        id,
        config: {
          ...(before ? keepingSettings(before.config, config) : config),
          ...(config.teachers && { teachers: Object.fromEntries(teachers) as Record<string, string> }),
        },
        needs: needs.map((need) => (placed.get(need) as PlannedRun).id),
      };
      placed.set(own, run);
      planned.set(id, run);
      this.runs.push(run);
    }
    return placed;
  }

  /** Gives what is not known yet a folder. */
  #name(
    runs: readonly PlannedRun[],
    students: readonly PlannedStudent[],
    { keys, sweep }: { readonly keys: ReadonlyMap<string, string>; readonly sweep: string },
  ): void {
    // A teacher that is a student too, such as joint training on complete data, is called as the student.
    const own = new Set(students.map(({ run }) => run.id));
    const taken = new Set([...this.#before.keys(), ...this.#ids.values()]);
    const byStudents = [...runs].sort((a, b) => Number(own.has(b.id)) - Number(own.has(a.id)));
    for (const { id } of byStudents) {
      const key = keys.get(id) as string;
      if (this.#ids.has(key)) continue;
      const free = [id, `${sweep}/${id}`].find((name) => !taken.has(name)) ?? `${id}-${key.slice(0, 8)}`;
      taken.add(free);
      this.#ids.set(key, free);
    }
  }
}

/** By id what runs are known by: their settings, and their teachers, which come before them. */
async function keysOf(runs: readonly PlannedRun[]): Promise<ReadonlyMap<string, string>> {
  const keys = new Map<string, string>();
  for (const { id, config, needs } of runs) {
    const kinds = await needsTeachers(config);
    const teachers = Object.entries(kinds.size === 0 ? {} : (config.teachers ?? {})).map(
      // One that is not planned is known by its folder.
      ([modality, path]) => [modality, keys.get(needOf(path, needs) ?? '') ?? path],
    );
    const key = runKey(config);
    keys.set(id, teachers.length === 0 ? key : hashOf([key, ...teachers.sort()]));
  }
  return keys;
}

/** A run of a manifest that an earlier version may have written, whose settings were fewer. */
export function asOfToday(run: PlannedRun): PlannedRun {
  try {
    return { ...run, config: parseConfig(run.config) };
  } catch {
    // It stays what it was, and is nobody else's.
    return run;
  }
}

/** Which of the ids is that of a teacher's folder, from wherever it was written. */
const needOf = (path: string, needs: readonly string[]): string | undefined =>
  needs
    .filter((need) => `/${path.replaceAll('\\', '/')}`.endsWith(`/${need}`))
    .reduce<string | undefined>((best, need) => (need.length > (best?.length ?? 0) ? need : best), undefined);

/** A known run has the settings that it was planned with, beside those that change no number. */
const keepingSettings = (before: RunConfig, now: RunConfig): RunConfig => ({
  ...before,
  dataset: { ...before.dataset, root: now.dataset['root'] },
  data: {
    ...before.data,
    workers: now.data.workers,
    prefetch: now.data.prefetch,
    cache: now.data.cache,
    inMemory: now.data.inMemory,
  },
  evaluation: { ...before.evaluation, batchSize: now.evaluation.batchSize },
  checkpoints: now.checkpoints,
  allowChanged: now.allowChanged,
});

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
