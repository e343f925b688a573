import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** A number that is learned, and products with it. */
export interface LearnedScalar {
  readonly layer: layers.Layer;
  /** `[1, 1]`. */
  value(): tf.Tensor2D;
  /** The number times each of `[B, D]`. */
  symbolic(x: SymbolicTensor, name: string): SymbolicTensor;
}

/** A learned number that begins with 1: the one weight of a linear layer without bias. */
export function learnedScalar(name: string): LearnedScalar {
  const layer = layers.dense({ name, units: 1, useBias: false, kernelInitializer: 'ones' });
  const one = input({ shape: [1] });
  model({ inputs: one, outputs: layer.apply(one) as SymbolicTensor });
  return {
    layer,
    value: () => layer.weights[0]?.read() as tf.Tensor2D,
    // A linear layer takes the last axis.
    symbolic(x, path) {
      const width = x.shape[1] as number;
      const columns = layers.reshape({ name: `${path}/columns`, targetShape: [width, 1] }).apply(x);
      const scaled = layer.apply(columns);
      return layers.reshape({ name: `${path}/scaled`, targetShape: [width] }).apply(scaled) as SymbolicTensor;
    },
  };
}
