import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { OptionError, ownValue } from '@g2d/core';
import type { RunConfig } from '../config-schema.js';
import { FULL_TEACHER } from '../modalities.js';
import { assertDivisible } from '../processes/same.js';
import { combinationsOf, type Combined } from './combinations.js';
import { needsTeachers } from './needs-teachers.js';
import type { Sweep } from './read-sweep.js';
import { fileName, idOf, pieces } from './run-ids.js';
import { configOf, dependsOnCase, dependsOnModalities } from './run-settings.js';
import { slurmSchema, type SweepQueues } from './schema.js';
import { isOfMethod, isOfOthers } from './teacher-settings.js';

/** One run of a sweep. */
export interface PlannedRun {
  /** Its folder below the sweep's, with `/`: `seed-0/g2d`. */
  readonly id: string;
  /** Everything it depends on: later edits of the files change nothing. */
  readonly config: RunConfig;
  /** Ids of its teachers, which come before it. */
  readonly needs: readonly string[];
}

/** All runs of a sweep. */
export interface SweepPlan {
  readonly name: string;
  readonly out: string;
  /** In an order in which they can be trained. */
  readonly runs: readonly PlannedRun[];
  /** Whether several sweeps share the folder, as `planPool` has them: its manifest keeps what others have planned. Default: false. */
  readonly isShared?: boolean;
  /** How its runs are given to a queue, tried again, and by how many processes each is trained. */
  readonly queues?: SweepQueues;
  /** Of sweeps that are planned together and say differently how: which do. No queue gets their runs. */
  readonly disagreement?: string;
}

/** A run that is no teacher, and what the sweep has for it. */
export interface PlannedStudent {
  readonly run: PlannedRun;
  readonly combined: Combined;
  /** What the sweep calls it, if it is one of its references. */
  readonly reference?: string;
}

/** More is a mistake in a grid. */
const MOST = 10_000;

/**
 * All runs of a sweep. Nothing is written, and every configuration is checked: an error in run 217 comes before run 1 begins.
 *
 * Runs that share their teachers stand together: the teachers, the methods, the references.
 *
 * @throws {OptionError} If a configuration is wrong, two runs would share a folder, or there are more than 10,000.
 * @example
 * const plan = await planSweep(readSweep('examples/av-mnist-small/sweep.json'));
 * console.log(plan.runs.map(({ id }) => id));
 */
export async function planSweep(sweep: Sweep): Promise<SweepPlan> {
  const { name, out } = sweep;
  const plan = { name, out, runs: (await planRuns(sweep)).runs, queues: queuesOf(sweep) };
  return onProcesses(plan, sweep.processes);
}

/** How a sweep gives its runs to a queue. */
export const queuesOf = ({ retries, slurm, kubernetes, processes }: Sweep): SweepQueues => ({
  retries,
  slurm,
  kubernetes,
  processes,
});

/**
 * A plan whose runs are trained by so many processes each. Its runs stay what they are.
 *
 * @throws {OptionError} If a run cannot be shared by so many.
 */
export function onProcesses<P extends SweepPlan>(plan: P, processes: number): P {
  for (const { id, config } of plan.runs) assertDivisible(config, processes, `The run ${id}: `);
  const { queues = { retries: 0, slurm: slurmSchema.parse({}) } } = plan;
  return { ...plan, queues: { ...queues, processes } };
}

/** The runs of a sweep, and its students, in the order of the grid, with the references behind them. */
export async function planRuns(
  sweep: Sweep,
): Promise<{ readonly runs: readonly PlannedRun[]; readonly students: readonly PlannedStudent[] }> {
  const planned: PlannedRun[] = [];
  const students: PlannedStudent[] = [];
  const known = new Map<string, PlannedRun>();
  const combinations = combinationsOf(sweep, MOST);
  const order = new Map(combinations.map((combined, i) => [combined, i]));
  for (const group of groupsOf(combinations, sweep)) {
    const teachers = new Map<string, PlannedRun>();
    const found: PlannedStudent[] = [];
    const add = async (combined: Combined, reference?: Sweep['references'][number]): Promise<void> => {
      const own = reference ? { name: reference.name, ...reference.set } : {};
      const config = configOf(combined, own, sweep);
      const id = reference
        ? [...pieces(combined, sweep), reference.name].join('/')
        : idOf(combined, config, sweep);
      const student = await studentOf({ id, config, combined }, sweep, known);
      for (const teacher of student.teachers) teachers.set(teacher.id, teacher);
      found.push({ run: student.run, combined, ...(reference && { reference: reference.name }) });
    };
    for (const combined of group.combinations) await add(combined);
    for (const reference of sweep.references) await add(group.shared, reference);
    planned.push(...teachers.values(), ...found.map(({ run }) => run));
    students.push(...found);
  }
  // Groups have put them elsewhere.
  const place = ({ combined, reference }: PlannedStudent): number =>
    reference === undefined ? (order.get(combined) as number) : order.size;
  return { runs: distinct(planned), students: students.sort((a, b) => place(a) - place(b)) };
}

/** Combinations that can share their teachers. */
interface Group {
  /** What they have in common, and a teacher depends on. */
  readonly shared: Combined;
  readonly combinations: readonly Combined[];
}

function groupsOf(combinations: readonly Combined[], sweep: Sweep): Group[] {
  const groups = new Map<string, { shared: Combined; combinations: Combined[] }>();
  const isShared = (key: string, { case: name }: Combined): boolean =>
    key === 'case' ? dependsOnCase(name as string, sweep, (own) => !isOfMethod(own)) : !isOfMethod(key);
  for (const combined of combinations) {
    const shared = filtered(combined, (key) => isShared(key, combined));
    const key = JSON.stringify(shared);
    const group = groups.get(key) ?? { shared, combinations: [] };
    group.combinations.push(combined);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const filtered = (values: Combined, keep: (key: string) => boolean): Combined =>
  Object.fromEntries(Object.entries(values).filter(([key]) => keep(key)));

async function studentOf(
  { id, config, combined }: { readonly id: string; readonly config: RunConfig; readonly combined: Combined },
  sweep: Sweep,
  known: Map<string, PlannedRun>,
): Promise<{ readonly run: PlannedRun; readonly teachers: readonly PlannedRun[] }> {
  const kinds = await needsTeachers(config);
  if (sweep.teachers === 'ready' || kinds.size === 0) return { run: { id, config, needs: [] }, teachers: [] };
  const modalities = [
    ...(kinds.has('unimodal') ? (config.modalities ?? Object.keys(config.encoders)) : []),
    ...(kinds.has('full') ? [FULL_TEACHER] : []),
  ];
  const teachers = modalities.map((modality) => teacherOf(modality, { config, combined }, sweep, known));
  const folders = teachers.map((teacher, i) => [modalities[i], join(sweep.out, teacher.id)]);
  return {
    run: {
      id,
      config: { ...config, teachers: Object.fromEntries(folders) as Record<string, string> },
      needs: teachers.map((teacher) => teacher.id),
    },
    teachers,
  };
}

/** The teacher of a modality, or of all, of a student. */
function teacherOf(
  modality: string,
  { config, combined }: { readonly config: RunConfig; readonly combined: Combined },
  sweep: Sweep,
  known: Map<string, PlannedRun>,
): PlannedRun {
  const isFull = modality === FULL_TEACHER;
  const { set = {}, full = {} } = sweep.teachers === 'ready' ? {} : sweep.teachers;
  const { method } = config;
  // With settings of its own it is this method's alone, and has what overrides give it.
  const special = isFull ? ownValue(full, method) : undefined;
  const { missing } = config.data;
  const isMeant = (key: string): boolean => {
    if (isOfMethod(key)) return false;
    // One that has all modalities learns from complete data.
    if (isFull) return !key.startsWith('data.missing');
    if (key === 'modalities') return missing !== undefined || dependsOnModalities(sweep);
    return !isOfOthers(key, [modality]);
  };
  // Of one modality it has no others, unless it lacks what its student lacks.
  const countsInCase = (key: string): boolean =>
    isMeant(key) && (isFull || missing !== undefined || key !== 'modalities') && !Object.hasOwn(set, key);
  const values = filtered(combined, (key) =>
    key === 'case' ? dependsOnCase(combined['case'] as string, sweep, countsInCase) : isMeant(key),
  );
  const name = [`teacher-${modality}`, ...(special ? [fileName(method)] : [])].join('-');
  const masked = missing?.modalities ?? config.modalities ?? Object.keys(config.encoders);
  const place = JSON.stringify([name, values, !isFull && missing ? masked : null]);
  const found = known.get(place);
  if (found) return found;
  const own = {
    name,
    method: 'joint',
    methodOptions: {},
    ...(isFull ? { 'data.missing': undefined } : { modalities: [modality] }),
    // It lacks what its student lacks.
    ...(!isFull && missing && { 'data.missing.modalities': masked }),
    teachers: {},
    ...set,
    ...special,
  };
  const teacher = {
    id: [...pieces(values, sweep), name].join('/'),
    config: configOf({ ...values, ...(special && { method }) }, own, sweep, isMeant),
    needs: [],
  };
  known.set(place, teacher);
  return teacher;
}

/** Each run once. */
function distinct(runs: readonly PlannedRun[]): readonly PlannedRun[] {
  const known = new Map<string, PlannedRun>();
  for (const run of runs) {
    const same = known.get(run.id);
    if (same && same !== run && !isDeepStrictEqual(same, run)) {
      throw new OptionError(
        `Two runs of the sweep would share the folder ${run.id} with different settings: let the grid have the key in which they differ.`,
        { option: 'grid', value: run.id, accepted: 'a folder for each run' },
      );
    }
    known.set(run.id, same ?? run);
  }
  if (known.size <= MOST) return [...known.values()];
  throw new OptionError(`The sweep has ${known.size} runs; the most are ${MOST}.`, {
    option: 'grid',
    value: known.size,
    accepted: `at most ${MOST} runs`,
  });
}
