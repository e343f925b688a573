import { OptionError, type Model, type Optimizer, type OptimizerSettings } from '@g2d/core';
import { assertParts } from '../model-parts.js';
import { AdamW } from './adam-w.js';
import { Adam } from './adam.js';
import { SGD } from './sgd.js';
import { clip } from './step-optimizer.js';

/**
 * The optimizer of a model's parameters. What it does not do itself, schedule, clipping and other rates for parts of the model
 * (`learningRateAt`, `stepOptimizer`), is checked too.
 *
 * @throws {OptionError} If a setting is out of range, or there is a rate for a part that the model does not have.
 */
export function createOptimizer<M extends string>(model: Model<M>, settings: OptimizerSettings): Optimizer {
  const variables = model.parameters.map(({ variable }) => variable);
  const { clipping, learningRates = {}, learningRate } = settings;
  clip([], clipping);
  assertParts(model, Object.keys(learningRates), 'optimizer.learningRates');
  assertRates(learningRates, learningRate);
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

function assertRates(rates: NonNullable<OptimizerSettings['learningRates']>, whole: number): void {
  for (const [part, rate] of Object.entries(rates)) {
    const value = typeof rate === 'number' ? rate : rate.factor;
    const option = `optimizer.learningRates.${part}`;
    const refuse = (problem: string, accepted: string): never => {
      throw new OptionError(`\`${option}\` is ${value}; ${problem}.`, { option, value, accepted });
    };
    if (!(value >= 0 && value < Infinity)) refuse('it must be a finite number of at least 0', 'a number ≥ 0');
    if (typeof rate === 'number' && rate > 0 && whole === 0)
      refuse(
        'with a `learningRate` of 0 no part has another. Give a rate to the whole, and freeze what shall not train',
        'a `learningRate` above 0',
      );
  }
}
