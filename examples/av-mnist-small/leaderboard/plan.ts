// The runs of the leaderboard: for each method a grid of at most four settings, each run in a folder that its settings name.
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import { OptionError, ownValue, type AnyMethod, type StackDefinition } from '@g2d/core';
import { cpmNet, cra, linearProbe, methods, misMe, mmin, tate, ume } from '@g2d/methods';
import { planSweep, readSweep, type PlannedRun, type SweepPlan } from '@g2d/runs';
import { teachersWithEpochs, withEpochs } from '../sweeps.js';
import { strengths } from './strengths.js';

/**
 * The methods that take part: systems for missing modalities, which would have nothing to impute here, and for a regression have comparisons of
 * their own (`examples/multiple-features`).
 */
export const entrants = methods.filter(
  ({ name }) => ![cra, mmin, cpmNet, tate, misMe].some((system) => system.name === name),
);

/** None of those that are reported, so that a setting that happens to suit a seed wins nothing there. */
export const TUNING_SEED = 1000;

/** Learning rates; the example's own comes first, for of equal settings the first is taken. */
const RATES = { withStrength: [0.05, 0.02], alone: [0.05, 0.02, 0.1, 0.01] } as const;

const RATE = 'optimizer.learningRate';

/** What the leaderboard is of. */
export interface LeaderboardOptions {
  /** Names of methods, in the order of the table. */
  readonly names: readonly string[];
  readonly epochs: number;
  readonly out: string;
}

/** Keys of a configuration with dots, and their values: what is tuned. */
export type Setting = Readonly<Record<string, unknown>>;

/** The settings that are tried, by method: learning rates by strengths, or twice as many learning rates. */
export function settingsOf(name: string, epochs: number): readonly Setting[] {
  const { option, values = [] } = ownValue(strengths(epochs), name) ?? {};
  if (option === undefined) return RATES.alone.map((rate) => ({ [RATE]: rate }));
  // A few epochs may leave no difference between two.
  const distinct = values.filter(
    (value, i) => !values.slice(0, i).some((other) => isDeepStrictEqual(other, value)),
  );
  return distinct.flatMap((value) =>
    RATES.withStrength.map((rate) => ({ [RATE]: rate, [`methodOptions.${option}`]: value })),
  );
}

/** A setting in words: `learningRate 0.05, alpha 0.8`. */
export const settingWords = (setting: Setting): string =>
  Object.entries(setting)
    .map(([key, value]) => `${key.split('.').at(-1)} ${valueWords(value)}`)
    .join(', ');

function valueWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueWords).join(' + ');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, inner]) => `${key} ${valueWords(inner)}`)
    .join(' and ');
}

/** @throws {OptionError} If there is no such method. */
export function definitionOf(name: string): AnyMethod | StackDefinition {
  const found = entrants.find((method) => method.name === name);
  if (found) return found;
  const accepted = entrants.map((method) => method.name).join(', ');
  throw new OptionError(`--methods has "${name}"; it can have ${accepted}.`, {
    option: 'methods',
    value: name,
    accepted,
  });
}

/** The definitions that a name stands for. */
export const partsOf = (name: string): readonly AnyMethod[] => {
  const definition = definitionOf(name);
  return definition.kind === 'stack' ? definition.methods : [definition];
};

/** The runs of one method with one setting, one for each seed, and before them the teachers that they need. */
export async function runsOf(
  name: string,
  { seeds, setting }: { readonly seeds: readonly number[]; readonly setting: Setting },
  options: LeaderboardOptions,
): Promise<readonly PlannedRun[]> {
  if (name !== linearProbe.name) return planOne(name, { seeds, setting }, options);
  // Its encoders are the teachers', which no sweep knows of: they are those of UME at the same learning rate.
  const [probes, others] = (await Promise.all(
    [name, ume.name].map((method) => planOne(method, { seeds, setting }, options)),
  )) as [readonly PlannedRun[], readonly PlannedRun[]];
  const needing = others.filter(({ needs }) => needs.length > 0);
  return [
    ...others.filter(({ needs }) => needs.length === 0),
    ...probes.map(({ id, config }, i): PlannedRun => {
      const {
        needs,
        config: { teachers = {} },
      } = needing[i] as PlannedRun;
      const encoders = Object.entries(config.encoders).map(([modality, encoder]) => [
        modality,
        { ...encoder, weights: teachers[modality] as string },
      ]);
      return {
        id,
        config: { ...config, encoders: Object.fromEntries(encoders) as typeof config.encoders },
        needs,
      };
    }),
  ];
}

async function planOne(
  method: string,
  { seeds, setting }: { readonly seeds: readonly number[]; readonly setting: Setting },
  { epochs, out }: LeaderboardOptions,
): Promise<readonly PlannedRun[]> {
  const sweep = readSweep(join(import.meta.dirname, '../compare.json'), {
    name: 'leaderboard',
    references: [],
  });
  const { set = {} } = ownValue(strengths(epochs), method) ?? {};
  const everyEpoch = partsOf(method).some(({ needs }) => needs?.validation === 'every-epoch');
  const { runs } = await planSweep({
    ...sweep,
    out,
    grid: {
      seed: [...seeds],
      ...Object.fromEntries(Object.entries(setting).map(([key, value]) => [key, [value]])),
      method: [method],
    },
    // The options of other methods would be in every configuration.
    set: { methodOptions: {}, teachers: {}, ...withEpochs(epochs) },
    overrides: [{ when: { method }, set: { ...(everyEpoch && { 'evaluation.every': 1 }), ...set } }],
    teachers: {
      set: { ...(sweep.teachers !== 'ready' && sweep.teachers.set), ...teachersWithEpochs(epochs) },
    },
  });
  return runs;
}

/** One plan of several, each run once. */
export function together(parts: readonly (readonly PlannedRun[])[], out: string): SweepPlan {
  const runs = new Map(parts.flat().map((run) => [run.id, run]));
  return { name: 'leaderboard', out, runs: [...runs.values()] };
}
