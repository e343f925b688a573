import {
  checkKeys,
  OptionError,
  type GradientClipping,
  type Model,
  type Optimizer,
  type OptimizerSettings,
} from '@g2d/core';
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
  const {
    type = 'sgd',
    clipping,
    learningRates = {},
    schedule: _schedule,
    warmUp: _warmUp,
    ...own
  } = settings;
  const { learningRate } = own;
  if (clipping) assertClipping(clipping, model);
  assertParts(model, Object.keys(learningRates), 'optimizer.learningRates');
  assertRates(learningRates, learningRate);
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

function assertClipping<M extends string>(clipping: GradientClipping, model: Model<M>): void {
  const { norm, value } = checkKeys(clipping, { norm: true, value: true, per: true }, 'optimizer.clipping');
  if ((norm === undefined) === (value === undefined)) {
    const came = norm === undefined ? 'neither' : 'both';
    throw new OptionError(`\`optimizer.clipping\` has ${came} of \`norm\` and \`value\`; give one of them.`, {
      option: 'optimizer.clipping',
      value: clipping,
      accepted: '{ norm } or { value }',
    });
  }
  clip([], clipping, model);
}

function assertRates(rates: NonNullable<OptimizerSettings['learningRates']>, whole: number): void {
  for (const [part, rate] of Object.entries(rates)) {
    const option = `optimizer.learningRates.${part}`;
    const value = typeof rate === 'number' ? rate : checkKeys(rate, { factor: true }, option).factor;
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
