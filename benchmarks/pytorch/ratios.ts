import { median } from '../shared/median.js';
import type { Comparison } from './programs.js';

/** What one process measured. */
export interface Measurement {
  /** Median of its steps. */
  readonly ms: number;
  readonly peakRssMB: number;
}

/** All rounds of every program, by its name. */
export type Rounds = ReadonlyMap<string, readonly Measurement[]>;

export interface Ratio {
  readonly name: string;
  /** Of the medians over the rounds. */
  readonly ratio: number;
  /** Of the rounds' own ratios. */
  readonly min: number;
  readonly max: number;
  /** Of the peak memories (the larger one of several programs). */
  readonly memory: number;
  readonly goal?: number;
  readonly memoryGoal?: number;
}

/** @param withGoals Whether the goals are meant for these shapes. */
export function ratioOf(
  { name, ours, against, goal, memoryGoal }: Comparison,
  rounds: Rounds,
  withGoals: boolean,
): Ratio {
  const of = (program: { readonly name: string }): readonly Measurement[] => rounds.get(program.name) ?? [];
  const theirs = of(against);
  const mine = theirs.map((_, round) => {
    const measured = ours.map((program) => of(program)[round] as Measurement);
    return {
      ms: measured.reduce((sum, { ms }) => sum + ms, 0) / measured.length,
      peakRssMB: Math.max(...measured.map(({ peakRssMB }) => peakRssMB)),
    };
  });
  const quotient = (key: keyof Measurement): number =>
    median(mine.map((measurement) => measurement[key])) /
    median(theirs.map((measurement) => measurement[key]));
  const each = mine.map(({ ms }, round) => ms / (theirs[round] as Measurement).ms);
  return {
    name,
    ratio: quotient('ms'),
    min: Math.min(...each),
    max: Math.max(...each),
    memory: quotient('peakRssMB'),
    ...(withGoals && goal !== undefined && { goal }),
    ...(withGoals && memoryGoal !== undefined && { memoryGoal }),
  };
}
