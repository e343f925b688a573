import type { EpochMetrics, StartedRun, Task } from '../../run.js';
import { headsOf, type Head } from '../heads.js';
import { mainHead, taskOf } from '../shown.js';

/** One run in the terms of its page. */
export interface RunView {
  readonly run: StartedRun;
  readonly task: Task;
  /** Fused first; a teacher has one. */
  readonly heads: readonly Head[];
  readonly main: Head;
  /** Results to show: those of the selected epoch, or of the last evaluated one while the run is not finished. */
  readonly results: RunResults;
}

/** Results of one epoch. */
interface RunResults {
  readonly epoch: number | undefined;
  readonly test: Readonly<Record<string, number>>;
  readonly validation: Readonly<Record<string, number>>;
  /** By split, head and metric. */
  readonly metrics: NonNullable<EpochMetrics['metrics']>;
}

/** Everything the sections of a run's page ask about the run. */
export function viewOf(run: StartedRun): RunView {
  const main = mainHead(run);
  const heads = run.config.kind === 'teacher' ? [main] : headsOf(run.config.modalities);
  return { run, task: taskOf(run), heads, main, results: resultsOf(run) };
}

function resultsOf({ summary, metrics }: StartedRun): RunResults {
  if (summary) {
    const { selectedEpoch, test, validation, metrics: scores = {} } = summary;
    return { epoch: selectedEpoch, test, validation, metrics: scores };
  }
  const last = metrics.findLast(({ validation, test }) => validation ?? test);
  return {
    epoch: last?.epoch,
    test: last?.test ?? {},
    validation: last?.validation ?? {},
    metrics: last?.metrics ?? {},
  };
}

/** Test result of each modality's teacher, where it is known. */
export function teacherResults(
  { teachers = {} }: StartedRun,
  split: 'test' | 'validation',
): Record<string, number> {
  const entries = Object.entries(teachers).flatMap(([modality, { summary }]) => {
    const value = summary?.[split][modality] ?? summary?.[split]['fused'];
    return value === undefined ? [] : [[modality, value] as const];
  });
  return Object.fromEntries(entries);
}
