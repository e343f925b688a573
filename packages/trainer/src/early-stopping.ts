import { OptionError, type Method, type Task } from '@g2d/core';
import { directionOf, selectingMetric, watched } from './watched-metric.js';

/** When a training ends before its last epoch. */
export interface EarlyStopping {
  /** It ends after so many evaluated epochs one after another that were no better; at least 1. */
  readonly patience: number;
  /** By more than this an epoch must be better than the best one. Default 0. */
  readonly minDelta?: number | undefined;
  /**
   * What is watched on the validation split, by the fused head or the only one. Default: what epochs are selected by, accuracy or mean
   * absolute percentage error.
   */
  readonly metric?: string | undefined;
  /** Epochs that do not count, such as SMP's phases before the joint one. Default 0. */
  readonly after?: number | undefined;
}

interface State {
  best: number | null;
  /** Evaluated epochs since. */
  waited: number;
}

/**
 * Early stopping as a method: its state is saved and restored like any other.
 *
 * @throws {OptionError} If a setting is not accepted.
 */
export function earlyStopping<M extends string>(
  { patience, minDelta = 0, metric: given, after = 0 }: EarlyStopping,
  task: Task,
): Method<M, State> {
  assertNumber('patience', patience, Number.isInteger(patience) && patience >= 1, 'a whole number ≥ 1');
  assertNumber('minDelta', minDelta, minDelta >= 0 && minDelta < Infinity, 'a finite number ≥ 0');
  assertNumber('after', after, Number.isInteger(after) && after >= 0, 'a whole number ≥ 0');
  const metric = given ?? selectingMetric(task);
  const sign = directionOf(metric, task, 'earlyStopping.metric') === 'max' ? 1 : -1;
  return {
    name: 'early-stopping',
    init: () => ({ best: null, waited: 0 }),
    epoch(record, _, state) {
      const value = record.epoch > after ? watched(record, metric, 'earlyStopping') : undefined;
      if (value === undefined) return;
      const isBetter = state.best === null ? !Number.isNaN(value) : sign * (value - state.best) > minDelta;
      if (isBetter) state.best = value;
      state.waited = isBetter ? 0 : state.waited + 1;
      return state.waited >= patience ? 'stop' : undefined;
    },
  };
}

function assertNumber(name: string, value: number, isAccepted: boolean, accepted: string): void {
  if (isAccepted) return;
  const option = `earlyStopping.${name}`;
  throw new OptionError(`\`${option}\` is ${value}; it must be ${accepted}.`, { option, value, accepted });
}
