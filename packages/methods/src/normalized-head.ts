import { accelerate } from '@g2d/accelerate';
import { initializeWeights } from '@g2d/encoders';
import type * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** A head that has to know whether it trains. */
export interface Head {
  /** Those with weights. */
  readonly layers: readonly layers.Layer[];
  apply(x: tf.Tensor2D, mode: { readonly training: boolean }): tf.Tensor2D;
  symbolic(x: SymbolicTensor): SymbolicTensor;
}

interface HeadOptions {
  readonly width: number;
  /** Widths of the hidden layers. */
  readonly hidden: readonly number[];
  /** Of the values after each hidden layer, the share that training sets to 0. */
  readonly dropout: readonly number[];
  readonly outputs: number;
  /** Of the initial weights. */
  readonly seed: number;
  /** Batch normalization of the input, called `<name>/norm`. Default: none. */
  readonly norm?: boolean;
}

/**
 * For each hidden layer linear, batch normalization, ReLU, dropout; then linear. `[B, width]` → `[B, outputs]`.
 *
 * Layers are numbered as in a sequence of PyTorch: `<name>/0` linear, `<name>/1` normalization, `<name>/4` linear and so on. Without hidden layers there is
 * one linear layer, `<name>`.
 */
export function normalizedHead(name: string, options: HeadOptions): Head {
  const { width, hidden, dropout, outputs, seed, norm = false } = options;
  const normalization = (path: string): layers.Layer =>
    layers.batchNormalization({ name: path, momentum: 0.9, epsilon: 1e-5 });
  const all: layers.Layer[] = norm ? [normalization(`${name}/norm`)] : [];
  hidden.forEach((units, i) => {
    const path = (place: number): string => `${name}/${4 * i + place}`;
    all.push(
      layers.dense({ name: path(0), units }),
      normalization(path(1)),
      layers.activation({ name: path(2), activation: 'relu' }),
      layers.dropout({ name: path(3), rate: dropout[i] ?? 0 }),
    );
  });
  all.push(layers.dense({ name: hidden.length > 0 ? `${name}/${4 * hidden.length}` : name, units: outputs }));
  const through = (x: SymbolicTensor): SymbolicTensor =>
    all.reduce((y, layer) => layer.apply(y) as SymbolicTensor, x);
  const features = input({ shape: [width] });
  const whole = model({ name: `${name}/head`, inputs: features, outputs: through(features) });
  initializeWeights(whole, seed);
  accelerate(whole);
  return {
    layers: all.filter(({ weights }) => weights.length > 0),
    apply: (x, { training }) => whole.apply(x, { training }) as tf.Tensor2D,
    symbolic: through,
  };
}
