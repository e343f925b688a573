import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { SGD, type SGDOptions } from '@g2d/tensor-ops';
import { SGD_KERNEL } from '@g2d/tensor-ops/tensorflow';
import { describe, expect, it, vi } from 'vitest';
import { normal } from '../../test/normal.js';
import { registerTrainingKernels } from './register.js';

const cases: Record<string, Omit<SGDOptions, 'learningRate'>> = {
  momentum: { momentum: 0.9 },
  'momentum and decay': { momentum: 0.9, weightDecay: 1e-2 },
  dampening: { momentum: 0.8, weightDecay: 1e-3, dampening: 0.3 },
  Nesterov: { momentum: 0.9, weightDecay: 1e-3, nesterov: true },
};

/** A variable and its velocity after some steps. */
function trained(options: (typeof cases)[string]): number[][] {
  return tf.tidy(() => {
    // Some numbers more than fill vectors.
    const variable = tf.variable(normal(1, 3, 7), true);
    const optimizer = new SGD([variable], { learningRate: 0.05, ...options });
    for (let step = 0; step < 5; step++) {
      optimizer.applyGradients([{ name: variable.name, tensor: normal(step, 3, 7) }]);
    }
    const velocity = optimizer.getState()[`${variable.name}/velocity`] as tf.Tensor;
    const found = [[...variable.dataSync()], [...velocity.dataSync()]];
    optimizer.dispose();
    variable.dispose();
    return found;
  });
}

describe('SGD on wasm', () => {
  it('gives the same bits as TensorFlow.js operations', async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
    const plain = Object.values(cases).map(trained);
    registerTrainingKernels();
    const kernel = tf.getKernel(SGD_KERNEL, 'wasm');
    const kernelFunc = vi.fn<typeof kernel.kernelFunc>(kernel.kernelFunc);
    tf.unregisterKernel(SGD_KERNEL, 'wasm');
    tf.registerKernel({ ...kernel, kernelFunc });
    expect(Object.values(cases).map(trained)).toEqual(plain);
    expect(kernelFunc).toHaveBeenCalledTimes(5 * plain.length);
  });
});
