import type { Model, NamedGradient, Optimizer, OptimizerSettings } from '@g2d/core';
import { clipGradientNorm, clipGradientValue } from '../clip-gradients.js';
import { partsOf } from '../model-parts.js';

/**
 * A step of the optimizer of a model: of clipped gradients, and with other learning rates for parts of the model.
 *
 * @param options `factors`: what the learning rate is multiplied by, by name of the part (`partFactorsAt`); they multiply with what
 * `optimizer.learningRateFactorOf` gives.
 */
export function stepOptimizer<M extends string>(
  optimizer: Optimizer,
  gradients: readonly NamedGradient[],
  {
    clipping,
    factors,
    model,
  }: {
    readonly clipping: OptimizerSettings['clipping'];
    readonly factors: Readonly<Record<string, number>>;
    readonly model: Model<M>;
  },
): void {
  const clipped = clip(gradients, clipping);
  if (Object.keys(factors).length === 0) return optimizer.applyGradients(clipped);
  const byVariable = new Map(
    model.parameters.map((parameter) => {
      const part = partsOf(parameter).find((name) => Object.hasOwn(factors, name));
      return [parameter.variable.name, part === undefined ? 1 : (factors[part] as number)];
    }),
  );
  const { learningRateFactorOf } = optimizer;
  optimizer.learningRateFactorOf = (name) => learningRateFactorOf(name) * (byVariable.get(name) ?? 1);
  try {
    optimizer.applyGradients(clipped);
  } finally {
    optimizer.learningRateFactorOf = learningRateFactorOf;
  }
}

/** @throws {OptionError} If the limit is not above 0. */
export function clip(
  gradients: readonly NamedGradient[],
  clipping: OptimizerSettings['clipping'],
): readonly NamedGradient[] {
  if (!clipping) return gradients;
  return clipping.norm === undefined
    ? clipGradientValue(gradients, clipping.value)
    : clipGradientNorm(gradients, clipping.norm);
}
