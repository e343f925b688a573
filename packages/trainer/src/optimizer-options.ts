import type * as tf from '@tensorflow/tfjs-core';
import { OptionError, type Optimizer } from '@g2d/core';
import {
  Adam,
  AdamW,
  cosineAnnealing,
  linearWarmUp,
  SGD,
  stepDecay,
  type StepDecayOptions,
} from '@g2d/tensor-ops';

/** How the learning rate falls over the epochs. */
export type Schedule =
  | ({ readonly type: 'step' } & StepDecayOptions)
  | {
      readonly type: 'cosine';
      /** Length of the fall. */
      readonly epochs: number;
      /** Default 0. */
      readonly minimum?: number;
    };

interface CommonOptions {
  /** Of the first epoch, if there is no warm-up. */
  readonly learningRate: number;
  readonly weightDecay?: number;
  /** Default: constant. */
  readonly schedule?: Schedule;
  /** The rate grows to what the schedule says: `start` (default 1/3) of it in the first epoch, all after `epochs`. */
  readonly warmUp?: { readonly epochs: number; readonly start?: number };
}

/** Settings of an optimizer, each as PyTorch defines it. */
export type OptimizerOptions =
  | (CommonOptions & {
      /** Default. */
      readonly type?: 'sgd';
      readonly momentum?: number;
      readonly dampening?: number;
      readonly nesterov?: boolean;
    })
  | (CommonOptions & {
      readonly type: 'adam' | 'adam-w';
      readonly betas?: readonly [number, number];
      readonly epsilon?: number;
    });

/** @throws {OptionError} If a setting is out of range. */
export function createOptimizer(variables: readonly tf.Variable[], settings: OptimizerOptions): Optimizer {
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
export function learningRateAt({ learningRate, schedule, warmUp }: OptimizerOptions, epoch: number): number {
  const rate = scheduled(learningRate, schedule, epoch);
  return warmUp ? linearWarmUp(rate, epoch, warmUp) : rate;
}

function scheduled(base: number, schedule: Schedule | undefined, epoch: number): number {
  if (!schedule) return base;
  return schedule.type === 'step' ? stepDecay(base, epoch, schedule) : cosineAnnealing(base, epoch, schedule);
}
