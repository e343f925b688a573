import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, it } from 'vitest';
import { normal } from '../../test/normal.js';
import { expectNoLeak, gradCheck } from '@g2d/tensor-ops/testing';
import { registerTrainingKernels } from './register.js';

describe('depthwise convolution gradients on wasm', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
    registerTrainingKernels();
  });

  const cases = {
    'stride 1, same': { filter: [3, 3, 2, 1], strides: 1, pad: 'same' },
    'stride 2, valid, rows that no window reaches': { filter: [2, 3, 2, 1], strides: 2, pad: 'valid' },
    'a multiplier, stride 2, same': { filter: [3, 3, 2, 3], strides: 2, pad: 'same' },
  } as const;
  for (const [name, { filter, strides, pad }] of Object.entries(cases)) {
    it(`agree with central differences: ${name}`, () => {
      gradCheck(
        (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad),
        [normal(1, 2, 7, 6, 2), normal(2, ...filter)],
      );
    });
  }

  it('leave no tensors behind', () => {
    const [x, w] = [normal(1, 2, 7, 6, 2), normal(2, 3, 3, 2, 1)];
    const run = () =>
      tf.tidy(
        () =>
          void tf.grads((a, b) => tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, 'same'))([x, w]),
      );
    run();
    expectNoLeak(run);
  });
});
