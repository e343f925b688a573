import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { normal } from '../../test/normal.js';
import { accelerate } from '../accelerate.js';
import { gradCheck } from '@g2d/tensor-ops/testing';

const { layers } = tf;

/** Smooth, so that differences are exact: padded strided and depthwise convolution, both normalizations, a matrix product. */
function network(): tf.LayersModel {
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor) => layer.apply(x) as tf.SymbolicTensor;
  const inputs = tf.input({ shape: [6, 5, 2] });
  let x = apply(layers.zeroPadding2d({ padding: 1 }), inputs);
  x = apply(layers.conv2d({ filters: 3, kernelSize: 3, strides: 2 }), x);
  x = apply(layers.batchNormalization({ epsilon: 1e-2 }), x);
  x = apply(layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' }), x);
  x = apply(layers.layerNormalization({ epsilon: 1 }), x);
  x = apply(layers.dense({ units: 3 }), apply(layers.globalAveragePooling2d({}), x));
  const model = accelerate(tf.model({ inputs, outputs: x }));
  model.weights.forEach((weight, i) => {
    const values = normal(i + 1, ...(weight.shape as number[]));
    const positive = /variance|gamma/.test(weight.originalName);
    weight.write(positive ? tf.add(tf.abs(values), 0.5) : values);
  });
  return model;
}

for (const backend of ['tensorflow', 'wasm', 'cpu'] as const) {
  describe(`an accelerated model on ${backend}`, () => {
    beforeAll(async () => {
      await loadTensorFlow({ backend, quiet: true });
    });

    for (const training of [true, false]) {
      it(`has gradients that agree with central differences, ${training ? 'training' : 'inference'}`, () => {
        const model = network();
        gradCheck((x) => model.apply(x, { training }) as tf.Tensor, [normal(20, 3, 6, 5, 2)], {
          step: 1 / 32,
          tolerance: 5e-4,
        });
      });
    }

    it.each([
      ['time', [4, 2], () => layers.globalMaxPooling1d({})],
      ['height and width', [2, 2, 2], () => layers.globalMaxPooling2d({})],
    ] as const)('gives the gradient of a maximum over %s to the first of equals', (_, shape, pooling) => {
      const inputs = tf.input({ shape: [...shape] });
      const model = accelerate(tf.model({ inputs, outputs: pooling().apply(inputs) as tf.SymbolicTensor }));
      const x = tf.tensor([1, 5, 3, 0, 3, 5, 2, 5], [1, ...shape]);
      expect([...(model.predict(x) as tf.Tensor).dataSync()]).toEqual([3, 5]);
      const dx = tf.grad((value) => tf.sum(tf.mul(model.apply(value) as tf.Tensor, [7, 9])))(x);
      expect([...dx.dataSync()]).toEqual([0, 9, 7, 0, 0, 0, 0, 0]);
    });

    it('moves running statistics as PyTorch does', () => {
      const inputs = tf.input({ shape: [1, 1, 1] });
      const outputs = layers.batchNormalization({ momentum: 0.9 }).apply(inputs) as tf.SymbolicTensor;
      const model = accelerate(tf.model({ inputs, outputs }));
      model.apply(tf.tensor4d([1, 2, 3, 4], [4, 1, 1, 1]), { training: true });
      const [, , mean, variance] = model.getWeights();
      expect(mean!.dataSync()[0]).toBeCloseTo(0.25, 6);
      // Of 1, 2, 3, 4 the unbiased variance is 5/3.
      expect(variance!.dataSync()[0]).toBeCloseTo(0.9 + 0.1 * (5 / 3), 5);
    });
  });
}
