import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { describe, expect, it, vi } from 'vitest';
import { registerTrainingKernels } from './register.js';

describe('conv2dTranspose on wasm', () => {
  it('is the backend’s own where no convolution has this shape, as it was before', async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
    const own = tf.getKernel('Conv2DBackpropInput', 'wasm');
    const kernelFunc = vi.fn<typeof own.kernelFunc>(own.kernelFunc);
    tf.unregisterKernel('Conv2DBackpropInput', 'wasm');
    tf.registerKernel({ ...own, kernelFunc });
    registerTrainingKernels();
    const [x, filter] = [tf.ones<tf.Rank.R4>([1, 3, 3, 2]), tf.ones<tf.Rank.R4>([3, 3, 2, 2])];
    const transpose = (size: number, stride: number, pad: 'valid' | 'same') =>
      tf.conv2dTranspose(x, filter, [1, size, size, 2], stride, pad).shape;
    // 5 − 3 + 1 and ⌈6 / 2⌉ are 3.
    expect(transpose(5, 1, 'valid')).toEqual([1, 5, 5, 2]);
    expect(transpose(6, 2, 'same')).toEqual([1, 6, 6, 2]);
    expect(kernelFunc).not.toHaveBeenCalled();
    expect(transpose(6, 1, 'valid')).toEqual([1, 6, 6, 2]);
    expect(transpose(7, 2, 'same')).toEqual([1, 7, 7, 2]);
    expect(kernelFunc).toHaveBeenCalledTimes(2);
  });
});
