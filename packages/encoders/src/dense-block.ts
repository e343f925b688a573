import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { batchNormalization, relu } from './conv-block.js';

/** Shape of one block. */
interface DenseBlockOptions {
  readonly units: number;
  /** Whether batch normalization stands before the ReLU. */
  readonly normalized: boolean;
  /** Share of values that training sets to 0; 0: no layer. */
  readonly dropout: number;
}

/**
 * Dense layer, batch normalization if wanted, ReLU, dropout: the block of the encoders of rows.
 *
 * `[B, D]` → `[B, units]`.
 *
 * @param path The name of the next layer; of all layers in their order, as PyTorch's `Sequential` numbers them.
 */
export function denseBlock(
  input: SymbolicTensor,
  path: () => string,
  { units, normalized, dropout }: DenseBlockOptions,
): SymbolicTensor {
  let x = layers.dense({ name: path(), units }).apply(input) as SymbolicTensor;
  if (normalized) x = batchNormalization(x, path());
  x = relu(x, path());
  return dropout > 0 ? (layers.dropout({ name: path(), rate: dropout }).apply(x) as SymbolicTensor) : x;
}
