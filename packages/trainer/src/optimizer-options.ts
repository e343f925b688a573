import type * as tf from '@tensorflow/tfjs-core';
import { OptionError, type Optimizer, type OptimizerSettings, type Schedule } from '@g2d/core';
import { Adam, AdamW, cosineAnnealing, linearWarmUp, SGD, stepDecay } from '@g2d/tensor-ops';

/** @throws {OptionError} If a setting is out of range. */
export function createOptimizer(variables: readonly tf.Variable[], settings: OptimizerSettings): Optimizer {
  switch (settings.type ?? 'sgd') {
    case 'sgd':
      return new SGD(variables, settings);
    case 'adam':
      return new Adam(variables, settings);
    case 'adam-w':
      return new AdamW(variables, settings);
    default:
      throw new OptionError(`There is no optimizer "${settings.type}"; it can be sgd, adam, adam-w.`, {
        option: 'optimizer.type',
        value: settings.type,
        accepted: 'sgd, adam, adam-w',
      });
  }
}

/** The learning rate of an epoch, counted from 1. */
export function learningRateAt({ learningRate, schedule, warmUp }: OptimizerSettings, epoch: number): number {
  const rate = scheduled(learningRate, schedule, epoch);
  return warmUp ? linearWarmUp(rate, epoch, warmUp) : rate;
}

function scheduled(base: number, schedule: Schedule | undefined, epoch: number): number {
  if (!schedule) return base;
  return schedule.type === 'step' ? stepDecay(base, epoch, schedule) : cosineAnnealing(base, epoch, schedule);
}
