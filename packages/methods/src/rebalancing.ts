import type { PerModality, Step } from '@g2d/core';

/** Whose excitation is an average, and in how many steps, the next one among them. */
export interface Rebalanced<M extends string> {
  readonly modality: M;
  readonly left: number;
}

/** What the next step does; `null`: the usual. */
export function nextStep<M extends string>(
  { model: { modalities }, random }: Step<M>,
  {
    steps,
    rebalanced,
    speeds,
    tolerance,
    window,
  }: {
    readonly steps: 'guided' | 'random' | 'none';
    /** Of this step. */
    readonly rebalanced: Rebalanced<M> | null;
    readonly speeds: PerModality<M, number>;
    readonly tolerance: number;
    readonly window: number;
  },
): Rebalanced<M> | null {
  if (steps === 'none') return null;
  if (steps === 'random') {
    const modality = modalities[random('greedy').integer(modalities.length + 1)];
    return modality === undefined ? null : { modality, left: 1 };
  }
  if (rebalanced) return rebalanced.left > 1 ? { ...rebalanced, left: rebalanced.left - 1 } : null;
  const modality = tooFast(speeds, tolerance);
  return modality === undefined ? null : { modality, left: window };
}

/**
 * The modality that learns most from the others, if it is ahead by more than a tolerance of the one that learns least from them. For two
 * modalities this is the rule of the released code, for more it is our reading.
 */
export function tooFast<M extends string>(speeds: PerModality<M, number>, tolerance: number): M | undefined {
  const known = Object.entries<number>(speeds).filter(([, speed]) => Number.isFinite(speed));
  const values = known.map(([, speed]) => speed);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (known.length < 2 || most - least <= tolerance) return undefined;
  return known.find(([, speed]) => speed === most)?.[0] as M;
}
