import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { relu } from './conv-block.js';
import { multiHeadAttention } from './multi-head-attention.js';
import { SET_LATER } from './initialize-weights.js';

/** Shape of one Transformer layer. */
export interface TransformerLayerOptions {
  /** Prefix of the layers' names, for example `text/layers/0`. */
  readonly name: string;
  readonly heads: number;
  /** Hidden units of the feed-forward part. */
  readonly feedForward: number;
  /** Of the attention weights, after attention, inside of the feed-forward part and after it. */
  readonly dropout: number;
  /** `[B, 1, T]`, added to the scores of every head. */
  readonly mask: SymbolicTensor | undefined;
}

/**
 * One layer as PyTorch's `nn.TransformerEncoderLayer` by default: normalization after each part, ReLU, epsilon 1e-5.
 *
 * h = norm1(x + attention(x)),  y = norm2(h + linear2(ReLU(linear1(h))))
 *
 * `[B, T, D]` → `[B, T, D]`.
 */
export function transformerLayer(
  input: SymbolicTensor,
  { name, heads, feedForward, dropout, mask }: TransformerLayerOptions,
): SymbolicTensor {
  const width = input.shape[2] as number;
  const dropped = (x: SymbolicTensor, path: string): SymbolicTensor =>
    dropout > 0 ? (layers.dropout({ name: `${name}/${path}`, rate: dropout }).apply(x) as SymbolicTensor) : x;
  const addAndNormalize = (x: SymbolicTensor, part: SymbolicTensor, index: 1 | 2): SymbolicTensor => {
    const sum = layers.add({ name: `${name}/add${index}` }).apply([x, dropped(part, `dropout${index}`)]);
    return layers
      .layerNormalization({ name: `${name}/norm${index}`, epsilon: 1e-5 })
      .apply(sum) as SymbolicTensor;
  };

  const attended = multiHeadAttention(input, { name: `${name}/self_attn`, heads, dropout, mask });
  const first = addAndNormalize(input, attended, 1);
  const hidden = layers.dense({ ...SET_LATER, name: `${name}/linear1`, units: feedForward }).apply(first);
  const rectified = dropped(relu(hidden as SymbolicTensor, `${name}/relu`), 'dropout');
  const output = layers.dense({ ...SET_LATER, name: `${name}/linear2`, units: width }).apply(rectified);
  return addAndNormalize(first, output as SymbolicTensor, 2);
}
