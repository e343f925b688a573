import type * as tf from '@tensorflow/tfjs-core';
import { anySeeds } from './dropout.js';
import { canFuseAttention, fusedAttention } from './fused-attention.js';
import { plainAttention, type AttentionOptions } from './plain-attention.js';

/**
 * The core of multi-head self-attention, all heads at once: head_h = dropout(softmax(scale · Q_h K_hᵀ + mask)) V_h.
 *
 * @param projected `[B, T, 3·H·d]`: all queries, all keys, all values, each head after head.
 * @param mask `[B, 1, T]`, added to every row of scores.
 * @returns The heads side by side, `[B, T, H·d]`.
 */
export function attention(
  projected: tf.Tensor,
  mask: tf.Tensor | undefined,
  options: AttentionOptions,
): tf.Tensor {
  const { heads, seeds = anySeeds(heads) } = options;
  const inputs = mask ? { projected, mask } : { projected };
  const run = canFuseAttention(inputs, options) ? fusedAttention : plainAttention;
  return run(inputs, { ...options, seeds });
}
