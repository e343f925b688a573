import { OptionError, type Model, type Optimizer, type OptimizerSettings, type Schedule } from '@g2d/core';
import {
  Adam,
  AdamW,
  cosineAnnealing,
  linearWarmUp,
  SGD,
  stepDecay,
  type StepDecayOptions,
} from '@g2d/tensor-ops';

/**
 * The optimizer of a model's parameters.
 *
 * @throws {OptionError} If a setting is out of range.
 */
export function createOptimizer<M extends string>(model: Model<M>, settings: OptimizerSettings): Optimizer {
  // What TensorFlow.js's `compile` takes. The state of its optimizers goes by position, which a frozen variable would shift.
  if (typeof settings !== 'object' || 'applyGradients' in settings) {
    const came = typeof settings === 'object' ? settings.constructor.name : String(settings);
    const accepted = "settings, such as { type: 'adam', learningRate: 0.01 }";
    throw new OptionError(`\`optimizer\` is ${came}; it must be ${accepted}.`, {
      option: 'optimizer',
      value: came,
      accepted,
    });
  }
  const variables = model.parameters.map(({ variable }) => variable);
  const { type = 'sgd', schedule: _schedule, warmUp: _warmUp, ...own } = settings;
  switch (type) {
    case 'sgd':
      return new SGD(variables, own);
    case 'adam':
      return new Adam(variables, own);
    case 'adam-w':
      return new AdamW(variables, own);
    default:
      throw new OptionError(`There is no optimizer "${String(type)}"; it can be sgd, adam, adam-w.`, {
        option: 'optimizer.type',
        value: type,
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
  const { type, ...fall } = schedule;
  return type === 'step'
    ? stepDecay(base, epoch, fall as StepDecayOptions)
    : cosineAnnealing(base, epoch, fall as Parameters<typeof cosineAnnealing>[2]);
}
