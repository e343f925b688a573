import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { OptionError } from '@g2d/core';
import { isFolder, isThere, readIfThere } from '@g2d/formats/node';
import type { RunConfig } from '../config-schema.js';
import { lockRun } from '../node/run-lock.js';
import { firstDifference, written } from '../differences.js';
import { findManifest, writeManifest, type SweepManifest } from './manifest.js';
import type { SweepPlan } from './plan.js';
import { asOfToday } from './pool.js';
import { runKey } from './run-key.js';
import { askQueue } from './slurm/queue.js';
import { hasBegun, isFinished } from './status.js';

/** The folder of a sweep, held by this process. */
interface OpenSweep {
  /** True if it has begun before, and is not complete. */
  readonly resumed: boolean;
  /** Gives the folder free for other processes. */
  release(): void;
}

/** How a sweep's folder is opened. */
export interface OpenSweepOptions {
  /**
   * What is there moves to `DIR.previous`, `DIR.previous-2` and so on, unless it is a sweep of the same settings and environment that is not complete. Default
   * false: the folder keeps what it has, and other settings of a run that has begun are an error.
   */
  readonly fresh?: boolean;
  /** A file that whoever runs the sweep writes at its end: without it the sweep is not complete. */
  readonly result?: string;
  /** Machine and versions. */
  readonly environment: unknown;
}

/**
 * Makes a sweep's folder ours, and writes its manifest.
 *
 * @throws {OptionError} If the folder holds anything else; nothing is touched then. If a run has begun with other settings.
 * @throws {G2DError} `G2D_RUN_IN_USE` if another process holds it.
 */
export function openSweep(
  plan: SweepPlan,
  { fresh = false, result, environment }: OpenSweepOptions,
): OpenSweep {
  const { out } = plan;
  // As it will be read again.
  const place = JSON.parse(JSON.stringify(environment ?? null)) as unknown;
  assertOurs(out, fresh);
  let release = lockRun(out);
  try {
    let before = findManifest(out);
    const isLegacy = !before && isOldGroup(out);
    const isComplete =
      plan.runs.every(({ id }) => isFinished(out, id)) && (!result || isThere(join(out, result)));
    const differs = before && (!isSame(before, plan) || !isDeepStrictEqual(before.environment, place));
    if (fresh && (isLegacy || (before && (isComplete || differs)))) {
      assertNotQueued(out);
      moveAside(out, release);
      release = lockRun(out);
      before = undefined;
    }
    if (before) assertSettings(before, plan);
    writeManifest(plan.isShared && before ? together(before, plan) : plan, before?.environment ?? place);
    return { resumed: before !== undefined && !isComplete, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** What has been planned in a folder that several sweeps share, the newly planned behind the earlier. */
function together(before: SweepManifest, plan: SweepPlan): SweepPlan {
  const planned = new Map(plan.runs.map((run) => [run.id, run]));
  const kept = before.runs.map((run) => planned.get(run.id) ?? run);
  const known = new Set(kept.map(({ id }) => id));
  return { ...plan, runs: [...kept, ...plan.runs.filter(({ id }) => !known.has(id))] };
}

/** A folder of `npm start` from before there were sweeps. */
function isOldGroup(path: string): boolean {
  const text = readIfThere(join(path, 'config.json'))?.toString('utf8') ?? '';
  try {
    return (JSON.parse(text) as { kind?: unknown } | null)?.kind === 'g2d-run-group';
  } catch {
    // Somebody else's.
    return false;
  }
}

function assertOurs(path: string, old: boolean): void {
  if (!isThere(path)) return;
  const names = isFolder(path)
    ? readdirSync(path).filter((name) => !/^\.(lock|manifest\.json\.)/.test(name))
    : undefined;
  if (names?.length === 0 || findManifest(path) || (old && isOldGroup(path))) return;
  const what = names
    ? `holds files that are not of an experiment (${names.slice(0, 3).join(', ')})`
    : 'is a file';
  throw new OptionError(`${path} ${what}, and is left alone. Give a folder of its own for the runs.`, {
    option: 'out',
    value: path,
    accepted: 'a new or empty folder, or one of an earlier sweep',
  });
}

const isSame = (before: SweepManifest, plan: SweepPlan): boolean => {
  const { runs } = plan.isShared ? together(before, plan) : plan;
  return before.name === plan.name && isDeepStrictEqual(before.runs, JSON.parse(JSON.stringify(runs)));
};

/** The folder and its lock change their name together, so that nobody can begin in it meanwhile. */
function moveAside(path: string, release: () => void): void {
  const first = `${resolve(path)}.previous`;
  let previous = first;
  for (let count = 2; isThere(previous); count++) previous = `${first}-${count}`;
  renameSync(path, previous);
  release();
  rmSync(join(previous, '.lock'), { force: true });
}

/** Jobs that wait know the folder by its name. */
function assertNotQueued(path: string): void {
  const { runs, jobs, problem } = askQueue(path);
  const unknown = problem === undefined ? 0 : [...jobs.keys()].filter((id) => !isFinished(path, id)).length;
  if (runs.size + unknown === 0) return;
  throw new OptionError(
    unknown > 0
      ? `${unknown} runs of the sweep in ${path} may still be in the queue, and would go on in a folder that has moved (${problem}): g2d sweep cancel ${path}, where Slurm is, takes them out.`
      : `${runs.size} runs of the sweep in ${path} are in the queue, and would go on in a folder that has moved: g2d sweep cancel ${path} takes them out.`,
    { option: 'fresh', value: true, accepted: 'a sweep that no queue has' },
  );
}

/** A run that has begun keeps its settings; where several sweeps share the folder, also one that is planned: another may wait for it. */
function assertSettings({ runs }: SweepManifest, plan: SweepPlan): void {
  const known = new Map(runs.map((run) => [run.id, run]));
  for (const { id, config } of plan.runs) {
    const before = known.get(id);
    if (!before) continue;
    const began = hasBegun(plan.out, id);
    if (!began && !plan.isShared) continue;
    // Options of methods that it lacks may be others.
    if (plan.isShared && runKey(asOfToday(before).config) === runKey(config)) continue;
    const other = firstDifference(before.config, withPlannedMasks(config, before.config));
    if (!other) continue;
    throw new OptionError(
      `The run ${id} in ${plan.out} ${began ? 'began' : 'was planned meanwhile'} with "${other.key}" ${written(other.begun)}, and the sweep now has ${written(other.now)}. ${began ? 'Give another folder with --out, or begin anew with --fresh.' : 'Give the same command again.'}`,
      { option: other.key, value: other.now, accepted: written(other.begun) },
    );
  }
}

/** What the plan of an earlier version says nothing of, its runs have recorded and keep: over which modalities their masks are, and that their seed is the run's. */
function withPlannedMasks(config: RunConfig, before: RunConfig): RunConfig {
  const [now, then] = [config.data.missing, before.data.missing];
  if (!now || !then) return config;
  const { modalities, seed, ...rest } = now;
  const missing = {
    ...rest,
    seed: seed ?? (then.seed === config.seed ? then.seed : undefined),
    modalities: then.modalities && modalities,
  } as typeof now;
  return { ...config, data: { ...config.data, missing } };
}
