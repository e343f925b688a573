import * as tf from '@tensorflow/tfjs-core';
import { UnknownModalityError } from '@g2d/core';
import { assertShape } from '@g2d/tensor-ops';

/** The presence mask of one modality. */
export interface PresentOption {
  /**
   * 1 for the samples that have the modality, 0 for the others: float32 `[B]`. The mean is over the samples that have it; whatever the
   * rows of the others hold, even NaN, neither value nor gradient knows of it. 0, with gradients 0, if no sample has it. Default:
   * every sample has it.
   */
  readonly present?: tf.Tensor1D;
}

/** Presence masks by modality, float32 `[B]` of 0 and 1. A modality without one is present in every sample. */
export type PresenceMasks<M extends string> = Readonly<Partial<Record<M, tf.Tensor1D>>>;

/** Throws unless the masks are for known modalities and have one entry for each of `batch` samples. */
export function assertMasks<M extends string>(
  present: PresenceMasks<M>,
  { known, where, batch }: { readonly known: readonly M[]; readonly where: string; readonly batch: number },
): void {
  for (const [modality, mask] of Object.entries<tf.Tensor1D | undefined>(present)) {
    if (!known.includes(modality as M)) throw new UnknownModalityError({ modality, known, where });
    if (mask) assertMask(`present.${modality}`, mask, batch);
  }
}

const assertMask = (argument: string, mask: tf.Tensor, batch: number): void =>
  assertShape(argument, mask, [batch], `[B] with B = ${batch}, 1 where the modality is present`);

/**
 * Rows `[B, N]` with `otherwise` in those of samples that lack the modality. A choice and not a product, since 0 · NaN is NaN; the
 * gradient of a row that was not chosen is 0 as long as what comes after is finite.
 */
export const presentRows = (rows: tf.Tensor2D, present: tf.Tensor1D, otherwise = 0): tf.Tensor2D =>
  tf.where(tf.expandDims(tf.cast(present, 'bool'), 1), rows, tf.fill(rows.shape, otherwise));

/**
 * A loss that is a mean over samples and 0 for equal rows, over the samples that have the modality.
 *
 * L = (B / max(n, 1)) · mean(rows of the n samples, equal rows for the others)
 *
 * Without a mask it is `mean` itself: no operation more.
 */
export function meanOverPresent(
  teacher: tf.Tensor2D,
  student: tf.Tensor2D,
  present: tf.Tensor1D | undefined,
  mean: (teacher: tf.Tensor2D, student: tf.Tensor2D) => tf.Scalar,
): tf.Scalar {
  if (!present) return mean(teacher, student);
  const [batch] = teacher.shape;
  assertMask('present', present, batch);
  return tf.tidy(() => {
    const count = tf.maximum(tf.sum(tf.cast(tf.cast(present, 'bool'), 'float32')), 1);
    return tf.mul(
      mean(presentRows(teacher, present), presentRows(student, present)),
      tf.div(batch, count),
    ) as tf.Scalar;
  });
}
