// Which setting of each method is trained with every seed: the best on the validation split, of one seed.
import { join } from 'node:path';
import { writeFileAtomic } from '@g2d/formats/node';
import { formatTable } from '@g2d/cli/internal';
import { formatNumber, G2DError } from '@g2d/core';
import { RunFolder, type PlannedRun } from '@g2d/runs';
import {
  runsOf,
  settingsOf,
  settingWords,
  TUNING_SEED,
  type LeaderboardOptions,
  type Setting,
} from './plan.js';

/** A setting that is tried, with its run and those that this needs. */
export interface Candidate {
  readonly setting: Setting;
  readonly id: string;
  readonly runs: readonly PlannedRun[];
}

/** What was tried of a method, and taken. */
export interface Choice {
  readonly method: string;
  readonly setting: Setting;
  /** In the order in which they were tried; `validation`: accuracy of the fused answer in percent, `null` where the run failed. */
  readonly tried: readonly {
    readonly setting: Setting;
    readonly id: string;
    readonly validation: number | null;
  }[];
}

/** All that is tried, by method. */
export async function candidatesOf(
  options: LeaderboardOptions,
): Promise<ReadonlyMap<string, readonly Candidate[]>> {
  const entries = options.names.map(async (name) => {
    const candidates = settingsOf(name, options.epochs).map(async (setting): Promise<Candidate> => {
      const runs = await runsOf(name, { seeds: [TUNING_SEED], setting }, options);
      return { setting, id: (runs.at(-1) as PlannedRun).id, runs };
    });
    return [name, await Promise.all(candidates)] as const;
  });
  return new Map(await Promise.all(entries));
}

/**
 * The best setting of each method on the validation split; of equal ones the first. Nothing else of a run is looked at.
 *
 * @returns Without the methods of which no run is finished.
 */
export function choose(
  candidates: ReadonlyMap<string, readonly Candidate[]>,
  out: string,
): readonly Choice[] {
  return [...candidates].flatMap(([method, all]): Choice[] => {
    const tried = all.map(({ setting, id }) => ({ setting, id, validation: validationOf(join(out, id)) }));
    const scores = tried.flatMap(({ validation }) => validation ?? []);
    const best = tried.find(({ validation }) => validation === Math.max(...scores));
    return best ? [{ method, setting: best.setting, tried }] : [];
  });
}

function validationOf(folder: string): number | null {
  try {
    const score = new RunFolder(folder).summary()?.validation?.['fused'];
    return Number.isFinite(score) ? (score as number) : null;
  } catch (error) {
    if (!G2DError.isInstance(error)) throw error;
    return null;
  }
}

const FILE = 'tuning.json';

/** @returns Its path. */
export function writeTuning(choices: readonly Choice[], out: string): string {
  const path = join(out, FILE);
  writeFileAtomic(path, `${JSON.stringify({ seed: TUNING_SEED, split: 'validation', choices }, null, 2)}\n`);
  return path;
}

/** For a terminal: a line for each method. */
export function formatTuning(choices: readonly Choice[]): string {
  const score = ({ validation }: Choice['tried'][number]): string =>
    validation === null ? 'failed' : formatNumber(validation);
  const lines = choices.map(({ method, setting, tried }) => {
    const [taken, others] = [true, false].map((is) =>
      tried.filter((one) => (one.setting === setting) === is),
    );
    return [
      method,
      settingWords(setting),
      (taken ?? []).map(score).join(),
      (others ?? []).map((one) => `${settingWords(one.setting)}: ${score(one)}`).join('; '),
    ];
  });
  return formatTable(
    [['method', 'taken', 'validation, %', 'also tried'], ...lines],
    [false, false, true, false],
  );
}
