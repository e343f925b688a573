import * as tf from '@tensorflow/tfjs-core';
import { G2DError, OptionError, type NamedGradient } from '@g2d/core';
import { gradientNorm, scaleGradients } from './gradient-lists.js';

/**
 * Shortens a list of gradients, as if it were one long vector, to a length of at most `norm`. PyTorch's `clip_grad_norm_`.
 *
 * g ← g · min(1, norm / (‖g‖ + 10⁻⁶))
 *
 * @param gradients `null` counts as zeros, and stays.
 * @param norm Above 0.
 * @returns The same variables in the same order. New tensors are the caller's; where nothing is shortened they are the ones given.
 * @throws {OptionError} If `norm` is not above 0.
 * @throws {G2DError} With code `G2D_DIVERGED` if a gradient is not finite (`error_if_nonfinite`): nothing finite comes of shortening it.
 * @example
 * optimizer.applyGradients(clipGradientNorm(orderedGradients(grads, variables), 1));
 */
export function clipGradientNorm(gradients: readonly NamedGradient[], norm: number): NamedGradient[] {
  assertAboveZero('norm', norm);
  const length = gradientNorm(gradients);
  if (!Number.isFinite(length)) {
    const broken = gradients.find((gradient) => !Number.isFinite(gradientNorm([gradient])));
    throw new G2DError(
      'G2D_DIVERGED',
      `The gradients have the norm ${length}${broken ? `, because of "${broken.name}"` : ''}, so that they cannot be clipped. Lower the learning rate, or look for samples that are not finite.`,
      { norm: length, variable: broken?.name },
    );
  }
  const factor = Math.min(1, norm / (length + 1e-6));
  return scaleGradients(gradients, () => factor);
}

/**
 * Brings every number of every gradient into [−value, value]. PyTorch's `clip_grad_value_`.
 *
 * @param gradients `null` stays.
 * @param value Above 0.
 * @returns The same variables in the same order; the tensors are new.
 * @throws {OptionError} If `value` is not above 0.
 */
export function clipGradientValue(gradients: readonly NamedGradient[], value: number): NamedGradient[] {
  assertAboveZero('value', value);
  return gradients.map(({ name, tensor }) => ({
    name,
    tensor: tensor && tf.clipByValue(tensor, -value, value),
  }));
}

function assertAboveZero(option: string, value: number): void {
  if (value > 0 && value < Infinity) return;
  const accepted = 'a finite number above 0';
  throw new OptionError(`\`${option}\` is ${value}; it must be ${accepted}.`, { option, value, accepted });
}
