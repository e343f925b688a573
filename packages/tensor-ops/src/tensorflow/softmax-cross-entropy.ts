import * as tf from '@tensorflow/tfjs-core';
import { defineKernel, disposeSaved, runKernel } from './define-kernel.js';
import { attribute, tensorflow } from './operations.js';

const KERNEL = 'G2dSoftmaxCrossEntropy';

interface CrossEntropyAttributes {
  /** Class ids; not an input of the kernel, nothing is differentiated with respect to them. */
  readonly labels: tf.Tensor1D;
}

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerSoftmaxCrossEntropy(): void {
  defineKernel<CrossEntropyAttributes>({
    name: KERNEL,
    // Loss and, computed with it, its gradient: softmax minus the true class.
    outputsToSave: [false, true],
    forward: ({ logits }, { labels }) =>
      tensorflow().executeMultipleOutputs(
        'SparseSoftmaxCrossEntropyWithLogits',
        [attribute.float32Type(), attribute.int32Type('Tlabels')],
        [logits as tf.Tensor, labels],
        2,
      ),
    gradient: ([dy], [difference]) => ({
      logits: () => tf.mul(tf.expandDims(dy as tf.Tensor, 1), difference as tf.Tensor),
    }),
  });
}

/** −log softmax(logits)[label] of each sample: `[B]` and `[B, C]` → `[B]`. Labels must lie in [0, C). */
export function softmaxCrossEntropy(labels: tf.Tensor1D, logits: tf.Tensor2D): tf.Tensor1D {
  const [loss, difference] = runKernel<tf.Tensor[]>(KERNEL, { logits }, { labels }) as [
    tf.Tensor1D,
    tf.Tensor,
  ];
  disposeSaved([difference]);
  return loss;
}
