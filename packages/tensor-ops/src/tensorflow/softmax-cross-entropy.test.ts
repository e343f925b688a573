import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, it } from 'vitest';
import { gradCheck } from '../testing.js';
import { registerSoftmaxCrossEntropy, softmaxCrossEntropy } from './softmax-cross-entropy.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  registerSoftmaxCrossEntropy();
});

describe('gradients agree with central differences', () => {
  it('softmax cross-entropy', () => {
    const labels = tf.tensor1d([2, 0, 1, 2], 'int32');
    const logits = tf.tensor2d([0.5, -1, 2, 1.5, 0, -0.5, -2, 1, 0.25, 0, 0.75, -1.25], [4, 3]);
    gradCheck((x) => softmaxCrossEntropy(labels, x as tf.Tensor2D), [logits]);
  });
});
