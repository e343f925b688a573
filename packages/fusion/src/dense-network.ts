import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type * as tf from '@tensorflow/tfjs-core';
import { checkKeys } from '@g2d/core';
import { accelerate } from '@g2d/accelerate';
import { initializeWeights } from '@g2d/encoders';

/** Sizes of a dense network. */
export interface DenseNetworkOptions {
  readonly width: number;
  /** Units of each layer, the last one's are the outputs. */
  readonly units: readonly number[];
  /** Between the layers; nothing comes after the last. Default `'relu'`. */
  readonly activation?: 'relu' | 'leaky-relu';
  /** Share of the values that training sets to 0 after each activation. Default 0. */
  readonly dropout?: number;
  readonly seed: number;
}

/** A part of a fusion: dense layers one after another, `[B, width]` → `[B, units]`. */
export interface DenseNetwork {
  readonly layers: readonly layers.Layer[];
  /** Its outputs `[B, units]` for rows `[B, width]`; in training with dropout. */
  apply(x: tf.Tensor2D, pass: { readonly training: boolean }): tf.Tensor2D;
  /** The same on symbolic tensors, without dropout, for an export. */
  symbolic(x: SymbolicTensor): SymbolicTensor;
}

/** PyTorch's slope of a leaky ReLU. */
const SLOPE = 0.01;

/**
 * Dense layers with activation and dropout between them. The layers are `<name>/0`, `<name>/1` and so on.
 *
 * @param name Of the network, for example `fusion/classifier`.
 * @example
 * const head = denseNetwork('fusion/classifier', { width: 384, units: [128, 128, 4], dropout: 0.5, seed: 0 });
 * const logits = head.apply(features, { training: true });
 */
export function denseNetwork(name: string, options: DenseNetworkOptions): DenseNetwork {
  const {
    width,
    units,
    activation = 'relu',
    dropout = 0,
    seed,
  } = checkKeys(
    options,
    { width: true, units: true, activation: true, dropout: true, seed: true },
    'denseNetwork',
  );
  const dense = units.map((size, i) => layers.dense({ name: `${name}/${i}`, units: size }));
  const features = input({ shape: [width] });
  const outputs = dense.reduce((x, layer, i) => {
    const y = layer.apply(x) as SymbolicTensor;
    if (i === dense.length - 1) return y;
    const path = `${name}/${i}/${activation}`;
    const activated =
      activation === 'relu'
        ? layers.activation({ name: path, activation }).apply(y)
        : layers.leakyReLU({ name: path, alpha: SLOPE }).apply(y);
    return (
      dropout > 0
        ? layers.dropout({ name: `${name}/${i}/dropout`, rate: dropout }).apply(activated)
        : activated
    ) as SymbolicTensor;
  }, features);
  const network = model({ name, inputs: features, outputs });
  initializeWeights(network, seed);
  accelerate(network);
  return {
    layers: dense,
    apply: (x, { training }) => network.apply(x, { training }) as tf.Tensor2D,
    symbolic: (x) => network.apply(x) as SymbolicTensor,
  };
}
