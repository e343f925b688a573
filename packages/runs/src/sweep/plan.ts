import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { OptionError, ownValue } from '@g2d/core';
import type { RunConfig } from '../config-schema.js';
import { parseConfig } from '../read-config.js';
import { FULL_TEACHER } from '../modalities.js';
import { needsTeachers } from './needs-teachers.js';
import type { Sweep, SweepBase } from './read-sweep.js';
import type { SweepQueues } from './schema.js';

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
  /** How its runs are given to a queue, and tried again. */
  readonly queues?: SweepQueues;
}

type Settings = Readonly<Record<string, unknown>>;

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
  const runs: PlannedRun[] = [];
  for (const group of groupsOf(sweep)) {
    const teachers = new Map<string, PlannedRun>();
    const students: PlannedRun[] = [];
    const add = async (id: string, combination: Settings, own: Settings): Promise<void> => {
      const run = await studentOf({ id, combination, own }, sweep);
      for (const teacher of run.teachers) teachers.set(teacher.id, teacher);
      students.push(run.student);
    };
    for (const combination of group.combinations) {
      await add(idOf(combination, sweep), combination, {});
    }
    for (const { name: reference, set } of sweep.references) {
      const { shared } = group;
      await add([...pieces(shared, sweep), reference].join('/'), shared, { name: reference, ...set });
    }
    runs.push(...teachers.values(), ...students);
  }
  const { retries, slurm, kubernetes } = sweep;
  return { name, out, runs: distinct(runs), queues: { retries, slurm, kubernetes } };
}

/** Combinations that can share their teachers. */
interface Group {
  /** What they have in common, and a teacher depends on. */
  readonly shared: Settings;
  readonly combinations: readonly Settings[];
}

function groupsOf({ grid, exclude }: Sweep): Group[] {
  const count = Object.values(grid).reduce((product, values) => product * values.length, 1);
  if (count > MOST) {
    throw new OptionError(`The grid has ${count} combinations; a sweep has at most ${MOST} runs.`, {
      option: 'grid',
      value: count,
      accepted: `at most ${MOST} combinations`,
    });
  }
  const combinations = Object.entries(grid).reduce<Settings[]>(
    (all, [key, values]) => all.flatMap((rest) => values.map((value) => ({ ...rest, [key]: value }))),
    [{}],
  );
  const groups = new Map<string, { shared: Settings; combinations: Settings[] }>();
  for (const combination of combinations) {
    if (exclude.some((left) => fits(combination, left))) continue;
    const shared = filtered(combination, (key) => !isOfMethod(key));
    const key = JSON.stringify(shared);
    const group = groups.get(key) ?? { shared, combinations: [] };
    group.combinations.push(combination);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Settings of how modalities are trained together: a teacher does not depend on them. */
const OF_METHOD = ['method', 'methodOptions', 'fusion', 'teacherOutputs', 'teacherPrecision', 'teachers'];

const isOfMethod = (key: string): boolean => OF_METHOD.includes(key.split('.')[0] as string);

/** Whether a key is of another modality than this one: `encoders.audio.type`, `optimizer.learningRates.head/audio`. */
const isOfOther = (key: string, modality: string): boolean => {
  const [, of] = /^(?:encoders|data\.augment|optimizer\.learningRates)\.(?:head\/)?([^.]+)/.exec(key) ?? [];
  // The fusion is every run's.
  return of !== undefined && of !== modality && of !== 'fusion';
};

/** Whether a teacher depends on which modalities its students have: only where the sweep gives them settings of their own. */
const dependsOnModalities = ({ overrides }: Sweep): boolean =>
  overrides.some(({ when, set }) => 'modalities' in when && Object.keys(set).some((key) => !isOfMethod(key)));

const fits = (combination: Settings, wanted: Settings): boolean =>
  Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(ownValue(combination, key), value));

const filtered = (values: Settings, keep: (key: string) => boolean): Settings =>
  Object.fromEntries(Object.entries(values).filter(([key]) => keep(key)));

/** The configuration of a run. */
function configOf(combination: Settings, own: Settings, { bases, set, overrides }: Sweep): RunConfig {
  const { dataset, ...values } = combination;
  const base = bases.find(({ value }) => value === dataset) as SweepBase;
  const changes = overrides.filter(({ when }) => fits(combination, when)).map((override) => override.set);
  return parseConfig(base.config, {
    where: base.path,
    changes: Object.assign({}, set, values, ...changes, own) as Settings,
  });
}

async function studentOf(
  { id, combination, own }: { readonly id: string; readonly combination: Settings; readonly own: Settings },
  sweep: Sweep,
): Promise<{ readonly student: PlannedRun; readonly teachers: readonly PlannedRun[] }> {
  const config = configOf(combination, own, sweep);
  const { teachers: kind, out } = sweep;
  const kinds = await needsTeachers(config);
  if (kind === 'ready' || kinds.size === 0) {
    return { student: { id, config, needs: [] }, teachers: [] };
  }
  const modalities = [
    ...(kinds.has('unimodal') ? (config.modalities ?? Object.keys(config.encoders)) : []),
    ...(kinds.has('full') ? [FULL_TEACHER] : []),
  ];
  const teachers = modalities.map((modality): PlannedRun => {
    const isFull = modality === FULL_TEACHER;
    const isOfTeacher = (key: string): boolean =>
      !isOfOther(key, modality) && (key !== 'modalities' || dependsOnModalities(sweep));
    const values = filtered(
      combination,
      // One that has all modalities learns from complete data.
      (key) => !isOfMethod(key) && (isFull ? !key.startsWith('data.missing') : isOfTeacher(key)),
    );
    const name = `teacher-${modality}`;
    const teacher = {
      name,
      method: 'joint',
      methodOptions: {},
      ...(isFull ? config.data.missing && { 'data.missing': { rate: 0 } } : { modalities: [modality] }),
      teachers: {},
      ...kind.set,
    };
    return {
      id: [...pieces(values, sweep), name].join('/'),
      config: configOf(values, teacher, sweep),
      needs: [],
    };
  });
  const folders = teachers.map((teacher, i) => [modalities[i], join(out, teacher.id)]);
  return {
    student: {
      id,
      config: { ...config, teachers: Object.fromEntries(folders) as Record<string, string> },
      needs: teachers.map((teacher) => teacher.id),
    },
    teachers,
  };
}

/** The folders that a run lies in: one for each key of the grid but its method. */
function pieces(combination: Settings, { grid, bases }: Sweep): string[] {
  const keys = Object.keys(grid).filter((key) => key !== 'method');
  const last = (key: string): string => key.split('.').at(-1) as string;
  return keys
    .filter((key) => Object.hasOwn(combination, key))
    .map((key) => {
      if (key === 'dataset') return bases.find(({ value }) => value === combination[key])?.name as string;
      const isClear = keys.filter((other) => last(other) === last(key)).length === 1;
      return `${isClear ? last(key) : key}-${fileName(combination[key])}`;
    });
}

function idOf(combination: Settings, sweep: Sweep): string {
  const { method } = 'method' in combination ? combination : configOf(combination, {}, sweep);
  return [...pieces(combination, sweep), fileName(method)].join('/');
}

/** A value as a part of a file name, names joined by `+`; what makes none is told apart by a hash. */
function fileName(value: unknown): string {
  const isNames = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
  const text = isNames ? value.join('+') : typeof value === 'string' ? value : JSON.stringify(value);
  if (/^[\w+-][\w.+-]{0,60}$/.test(text)) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const stem =
    typeof value === 'string'
      ? basename(value)
          .replaceAll(/[^\w+-]+/g, '-')
          .slice(0, 40)
      : '';
  return [stem, hash].filter(Boolean).join('-');
}

/** Each run once. */
function distinct(runs: readonly PlannedRun[]): PlannedRun[] {
  const known = new Map<string, PlannedRun>();
  for (const run of runs) {
    const same = known.get(run.id);
    if (same && !isDeepStrictEqual(same, run)) {
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
