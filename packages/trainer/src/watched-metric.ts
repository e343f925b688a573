import { OptionError, taskWords, type EpochRecord, type Task } from '@g2d/core';
import type { ClassMetrics, LabelSetMetrics, ValueMetrics } from '@g2d/tensor-ops';

type Direction = 'min' | 'max';

/** Every number that is measured of a head, and whether smaller or larger is better. The first of each task is the loss. */
const METRICS: Readonly<Record<Task, Readonly<Record<string, Direction>>>> = {
  classification: {
    loss: 'min',
    accuracy: 'max',
    macroF1: 'max',
    calibrationError: 'min',
    confidence: 'max',
  } satisfies Record<keyof ClassMetrics, Direction>,
  regression: { loss: 'min', meanAbsolutePercentageError: 'min', rSquared: 'max' } satisfies Record<
    keyof ValueMetrics,
    Direction
  >,
  'multi-label': {
    loss: 'min',
    microF1: 'max',
    macroF1: 'max',
    subsetAccuracy: 'max',
    meanAveragePrecision: 'max',
    confidence: 'max',
  } satisfies Record<keyof LabelSetMetrics, Direction>,
};

/** The number by which epochs are selected: accuracy, mean absolute percentage error, or micro F1. */
export const selectingMetric = (task: Task): string => Object.keys(METRICS[task])[1] as string;

/**
 * Whether smaller or larger is better.
 *
 * @throws {OptionError} If there is no such number in the task.
 */
export function directionOf(metric: string, task: Task, option: string): Direction {
  const known = METRICS[task];
  const found = Object.hasOwn(known, metric) ? known[metric] : undefined;
  if (found) return found;
  const accepted = Object.keys(known).join(', ');
  throw new OptionError(`\`${option}\` is "${metric}"; a ${taskWords(task)} has ${accepted}.`, {
    option,
    value: metric,
    accepted,
  });
}

/**
 * A number of the fused head, or of the only one, on the validation split; `undefined` for an epoch that was not evaluated.
 *
 * @throws {OptionError} If the epoch was evaluated, but not on the validation split.
 */
export function watched({ epoch, metrics }: EpochRecord, metric: string, option: string): number | undefined {
  if (!metrics) return undefined;
  const heads = metrics.validation as Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  const head = heads && (heads['fused'] ?? Object.values(heads)[0]);
  if (head) return head[metric];
  throw new OptionError(
    `\`${option}\` watches the validation split, but epoch ${epoch} was evaluated without one.`,
    { option, value: Object.keys(metrics), accepted: 'an evaluation on the validation split' },
  );
}
