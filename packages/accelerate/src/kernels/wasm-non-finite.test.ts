import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { accelerate } from '../accelerate.js';
import { registerTrainingKernels } from './register.js';

const values = [NaN, Infinity, -Infinity, -2, 0.5, 7];
const operations: Readonly<Record<string, () => tf.Tensor>> = {
  relu6: () => tf.relu6(tf.tensor1d(values)),
  clipByValue: () => tf.clipByValue(tf.tensor1d(values), -1, 1),
  maximum: () => tf.maximum(tf.tensor2d(values, [6, 1]), tf.tensor1d([NaN, 1])),
  minimum: () => tf.minimum(tf.tensor2d(values, [6, 1]), tf.tensor1d([NaN, 1])),
  avgPool: () => tf.avgPool(tf.tensor4d([...values, 1, 2, 3, 4, 5, 6], [1, 3, 4, 1]), 2, 1, 'same'),
  'maximum of integers': () => tf.maximum(tf.tensor1d([1, 2], 'int32'), tf.scalar(2, 'int32')),
};

describe('kernels of wasm', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
    registerTrainingKernels();
  });

  it.each(Object.entries(operations))(
    'keep what is not finite as plain JavaScript does: %s',
    async (_, run) => {
      await tf.setBackend('cpu');
      const wanted = run();
      await tf.setBackend('wasm');
      const found = run();
      expect(found.dtype).toBe(wanted.dtype);
      expect(found.shape).toEqual(wanted.shape);
      expect([...found.dataSync()]).toEqual([...wanted.dataSync()]);
      expectNoLeak(() => tf.tidy(run));
    },
  );

  it('keep it in a model, with gradients', () => {
    const model = accelerate(
      tf.sequential({
        layers: [
          tf.layers.reLU({ inputShape: [4, 4, 1], maxValue: 6 }),
          tf.layers.averagePooling2d({ poolSize: 2 }),
          tf.layers.flatten(),
        ],
      }),
    );
    const x = tf.tensor4d(
      Array.from({ length: 16 }, (_, i) => (i === 0 ? NaN : i)),
      [1, 4, 4, 1],
    );
    const { value, grad } = tf.valueAndGrad((image) => model.apply(image) as tf.Tensor)(x, tf.ones([1, 4]));
    expect([...value.dataSync()]).toEqual([NaN, 4.25, 6, 6]);
    const [, second, third] = grad.dataSync();
    expect([second, third]).toEqual([0.25, 0.25]);
  });
});
