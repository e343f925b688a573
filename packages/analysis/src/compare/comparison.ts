import type { Run, Selection, StartedRun, Task } from '../run.js';
import type { RowCost } from './cost.js';
import type { Estimate } from './estimate.js';
import type { SettingDifference } from './setting-differences.js';

/** By how much a row is better than joint training: more points of accuracy or micro F1, or fewer of MAPE. Positive is better. */
export interface Gain extends Omit<Estimate, 'values'> {
  /** Label of the row of joint training. */
  readonly over: string;
  /** Those whose differences it is the mean of; none where it is the difference of the means. `n` is their number. */
  readonly seeds: readonly number[];
  /** Of the seeds that both have: in how many this row is better, of how many. */
  readonly wins: { readonly better: number; readonly of: number };
}

/** One line of a comparison: a method with its settings, over all of its seeds. */
export interface ComparisonRow {
  /** Different from that of every other row of the table. */
  readonly label: string;
  readonly method: string;
  readonly kind: 'teacher' | 'student';
  readonly modalities: readonly string[];
  readonly seeds: readonly number[];
  /** One per seed. */
  readonly runs: readonly Run[];
  /** Runs of other seeds with the same settings that are not finished: they are in no number. */
  readonly unfinished: readonly StartedRun[];
  /** How the epoch was chosen that the numbers are of; `undefined` where the run does not say. */
  readonly select: Selection | undefined;
  /** The fused head (for a teacher: its only one): in percent accuracy, MAPE of a regression, or micro F1 of a multi-label task. */
  readonly main: string;
  /** By head, the same in percent. */
  readonly test: Readonly<Record<string, Estimate>>;
  readonly validation: Readonly<Record<string, Estimate>>;
  /** Of the fused head on test, by name: `macroF1` in percent, `calibrationError` in [0, 1], `rSquared`, `loss`. */
  readonly metrics: Readonly<Record<string, Estimate>>;
  readonly cost: RowCost;
  /**
   * The row that this one is compared with: joint training, or the first row of a table without it; absent for that row itself and for
   * teachers. `differences`: in which settings other than the method they differ.
   */
  readonly against?: { readonly label: string; readonly differences: readonly SettingDifference[] };
  /** Of the fused head over joint training; absent for joint training itself, for teachers, and where there is none. */
  readonly gain?: Gain;
}

/** Runs on the same data with the same modalities, which can be compared. */
export interface ComparisonTable {
  readonly dataset: string;
  readonly task: Task;
  readonly modalities: readonly string[];
  /** From the worst to the best by the mean of the fused head on test. */
  readonly rows: readonly ComparisonRow[];
  /** In the order of the modalities. */
  readonly teachers: readonly ComparisonRow[];
  /** What has to be known to read the table, as sentences: selection on the test split, different numbers of seeds, … */
  readonly notes: readonly string[];
}

/** What `compareRuns` makes of runs. */
export interface Comparison {
  readonly tables: readonly ComparisonTable[];
  /** Why there is more than one table, and which runs are in none. */
  readonly notes: readonly string[];
  /** Of the intervals, for example 0.95. */
  readonly level: number;
}
