import type { PoolMember } from '@g2d/runs';
import type { Answers, Arm } from '../statistics/arm.js';
import { unpackBits, type RunResult } from '../results/run-result.js';
import type { Catalogue, Entry } from './catalogue.js';
import { scoreKey, type Score } from './score.js';

/** The scores of some runs, and why some are not there. */
export interface Gathered extends Arm {
  /** Whose scores these are: of every seed, one or, with folds, several. */
  readonly results: readonly RunResult[];
  /** Seeds that are planned and have no score. */
  readonly without: readonly number[];
  /** Ids of runs that are planned, whether or not they have a score. */
  readonly ids: readonly string[];
}

/** Metrics as runs call them. */
const METRICS = {
  accuracy: 'accuracy',
  mape: 'mape',
  'r-squared': 'rSquared',
  memory: '',
  time: '',
} as const;

/** Takes scores of runs by what a table's cells ask for; each is made once. */
export class Scores {
  readonly #made = new Map<string, Gathered>();

  /** @param results By the ids of the plan; runs that have none are not there. */
  constructor(
    readonly runs: Catalogue,
    readonly results: ReadonlyMap<string, RunResult>,
  ) {}

  /** @returns Without scores where nothing of it has been run, or nothing is planned. */
  of(score: Score): Gathered {
    const key = scoreKey(score);
    const known = this.#made.get(key);
    if (known) return known;
    const made = this.#gather(score);
    this.#made.set(key, made);
    return made;
  }

  #gather(score: Score): Gathered {
    const label = labelOf(score);
    const places = this.#places(score);
    const scores = new Map<number, number>();
    const answers = new Map<number, Answers>();
    const used: RunResult[] = [];
    const without: number[] = [];
    for (const [seed, ids] of places) {
      const found = ids.flatMap((id) => this.results.get(id) ?? []);
      const values = found.flatMap((result) => valueOf(result, score) ?? []);
      // A mean over some of the folds is another number than one over all.
      if (values.length < ids.length || values.length === 0) {
        without.push(seed);
        continue;
      }
      scores.set(seed, values.reduce((sum, value) => sum + value, 0) / values.length);
      used.push(...found);
      const [only, ...others] = found;
      const own = only && others.length === 0 ? answersOf(only, headOf(only, score)) : undefined;
      if (own) answers.set(seed, own);
    }
    return { label, scores, answers, results: used, without, ids: [...places.values()].flat() };
  }

  /** Ids by seed. */
  #places({ dataset, method, case: name, head }: Score): ReadonlyMap<number, readonly string[]> {
    if (method === 'teacher')
      return new Map(this.runs.teachers(dataset, head).map(({ seed, id }) => [seed, [id]]));
    return bySeed(this.runs.find(dataset, method, name));
  }
}

function bySeed(entry: Entry | undefined): ReadonlyMap<number, readonly string[]> {
  const ids = new Map<number, string[]>();
  const add = ({ id, combination: { seed } }: PoolMember): void => {
    ids.set(seed, [...(ids.get(seed) ?? []), id]);
  };
  entry?.members.forEach(add);
  return ids;
}

/** A teacher of one modality may say its answer under `fused` alone. */
const headOf = ({ kind, scores: { test } }: RunResult, { head }: Score): string =>
  kind === 'teacher' && test[head] === undefined ? 'fused' : head;

function valueOf(result: RunResult, score: Score): number | undefined {
  const value = result.scores.test[headOf(result, score)]?.[METRICS[score.metric]];
  return Number.isFinite(value) ? value : undefined;
}

function answersOf({ split, right }: RunResult, head: string): Answers | undefined {
  const bits = right?.heads[head];
  if (split === undefined || right === undefined || bits === undefined) return undefined;
  const answers = unpackBits(bits, right.count);
  return answers && { split, right: answers };
}

/**
 * What is said of a score in a sentence.
 *
 * @param hidden A case that goes without saying.
 */
export function labelOf({ method, case: name, head }: Score, hidden?: string): string {
  const of = [method, name !== undefined && name !== hidden && `(${name})`].filter(Boolean).join(' ');
  return head === 'fused' ? of : `${of}, ${head}`;
}
