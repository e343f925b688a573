import { median } from '../shared/median.js';
import type { Comparison, Side } from './programs.js';

/** What one process measured. */
export interface Measurement {
  /** Of its steps. */
  readonly min: number;
  readonly median: number;
  readonly peakRssMB: number;
}

/** All rounds of every program, by its name. */
export type Rounds = ReadonlyMap<string, readonly Measurement[]>;

/** One side over all rounds. */
export interface Measured {
  readonly name: string;
  /** The fastest step of all rounds, and the median of the rounds' medians. */
  readonly min: number;
  readonly median: number;
  readonly peakRssMB: number;
}

/** A comparison's result. */
export interface Ratio {
  readonly dataset: string;
  readonly name: string;
  readonly ours: Measured;
  readonly against: Measured;
  /** Of the fastest steps, and of the medians. */
  readonly minima: number;
  readonly medians: number;
  /** The least and the most of the rounds' own ratios of medians. */
  readonly rounds: readonly [number, number];
  readonly memory: number;
  readonly goal?: number;
  readonly memoryGoal?: number;
}

/** @param withGoals Whether the goals are meant for these sizes. */
export function ratioOf(comparison: Comparison, rounds: Rounds, withGoals: boolean): Ratio {
  const { dataset, name, goal, memoryGoal } = comparison;
  const mine = roundsOf(comparison.ours, rounds);
  const ours = measuredOf(comparison.ours.name, mine);
  const others = comparison.against.map((side) => {
    const each = roundsOf(side, rounds);
    return { each, measured: measuredOf(side.name, each) };
  });
  const [fastest] = others.sort((a, b) => a.measured.min - b.measured.min) as [(typeof others)[number]];
  const against = fastest.measured;
  const each = mine.map((measured, round) => measured.median / (fastest.each[round] as Measurement).median);
  return {
    dataset,
    name,
    ours,
    against,
    minima: ours.min / against.min,
    medians: ours.median / against.median,
    rounds: [Math.min(...each), Math.max(...each)],
    memory: ours.peakRssMB / against.peakRssMB,
    ...(withGoals && goal !== undefined && { goal }),
    ...(withGoals && memoryGoal !== undefined && { memoryGoal }),
  };
}

/** Each round of a side: the mean of its programs, and of their memories the largest. */
function roundsOf({ programs }: Side, rounds: Rounds): Measurement[] {
  const all = programs.map(({ name }) => rounds.get(name) ?? []);
  return (all[0] ?? []).map((_, round) => {
    const measured = all.map((each) => each[round] as Measurement);
    const mean = (key: 'min' | 'median'): number =>
      measured.reduce((sum, each) => sum + each[key], 0) / measured.length;
    return {
      min: mean('min'),
      median: mean('median'),
      peakRssMB: Math.max(...measured.map(({ peakRssMB }) => peakRssMB)),
    };
  });
}

const measuredOf = (name: string, each: readonly Measurement[]): Measured => ({
  name,
  min: Math.min(...each.map(({ min }) => min)),
  median: median(each.map((measured) => measured.median)),
  peakRssMB: median(each.map(({ peakRssMB }) => peakRssMB)),
});
