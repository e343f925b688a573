import { checkKeys, type KnownKeys, type OptimizerSettings, type Schedule } from '@g2d/core';
import { cosineAnnealing } from './cosine-annealing.js';
import { linearDecay } from './linear-decay.js';
import { linearWarmUp } from './linear-warm-up.js';
import { reducedRate } from './reduce-on-plateau.js';
import { stepDecay, type StepDecayOptions } from './step-decay.js';

/**
 * The learning rate of an epoch, by schedule and warm-up.
 *
 * @param epoch Counted from 1.
 * @param reductions How often a plateau schedule has let it fall; others do not look at it.
 */
export function learningRateAt(
  { learningRate, schedule, warmUp }: Pick<OptimizerSettings, 'learningRate' | 'schedule' | 'warmUp'>,
  epoch: number,
  reductions = 0,
): number {
  const rate = schedule ? scheduled(learningRate, schedule, epoch, reductions) : learningRate;
  return warmUp ? linearWarmUp(rate, epoch, warmUp) : rate;
}

/** What the learning rate of an epoch is multiplied by for parts of a model with rates of their own (`learningRates`), by part. */
export function partFactorsAt(
  settings: OptimizerSettings,
  epoch: number,
  reductions = 0,
): Readonly<Record<string, number>> {
  const rateOf = (learningRate: number): number =>
    learningRateAt({ ...settings, learningRate }, epoch, reductions);
  const whole = rateOf(settings.learningRate);
  const factors = Object.entries(settings.learningRates ?? {}).map(([part, own]): [string, number] => {
    const base = typeof own === 'number' ? own : own.factor * settings.learningRate;
    return [part, whole === 0 ? 0 : rateOf(base) / whole];
  });
  return Object.fromEntries(factors);
}

const PLATEAU_KEYS: KnownKeys<Extract<Schedule, { type: 'plateau' }>> = {
  type: true,
  metric: true,
  mode: true,
  factor: true,
  patience: true,
  threshold: true,
  thresholdMode: true,
  cooldown: true,
  min: true,
};

function scheduled(base: number, schedule: Schedule, epoch: number, reductions: number): number {
  if (schedule.type === 'plateau') {
    const { factor, min } = checkKeys(schedule, PLATEAU_KEYS, 'optimizer.schedule');
    return reducedRate(base, reductions, {
      ...(factor !== undefined && { factor }),
      ...(min !== undefined && { min }),
    });
  }
  if (schedule.type === 'linear') return linearDecay(base, epoch, schedule);
  const { type, ...fall } = schedule;
  return type === 'step'
    ? stepDecay(base, epoch, fall as StepDecayOptions)
    : cosineAnnealing(base, epoch, fall as Parameters<typeof cosineAnnealing>[2]);
}
