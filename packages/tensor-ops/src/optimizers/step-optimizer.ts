import {
  OptionError,
  shown,
  type Model,
  type NamedGradient,
  type Optimizer,
  type OptimizerSettings,
} from '@g2d/core';
import { clipGradientNorm, clipGradientValue } from '../clip-gradients.js';
import { networkOf, partsOf } from '../model-parts.js';

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
  const clipped = clip(gradients, clipping, model);
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

/** @throws {OptionError} If the limit is not above 0, or of nobody's gradients. */
export function clip<M extends string>(
  gradients: readonly NamedGradient[],
  clipping: OptimizerSettings['clipping'],
  model: Model<M>,
): readonly NamedGradient[] {
  if (!clipping) return gradients;
  const { norm, per = 'model' } = clipping;
  if (norm === undefined) return clipGradientValue(gradients, clipping.value);
  if (per === 'model') return clipGradientNorm(gradients, norm);
  if (per === 'network') return clippedNetworks(gradients, norm, model);
  throw new OptionError(`\`clipping.per\` is ${shown(per)}; it can be model or network.`, {
    option: 'clipping.per',
    value: per,
    accepted: 'model, network',
  });
}

/** Each network's gradients, shortened on their own. */
function clippedNetworks<M extends string>(
  gradients: readonly NamedGradient[],
  norm: number,
  { parameters }: Model<M>,
): readonly NamedGradient[] {
  const networks = new Map(parameters.map((parameter) => [parameter.variable.name, networkOf(parameter)]));
  const clipped = new Map(
    [...new Set(networks.values()), undefined].flatMap((network) =>
      clipGradientNorm(
        gradients.filter(({ name }) => networks.get(name) === network),
        norm,
      ).map((gradient) => [gradient.name, gradient]),
    ),
  );
  return gradients.map((gradient) => clipped.get(gradient.name) ?? gradient);
}
