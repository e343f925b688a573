import { OWN_SEED } from './compare/own-seeds.js';
import { ownValue } from '@g2d/core';
import { createHash } from 'node:crypto';
import {
  checksumWords,
  splitDifferences,
  type RunIdentity,
  type SplitFingerprint,
} from '@g2d/core/run-folder';
import type { StartedRun } from './run.js';

/** In what the data of two runs differ, both sides in words. */
export interface DataDifference {
  readonly what: string;
  readonly first: string;
  readonly other: string;
}

/**
 * In what the test splits of two runs differ, as far as their folders tell: by the samples that were predicted, and by what was recorded
 * when they began. Nothing, where one of them says neither.
 */
export function testDifference(first: StartedRun, other: StartedRun): DataDifference | undefined {
  if (drawsOwnSplits(first, other)) return undefined;
  const [one, two] = [testOf(first), testOf(other)];
  return one && two && firstOf(one, two);
}

/** In what two runs of the same settings differ beside them: training data, and the user's modules. */
export function trainingDifference(first: StartedRun, other: StartedRun): DataDifference | undefined {
  const [one, two] = [first.config.identity, other.config.identity];
  if (!one || !two) return undefined;
  return (
    (drawsOwnSplits(first, other) ? undefined : firstOf(one.data.train, two.data.train)) ??
    moduleDifference(one, two)
  );
}

/** Runs whose data are divided by a seed that is their own have other splits with every seed: they are meant so. */
export const drawsOwnSplits = (...runs: readonly StartedRun[]): boolean =>
  runs.every(({ config: { dataset, seed } }) => [seed, OWN_SEED].includes(dataset?.['seed'] as number)) &&
  new Set(runs.map(({ config }) => config.seed)).size > 1;

function firstOf(one: SplitFingerprint, two: SplitFingerprint): DataDifference | undefined {
  const [found] = splitDifferences(one, two);
  return found && { what: found.what, first: found.before, other: found.now };
}

function moduleDifference({ modules = {} }: RunIdentity, other: RunIdentity): DataDifference | undefined {
  for (const [path, sha256] of Object.entries(modules)) {
    const now = ownValue(other.modules, path);
    if (now === undefined || now === sha256) continue;
    return { what: `content of ${path}`, first: checksumWords(sha256), other: checksumWords(now) };
  }
  return undefined;
}

/** The test split by the run's predictions, whose contents only the record knows; by the record alone where there are none. */
function testOf({ predictions, config: { identity } }: StartedRun): SplitFingerprint | undefined {
  const recorded = identity?.data.test;
  if (!predictions) return recorded;
  const { ids, labels, classNames } = predictions;
  return {
    size: ids.length,
    classNames,
    ids: sha256(ids),
    firstIds: ids.slice(0, 3),
    labels: { count: labels.length, sha256: sha256(labels) },
    contents: recorded?.contents ?? {},
  };
}

/** As a fingerprint has it. */
const sha256 = (list: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(list)).digest('hex');
