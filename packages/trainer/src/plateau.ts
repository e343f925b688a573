import { OptionError, type Method, type OptimizerSettings, type Schedule, type Task } from '@g2d/core';
import { NO_PLATEAU, watchPlateau, type PlateauOptions, type PlateauState } from '@g2d/tensor-ops';
import { directionOf, watched } from './watched-metric.js';

/** Name of the method that watches for plateaus, under which checkpoints have its state. */
export const PLATEAU = 'plateau';

/** The optimizer of an epoch. */
export interface StageOptimizer {
  readonly settings: OptimizerSettings;
  /** The epoch that its schedule begins with. */
  readonly since: number;
}

/** What a plateau schedule has seen. */
export interface Plateau {
  /** First epoch of the optimizer whose schedule it is. */
  since: number;
  seen: PlateauState;
  /** Whether the rate falls with the next epoch. */
  falls: boolean;
}

type PlateauSchedule = Extract<Schedule, { type: 'plateau' }>;

/** A plateau schedule as a method: its state is saved and restored like any other. The loop sets the rates. */
export function watchPlateaus<M extends string>(
  optimizerOf: (epoch: number) => StageOptimizer,
  task: Task,
): Method<M, Plateau> {
  return {
    name: PLATEAU,
    init: () => ({ since: 1, seen: NO_PLATEAU, falls: false }),
    epoch(record, _, state) {
      const { settings, since } = optimizerOf(record.epoch);
      if (state.since !== since) Object.assign(state, { since, seen: NO_PLATEAU });
      state.falls = false;
      if (settings.schedule?.type !== 'plateau') return;
      const { metric, options } = watching(settings.schedule, task);
      const value = watched(record, metric, 'optimizer.schedule');
      if (value === undefined) return;
      const { reductions } = state.seen;
      state.seen = watchPlateau(state.seen, value, options);
      state.falls = state.seen.reductions > reductions;
    },
  };
}

/** @throws {OptionError} If the metric is none of the task's, the mode contradicts it, or another setting is not accepted. */
export function watching(
  { type: _type, factor: _factor, min: _min, metric = 'loss', mode, ...others }: PlateauSchedule,
  task: Task,
): { readonly metric: string; readonly options: PlateauOptions } {
  const found = directionOf(metric, task, 'optimizer.schedule.metric');
  if (mode === undefined || mode === found) {
    const options = { ...others, mode: found };
    // Checks them before the first epoch.
    watchPlateau(NO_PLATEAU, 0, options);
    return { metric, options };
  }
  throw new OptionError(
    `\`optimizer.schedule.mode\` is "${mode}", but a better ${metric} is ${found === 'max' ? 'larger' : 'smaller'}. Leave the mode out, or give another \`metric\`.`,
    { option: 'optimizer.schedule.mode', value: mode, accepted: found },
  );
}
