import { trainingDifference } from '../same-data.js';
import { nameWithoutSeed, runLabel } from '../methods.js';
import type { Run, RunConfig, StartedRun } from '../run.js';
import { dataOptions, flatSettings } from '../run-settings.js';

/** Runs that differ by nothing but their seed. */
export interface RunSeeds {
  readonly label: string;
  /** One per seed, in the order of the seeds. */
  readonly runs: readonly [Run, ...Run[]];
  /** Runs left out because a run with the same settings and seed is there already. */
  readonly repeated: readonly Run[];
  /** The first run of the same settings, whose training data or modules were others. */
  readonly otherwise?: Run;
}

/**
 * What says nothing about how a run was trained, or is compared apart: its name, its seed, by what it was written, where its files were,
 * and what it was made of beside its settings.
 */
const IGNORED = [
  'name',
  'seed',
  'version',
  'components',
  'identity',
  'changes',
  'allowChanged',
  'environment',
  'backend',
  'device',
  'versions',
  'teachers',
];

/**
 * The settings that make a row: all of the configuration but name, seed, environment and paths. What the teachers of a
 * student were trained with counts, where they stand shows nothing.
 */
export function rowSettings(run: StartedRun): Map<string, string> {
  const teachers = Object.entries(run.teachers ?? {}).map(([modality, { config }]) => [
    `teacher ${modality}`,
    bare(config),
  ]);
  return flatSettings({ ...bare(run.config), ...Object.fromEntries(teachers) });
}

function bare(config: RunConfig): Record<string, unknown> {
  const kept = Object.entries(config).filter(([key]) => !IGNORED.includes(key));
  return { ...Object.fromEntries(kept), dataset: dataOptions(config), ...initialWeights(config) };
}

/** Weights that encoders begin with, of the run of the same seed: its folder says the seed once more. */
function initialWeights({ encoders, seed }: RunConfig): { readonly encoders?: unknown } {
  if (encoders === undefined) return {};
  const own = new RegExp(`(?<![a-z])seed[-_=. ]?${seed}(?!\\d)`, 'gi');
  return JSON.parse(
    JSON.stringify({ encoders }, (key, value: unknown) =>
      (key === 'weights' || key === 'path') && typeof value === 'string' ? value.replace(own, 'seed') : value,
    ),
  ) as { readonly encoders: unknown };
}

const settingsKey = (run: StartedRun): string => JSON.stringify([...rowSettings(run)]);

/** Whether a run that is not finished would be another seed of these. */
export function isSeedOf(run: StartedRun, { runs }: RunSeeds): boolean {
  const namesOf = ({ config }: StartedRun): string[] => [config.name, nameWithoutSeed(config)];
  const own = namesOf(run);
  return (
    settingsKey(run) === settingsKey(runs[0]) &&
    runs.every(({ config }) => config.seed !== run.config.seed) &&
    runs.some((other) => namesOf(other).some((name) => own.includes(name)))
  );
}

/**
 * Groups runs by everything but the seed, and gives every group a label that no other has. Runs of the same settings whose training
 * data or modules differ, as far as their folders tell, are not one group.
 */
export function groupBySeed(runs: readonly Run[]): RunSeeds[] {
  const bySettings = new Map<string, Run[]>();
  for (const run of runs) {
    const key = settingsKey(run);
    bySettings.set(key, [...(bySettings.get(key) ?? []), run]);
  }
  const groups = [...bySettings.values()].flatMap(splitByName).flatMap(splitByContent).map(onePerSeed);
  return withLabels(groups);
}

// Two names are the same method's if they are equal, or equal without the seed in them. A method called `tau-1` may have
// lost its number in the run of seed 1, but it shares its full name with the others.
function splitByName(runs: readonly Run[]): Run[][] {
  const groups: { names: Set<string>; runs: Run[] }[] = [];
  for (const run of runs) {
    const names = [run.config.name, nameWithoutSeed(run.config)];
    const [first, ...others] = groups.filter((group) => names.some((name) => group.names.has(name)));
    const target = first ?? { names: new Set<string>(), runs: [] };
    if (!first) groups.push(target);
    for (const other of others) {
      other.names.forEach((name) => target.names.add(name));
      target.runs.push(...other.runs);
      groups.splice(groups.indexOf(other), 1);
    }
    names.forEach((name) => target.names.add(name));
    target.runs.push(run);
  }
  return groups.map((group) => group.runs);
}

/** Runs of earlier versions do not say what they were trained on: they stay with the first. */
function splitByContent(runs: readonly Run[]): Content[] {
  const groups: Run[][] = [];
  for (const run of runs) {
    const same = groups.find((group) => group.every((other) => !trainingDifference(other, run)));
    if (same) same.push(run);
    else groups.push([run]);
  }
  return groups.map((group, at) => ({
    runs: group,
    ...(at > 0 && { otherwise: groups[0]?.[0] as Run }),
  }));
}

type Content = Pick<RunSeeds, 'otherwise'> & { readonly runs: readonly Run[] };

function onePerSeed({ runs, ...rest }: Content): Omit<RunSeeds, 'label'> {
  const bySeed = new Map<number, Run>();
  const repeated: Run[] = [];
  for (const run of runs) {
    if (bySeed.has(run.config.seed)) repeated.push(run);
    else bySeed.set(run.config.seed, run);
  }
  const sorted = [...bySeed.values()].sort((a, b) => a.config.seed - b.config.seed);
  return { ...rest, runs: sorted as [Run, ...Run[]], repeated };
}

function withLabels(groups: readonly Omit<RunSeeds, 'label'>[]): RunSeeds[] {
  const labels = groups.map(({ runs }) => commonLabel(runs));
  const named = groups.map((group, index) => {
    const label = labels[index] ?? '';
    const namesakes = groups.filter((_, other) => labels[other] === label);
    if (namesakes.length === 1) return { ...group, label };
    const difference = whatDiffers(
      group.runs[0],
      namesakes.map(({ runs }) => runs[0]),
    );
    return { ...group, label: difference === '' ? label : `${label} (${difference})` };
  });
  // Names that differ in nothing a setting could say.
  return named.map((group, index) => {
    const earlier = named.slice(0, index).filter(({ label }) => label === group.label).length;
    return earlier === 0 ? group : { ...group, label: `${group.label} #${earlier + 1}` };
  });
}

// All runs of a group have one name, or names without their seeds that are the same.
function commonLabel(runs: readonly [Run, ...Run[]]): string {
  const names = new Set(runs.map(({ config }) => config.name));
  const [first] = runs;
  if (names.size === 1) return runLabel({ ...first.config, seed: Number.NaN });
  return runLabel(first.config);
}

/** The settings of one run that not all of its namesakes share: `scope encoder, alpha 2`. */
function whatDiffers(run: Run, namesakes: readonly Run[]): string {
  const all = namesakes.map(rowSettings);
  const own = rowSettings(run);
  const differing = [...own.keys()].filter((key) =>
    all.some((settings) => settings.get(key) !== own.get(key)),
  );
  // A teacher that was trained as its student says nothing more.
  const keys = differing.filter((key) => {
    const ofStudent = key.replace(/^teacher [^.]+\./, '');
    return ofStudent === key || !differing.includes(ofStudent) || own.get(ofStudent) !== own.get(key);
  });
  const lastPart = (key: string, parts: number): string => key.split('.').slice(-parts).join(' ');
  const short = keys.map((key) => lastPart(key, 1));
  const isUnique = (name: string): boolean => short.filter((other) => other === name).length === 1;
  return keys
    .map((key, index) => {
      const name = short[index] ?? key;
      return `${isUnique(name) ? name : lastPart(key, 2)} ${own.get(key) ?? ''}`;
    })
    .join(', ');
}
