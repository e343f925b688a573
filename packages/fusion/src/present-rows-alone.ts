import { valuesOf } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/**
 * An encoder's features `[B, D]` from the rows of present samples alone; 0 for the others, whose inputs are not looked at and get the
 * gradient 0.
 *
 * @param encode Gets the tensors with k rows, at least 1; gives features `[k, D]`.
 */
export function presentRowsAlone(
  tensors: readonly tf.Tensor[],
  mask: tf.Tensor1D | undefined,
  { width, encode }: { readonly width: number; readonly encode: (rows: () => tf.Tensor[]) => tf.Tensor2D },
): tf.Tensor2D {
  const rows = mask && presentIndices(mask);
  const samples = mask?.size as number;
  if (!rows || rows.length === samples) return encode(() => [...tensors]);
  if (rows.length === 0) return tf.zeros([samples, width]);
  return tf.tidy(() => {
    const features = encode(() => tensors.map((tensor) => gathered(tensor, rows)));
    return scattered(features, rows, samples) as tf.Tensor2D;
  });
}

/** Places of the samples that a mask has. */
export function presentIndices(mask: tf.Tensor1D): number[] {
  const values = valuesOf(mask);
  return [...values.keys()].filter((i) => (values[i] as number) > 0);
}

// Each is the other's gradient. TensorFlow.js's own gradient of `gather` needs a kernel that WebAssembly lacks.

function gathered(x: tf.Tensor, rows: readonly number[]): tf.Tensor {
  const samples = x.shape[0] as number;
  const run = tf.customGrad((input) => ({
    value: pick(input as tf.Tensor, rows),
    gradFunc: (dy: tf.Tensor) => place(dy, rows, samples),
  }));
  return run(x);
}

function scattered(x: tf.Tensor, rows: readonly number[], samples: number): tf.Tensor {
  const run = tf.customGrad((input) => ({
    value: place(input as tf.Tensor, rows, samples),
    gradFunc: (dy: tf.Tensor) => pick(dy, rows),
  }));
  return run(x);
}

const pick = (x: tf.Tensor, rows: readonly number[]): tf.Tensor =>
  tf.tidy(() => tf.gather(x, tf.tensor1d([...rows], 'int32')));

/** Rows at their places, zeros elsewhere: of one row of zeros behind them. */
function place(x: tf.Tensor, rows: readonly number[], samples: number): tf.Tensor {
  return tf.tidy(() => {
    const from = new Int32Array(samples).fill(rows.length);
    rows.forEach((row, i) => (from[row] = i));
    const zero = tf.zeros([1, ...x.shape.slice(1)], x.dtype);
    return tf.gather(tf.concat([x, zero]), tf.tensor1d(from, 'int32'));
  });
}
