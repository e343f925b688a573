import type * as tf from '@tensorflow/tfjs-core';
import { OptionError, type Optimizer, type OptimizerSettings } from '@g2d/core';
import { AdamW } from './adam-w.js';
import { Adam } from './adam.js';
import { SGD } from './sgd.js';

/**
 * The optimizer that settings describe; schedules, clipping and other rates for parts of a model are whoever steps it.
 *
 * @throws {OptionError} If a setting is out of range.
 */
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
