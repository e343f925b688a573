import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { zeroMaskedAttention } from './zero-masked-attention.js';

/** How much wider the inner layer of the feed-forward part is. */
const INNER = 4;

/**
 * The block of TATE: attention that takes no step for one that is exactly 0, whose projections have no biases so that a step of zeros stays one, and a feed-forward part;
 * each is added to what it got, and normalized.
 *
 * h = LN(x + attention(x W_q, x W_k, x W_v)),  y = LN(h + W_2 relu(W_1 h + b_1) + b_2),  ε of LN 1e-8
 *
 * `[B, T, D]` → `[B, T, D]`. Layers: `<name>/attention/query`, `key`, `value`, `norm`, `<name>/feedForward/inner`, `outer`, `norm`.
 *
 * @param options `heads`: a divisor of D. `dropout`: of the attention's weights.
 * @see Zeng et al., Tag-assisted Multimodal Sentiment Analysis under Uncertain Missing Modalities (SIGIR 2022); released code, `module.py`
 */
export function zeroMaskedBlock(
  x: SymbolicTensor,
  { name, heads, dropout }: { readonly name: string; readonly heads: number; readonly dropout: number },
): SymbolicTensor {
  const width = x.shape[2] as number;
  const projected = (part: string): SymbolicTensor =>
    layers
      .dense({ name: `${name}/attention/${part}`, units: width, useBias: false })
      .apply(x) as SymbolicTensor;
  const added = (given: SymbolicTensor, part: SymbolicTensor, path: string): SymbolicTensor => {
    const sum = layers.add({ name: `${name}/${path}/add` }).apply([given, part]);
    return layers
      .layerNormalization({ name: `${name}/${path}/norm`, epsilon: 1e-8 })
      .apply(sum) as SymbolicTensor;
  };
  const attended = zeroMaskedAttention({ name: `${name}/attention/heads`, heads, dropout }).apply([
    projected('query'),
    projected('key'),
    projected('value'),
  ]) as SymbolicTensor;
  const first = added(x, attended, 'attention');
  const inner = layers
    .dense({ name: `${name}/feedForward/inner`, units: INNER * width, activation: 'relu' })
    .apply(first);
  const outer = layers.dense({ name: `${name}/feedForward/outer`, units: width }).apply(inner);
  return added(first, outer as SymbolicTensor, 'feedForward');
}
