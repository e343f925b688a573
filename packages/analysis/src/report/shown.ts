import type { StartedRun } from '../run.js';
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

/** Is less better? So it is for the errors of a regression, and not for accuracies. */
export function isRegression(run: StartedRun): boolean {
  if (run.summary?.task !== undefined) return run.summary.task === 'regression';
  if (run.predictions) return run.predictions.classNames.length === 0;
  const known = run.metrics.findLast(({ metrics }) => metrics !== undefined)?.metrics ?? {};
  return Object.values(known).some((heads) =>
    Object.values(heads).some((metrics) => metrics['meanAbsolutePercentageError'] !== undefined),
  );
}
