import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { z } from 'zod';

/** How the dense layers of a fusion begin; biases are 0 in any case. */
export const initializationOption = z.enum(['xavier', 'normal', 'kaiming']);

/** The gain of `normal` in GCNet. MMIN's own default is 0.012, which none of its scripts has. */
const GAIN = 0.02;

/**
 * Gives dense layers new kernels, each from a stream named after it.
 *
 * `xavier`: those that they have. `normal`: N(0, 0.02²). `kaiming`: N(0, 2 / fan-in), PyTorch's `kaiming_normal_` with its defaults.
 *
 * @see Released code of MMIN and GCNet, `models/networks/tools.py`, `init_weights`
 */
export function initializeDense(
  all: readonly layers.Layer[],
  { rule, seed }: { readonly rule: z.output<typeof initializationOption>; readonly seed: number },
): void {
  if (rule === 'xavier') return;
  for (const { name, weights } of all) {
    const [kernel] = weights;
    if (!kernel) continue;
    const shape = kernel.shape as [number, number];
    const deviation = rule === 'normal' ? GAIN : Math.sqrt(2 / shape[0]);
    const random = randomStream(deriveSeed(seed, `initialization/${name}/${rule}`));
    const values = Float32Array.from({ length: shape[0] * shape[1] }, () => deviation * random.normal());
    tf.tidy(() => void kernel.write(tf.tensor2d(values, shape)));
  }
}
