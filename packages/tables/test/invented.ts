import type { RunResult } from '../src/results/run-result.js';
import { packBits } from '../src/results/run-result.js';
import type { KnownResults } from '../src/results/known-results.js';
import type { TablePlan } from '../src/plan/plan-table.js';

/** What an invented run scores: by its method, seed and head, the same each time. */
export type ScoreOf = (run: {
  readonly id: string;
  readonly dataset: string;
  readonly method: string;
  readonly case?: string;
  readonly seed: number;
  readonly head: string;
}) => number;

export const VERSIONS = { g2d: '0.0.0', tfjs: '4.22.0', backend: 'tensorflow' };

/** Results of every run of a plan, with invented scores. */
export function invented({ pool, members, keys }: TablePlan, scoreOf: ScoreOf): Map<string, RunResult> {
  const found = new Map<string, RunResult>();
  const combinations = new Map(members.map(({ id, combination }) => [id, combination]));
  const datasets = new Map(
    members.flatMap(({ id, needs, combination }) => [id, ...needs].map((one) => [one, combination.dataset])),
  );
  for (const { id, config } of pool.runs) {
    const modalities = config.modalities ?? Object.keys(config.encoders);
    const isTeacher = !combinations.has(id);
    const heads = isTeacher ? modalities : ['fused', ...modalities];
    const { case: name } = combinations.get(id) ?? {};
    const scores = heads.map((head) => {
      const of = {
        id,
        dataset: datasets.get(id) as string,
        method: isTeacher ? 'teacher' : config.method,
        head,
      };
      const score = scoreOf({ ...of, seed: config.seed, ...(name !== undefined && { case: name }) });
      return [head, { accuracy: score, mape: score, rSquared: score / 100 }] as const;
    });
    // So many of a hundred are right, the first ones.
    const right = scores.map(([head, { accuracy }]) => [
      head,
      packBits(Array.from({ length: 100 }, (_, at) => at < accuracy)),
    ]);
    const { name: _, teachers: __, dataset, data, encoders, optimizer, fusion, methodOptions } = config;
    found.set(id, {
      key: keys.get(id) as string,
      kind: isTeacher ? 'teacher' : 'student',
      method: config.method,
      modalities: [...modalities],
      seed: config.seed,
      epochs: config.epochs,
      selectedEpoch: config.epochs,
      select: config.select,
      seconds: 30,
      scores: { test: Object.fromEntries(scores), validation: Object.fromEntries(scores) },
      split: 'the same',
      right: { count: 100, heads: Object.fromEntries(right) as Record<string, string> },
      versions: VERSIONS,
      machine: { platform: 'linux', arch: 'x64', cpus: 2, cpu: 'invented' },
      commit: '0123456789abcdef',
      settings: { dataset, data, encoders, optimizer, fusion, methodOptions },
    });
  }
  return found;
}

/** As if these results lay in their folders. */
export const asKnown = (results: ReadonlyMap<string, RunResult>): KnownResults => ({
  results,
  finished: new Set(results.keys()),
  status: [],
  refused: [],
  fromFile: 0,
});
