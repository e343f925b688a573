import type { StartedRun, Task } from '../run.js';
import { FUSED, headsOf, type Head } from './heads.js';

/** What most sections of a page need to know: which runs, and the modalities in the order of their colours. */
export interface Shown {
  readonly runs: readonly StartedRun[];
  readonly modalities: readonly string[];
}

/** The head that stands for a run: a teacher's only one, else the fused one. */
export function mainHead({ config, metrics, summary }: StartedRun): Head {
  const own = headsOf(config.modalities)[1];
  if (config.kind !== 'teacher' || !own) return FUSED;
  const has = (key: string): boolean =>
    summary?.test[key] !== undefined || metrics.some(({ train }) => train[key] !== undefined);
  return !has(own.key) && has('fused') ? FUSED : own;
}

/** What is predicted. A run that has not ended is known by what it measures. */
export function taskOf(run: StartedRun): Task {
  if (run.summary?.task !== undefined) return run.summary.task;
  if (run.predictions?.classNames.length === 0) return 'regression';
  const known = run.metrics.findLast(({ metrics }) => metrics !== undefined)?.metrics ?? {};
  const measures = (metric: string): boolean =>
    Object.values(known).some((heads) => Object.values(heads).some((found) => found[metric] !== undefined));
  if (measures('microF1')) return 'multi-label';
  return measures('meanAbsolutePercentageError') ? 'regression' : 'classification';
}
