import { ownValue } from '@g2d/core';
import type { Run, RunSummary } from '../run.js';
import { meanAndDeviation } from '../mean-interval.js';
import { estimate, type Estimate } from './estimate.js';

/** What the training of a row took, over its seeds. */
export interface RowCost {
  /**
   * In joint steps of the table's modalities: one pass of every encoder forward and one backward, of which the backward pass is two thirds.
   * Teachers that run in the steps are in it. Absent where a folder does not say how often encoders ran.
   */
  readonly steps?: Estimate;
  /** Of the clock of the run, evaluation and checkpoints included. */
  readonly seconds?: Estimate;
  /** Epochs that were trained: the mean over the seeds. */
  readonly epochs: number;
  /** Of a row that needed teachers. */
  readonly teachers?: TeachersCost;
}

/** The training of all teachers of a row; each number is absent where a folder does not say it. */
export interface TeachersCost {
  readonly modalities: readonly string[];
  readonly steps?: Estimate;
  readonly seconds?: Estimate;
}

/** @param modalities Of the table: a step of a teacher of one of k is a k-th of a joint step. */
export function costOf(runs: readonly [Run, ...Run[]], modalities: readonly string[]): RowCost {
  const k = modalities.length;
  const steps = over(runs, (run) => jointSteps(run.summary, k));
  const seconds = over(runs, (run) => run.summary.seconds);
  const taught = teachersOf(runs[0]);
  return {
    ...(steps && { steps }),
    ...(seconds && { seconds }),
    epochs: meanAndDeviation(runs.map(({ summary, config }) => summary.last?.epoch ?? config.epochs)).mean,
    ...(taught.length > 0 && { teachers: teachersCost(runs, taught, k) }),
  };
}

function teachersCost(runs: readonly Run[], modalities: readonly string[], k: number): TeachersCost {
  const sum = (read: (summary: RunSummary) => number | undefined): Estimate | undefined =>
    over(runs, ({ teachers = {} }) =>
      modalities.reduce<number | undefined>((total, modality) => {
        const summary = ownValue(teachers, modality)?.summary;
        const own = summary && read(summary);
        return total === undefined || own === undefined ? undefined : total + own;
      }, 0),
    );
  const steps = sum((summary) => jointSteps(summary, k));
  const seconds = sum((summary) => summary.seconds);
  return { modalities, ...(steps && { steps }), ...(seconds && { seconds }) };
}

/**
 * Modalities whose teachers a student learned from. A configuration may name some that its method has no use for: those that a run used
 * are recorded, but by earlier versions.
 */
function teachersOf({ config: { kind, method, modalities, identity }, teachers = {} }: Run): string[] {
  if (kind === 'teacher' || method === 'joint') return [];
  const used: Readonly<Record<string, unknown>> | undefined = identity ? identity.teachers : teachers;
  return modalities.filter((modality) => ownValue(used, modality) !== undefined);
}

/** All seeds have the number, or the row has none. */
function over(runs: readonly Run[], read: (run: Run) => number | undefined): Estimate | undefined {
  const values = runs.map(read);
  return values.every((value) => value !== undefined) ? estimate(values) : undefined;
}

/** Backward passes count twice: they cost about as much as two forward ones. */
function jointSteps({ passes }: RunSummary, k: number): number | undefined {
  if (!passes) return undefined;
  const total = (counts: Readonly<Record<string, number>> = {}): number =>
    Object.values(counts).reduce((sum, count) => sum + count, 0);
  return (total(passes.forward) + 2 * total(passes.backward) + total(passes.teachers)) / 3 / k;
}
