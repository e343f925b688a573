import { isDeepStrictEqual } from 'node:util';
import { ownValue } from '@g2d/core';
import type { Run, RunSummary, RunTeacher } from '../run.js';
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
  /** Of a row that needed teachers, or encoders of other runs. */
  readonly teachers?: TeachersCost;
}

/** The training of all runs that a row needed, teachers and those whose encoders it began with; each number is absent where a folder does not say it. */
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
  const needed = runs[0].config.modalities.filter((modality) => neededOf(runs[0], modality).length > 0);
  return {
    ...(steps && { steps }),
    ...(seconds && { seconds }),
    epochs: meanAndDeviation(runs.map(({ summary, config }) => summary.last?.epoch ?? config.epochs)).mean,
    ...(needed.length > 0 && { teachers: teachersCost(runs, needed, k) }),
  };
}

function teachersCost(runs: readonly Run[], modalities: readonly string[], k: number): TeachersCost {
  const sum = (read: (summary: RunSummary) => number | undefined): Estimate | undefined =>
    over(runs, (run) =>
      modalities
        .flatMap((modality) => neededOf(run, modality))
        .reduce<number | undefined>((total, needed) => {
          const own = needed?.summary && read(needed.summary);
          return total === undefined || own === undefined ? undefined : total + own;
        }, 0),
    );
  const steps = sum((summary) => jointSteps(summary, k));
  const seconds = sum((summary) => summary.seconds);
  return { modalities, ...(steps && { steps }), ...(seconds && { seconds }) };
}

/**
 * Runs of a modality that had to be trained before: the teacher that a student learned from, `undefined` where it cannot be found, and the
 * one whose encoder it began with, which may be the same.
 *
 * A configuration may name teachers that its method has no use for: those that a run used are recorded, but by earlier versions.
 */
function neededOf(run: Run, modality: string): (RunTeacher | undefined)[] {
  const { kind, method, identity } = run.config;
  const used: Readonly<Record<string, unknown>> | undefined = identity ? identity.teachers : run.teachers;
  const learns = kind === 'student' && method !== 'joint' && ownValue(used, modality) !== undefined;
  const teacher = ownValue(run.teachers, modality);
  const encoder = ownValue(run.encoderRuns, modality);
  if (!learns) return encoder ? [encoder] : [];
  return !encoder || isDeepStrictEqual(teacher?.config, encoder.config) ? [teacher] : [teacher, encoder];
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
