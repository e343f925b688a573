import type * as tf from '@tensorflow/tfjs-core';
import { ShapeError } from '@g2d/core';

/** Throws a `ShapeError` unless `tensor` has shape `expected`, where `null` accepts any size. */
export function assertShape(
  argument: string,
  tensor: tf.Tensor,
  expected: readonly (number | null)[],
  meaning: string,
): void {
  const matches =
    tensor.shape.length === expected.length &&
    expected.every((size, axis) => size === null || size === tensor.shape[axis]);
  if (!matches) throw new ShapeError({ argument, expected: meaning, actual: tensor.shape });
}

/** Throws a `ShapeError` unless two tensors have the same shape. */
export function assertSameShape(
  argument: string,
  tensor: tf.Tensor,
  other: string,
  reference: tf.Tensor,
): void {
  assertShape(
    argument,
    tensor,
    reference.shape,
    `[${reference.shape.join(', ')}], the shape of \`${other}\``,
  );
}
