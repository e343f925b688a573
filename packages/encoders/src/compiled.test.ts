import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow, runtimeInfo } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlp } from './mlp.js';
import { resnet18 } from './resnet18.js';
import { transformer } from './transformer.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

/** How often each kernel runs in a forward pass; reshaping costs nothing and is left out. */
async function kernels(model: tf.LayersModel, inputs: tf.Tensor[]): Promise<Record<string, number>> {
  // The first pass also tries which operations there are.
  tf.dispose(model.apply(inputs, { training: true }) as tf.Tensor);
  const { kernels: runs } = await tf.profile(() => model.apply(inputs, { training: true }) as tf.Tensor);
  const counts: Record<string, number> = {};
  for (const { name } of runs) if (!/Reshape|Boundary/.test(name)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

// The numbers are right on plain layers too; these tests notice when the compiler stops recognizing an encoder.
describe('encoders are compiled to fast kernels', () => {
  const residual = { G2dConv2D: 20, G2dGlobalAverage: 1 };
  // With the kernels of @g2d/native, or as one operation of TensorFlow's after the other.
  const fused = process.env['G2D_KERNELS'] !== 'off';
  const pooling = fused ? { G2dMaxPoolNative: 1 } : { G2dMaxPool: 1 };
  /** What our pooling does with TensorFlow's, where it is not there, is its own. */
  const ours = (counts: Record<string, number>): Record<string, number> =>
    fused ? counts : Object.fromEntries(Object.entries(counts).filter(([name]) => name.startsWith('G2d')));

  it('ResNet-18', async () => {
    const model = resnet18({ name: 'image', inputShape: [32, 32, 3], seed: 0 });
    expect(ours(await kernels(model, [tf.zeros([2, 32, 32, 3])]))).toEqual({
      ...residual,
      ...(fused
        ? { G2dFusedBatchNorm: 11, G2dFusedBatchNormAddActivated: 8, G2dFusedBatchNormReluMaxPool: 1 }
        : // ReLU after pooling, a quarter of the values.
          {
            G2dBatchNorm: 12,
            G2dBatchNormActivated: 8,
            G2dPad: 1,
            ...pooling,
            G2dActivation: 1,
            G2dAddActivation: 8,
          }),
    });
  });

  it('ResNet-18 of frames: as many operations', async () => {
    const model = resnet18({ name: 'video', inputShape: [null, 32, 32, 3], seed: 0 });
    expect(ours(await kernels(model, [tf.zeros([2, 3, 32, 32, 3])]))).toEqual({
      ...residual,
      G2dPad: 1,
      ...pooling,
      ...(fused
        ? { G2dFusedBatchNorm: 12, G2dFusedBatchNormAddActivated: 8 }
        : { G2dBatchNorm: 11, G2dBatchNormActivated: 9, G2dAddActivation: 8 }),
    });
  });

  for (const paddingMask of [false, true]) {
    it(`the Transformer's attention, ${paddingMask ? 'with' : 'without'} a mask`, async () => {
      const options = { layers: 2, heads: 4, width: 16, feedForward: 24, paddingMask };
      const model = transformer({ name: 'text', inputShape: [7, 5], seed: 0, ...options });
      const inputs = [tf.zeros([2, 7, 5]), ...(paddingMask ? [tf.ones([2, 7])] : [])];
      const counts = await kernels(model, inputs);
      // The ReLU of the feed-forward part is a part of its first product.
      expect(counts).toMatchObject({ G2dLinear: 7, G2dLinearActivation: 2 });
      expect(counts).not.toHaveProperty('G2dActivation');
      // Products of ours need vectors of AVX2.
      const vectors = runtimeInfo()?.processor.vectors as string;
      const attends = fused && ['AVX2', 'AVX-512'].includes(vectors);
      expect(counts[attends ? 'G2dFusedAttention' : 'G2dAttention']).toBe(2);
      expect(counts[fused ? 'G2dFusedLayerNorm' : 'G2dLayerNorm']).toBe(4);
      // The sums before it, and their dropout, are a part of it. What is left is the mask's, and dropout of the feed-forward part.
      expect(counts['G2dDropout']).toBe(fused ? 2 : 6);
      expect(counts).not.toHaveProperty('Softmax');
      expect(counts).not.toHaveProperty('BatchMatMul');
    });
  }

  it('the MLP’s layers', async () => {
    const options = { hidden: [12, 6], features: 4 };
    const model = mlp({ name: 'shape', inputShape: [8], seed: 0, ...options });
    expect(await kernels(model, [tf.zeros([2, 8])])).toEqual({
      G2dLinear: 1,
      G2dLinearActivation: 2,
    });
  });
});
