import type * as tf from '@tensorflow/tfjs-core';
import type { Unlabelled } from '@g2d/core';
import { valuesOf } from '@g2d/tensor-ops';

/**
 * Samples of a batch with an input that is not finite, and where: `its table input holds NaN (position 3)`. Of modalities that a sample
 * lacks nobody looks at the input. For when something went wrong: it reads all inputs.
 */
export function nonFiniteInputs<M extends string>(
  { inputs, present, ids }: Unlabelled<M>,
  modalities: readonly M[],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const modality of modalities) {
    const input = inputs[modality] as tf.Tensor | undefined;
    if (!input) continue;
    const values = input.dataSync();
    const width = input.size / ids.length;
    const mask = valuesOf(present?.[modality]);
    ids.forEach((id, i) => {
      if (found.has(id) || (mask && !((mask[i] as number) > 0))) return;
      const row = values.subarray(i * width, (i + 1) * width);
      const position = row.findIndex((value) => !Number.isFinite(value));
      if (position < 0) return;
      found.set(id, `its ${modality} input holds ${row[position]} (position ${position})`);
    });
  }
  return found;
}
