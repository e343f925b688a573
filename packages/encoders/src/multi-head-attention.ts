import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { SET_LATER } from './initialize-weights.js';

/**
 * Multi-head self-attention as PyTorch's `nn.MultiheadAttention`, from standard layers only, so that a saved model needs
 * nothing but TensorFlow.js.
 *
 * head_h = dropout(softmax(Q_h K_hᵀ / √d + mask)) V_h,  y = [head_1; …; head_H] W + b,  d = D / H
 *
 * TensorFlow.js has no attention layer, and its products of batches take three axes at most: so every head is sliced out
 * of one projection (all queries, all keys, all values, as in PyTorch's `in_proj`) and multiplied by itself.
 * `accelerate` recognizes the result and runs it as one kernel.
 *
 * @param input `[B, T, D]`, T may be unknown.
 * @param options `heads`: H, must divide D. `dropout`: of the attention weights, no layers if 0. `mask`: `[B, 1, T]`, added to
 * the scores.
 * @returns `[B, T, D]`.
 * @see Vaswani et al., "Attention Is All You Need", NeurIPS 2017, Sec. 3.2
 */
export function multiHeadAttention(
  input: SymbolicTensor,
  {
    name,
    heads,
    dropout,
    mask,
  }: {
    readonly name: string;
    readonly heads: number;
    readonly dropout: number;
    readonly mask: SymbolicTensor | undefined;
  },
): SymbolicTensor {
  const [, time, width] = input.shape as [null, number | null, number];
  const size = width / heads;
  const steps = time ?? -1;

  const projected = layers.dense({ ...SET_LATER, name: `${name}/in_proj`, units: 3 * width }).apply(input);
  const parts = layers
    .reshape({ name: `${name}/parts`, targetShape: [steps, 3 * heads, size] })
    .apply(projected);
  const slice = (part: number, head: number): SymbolicTensor => {
    const path = `${name}/${['query', 'key', 'value'][part]}/${head}`;
    const index = part * heads + head;
    const cropped = layers
      .cropping2D({
        name: `${path}/slice`,
        cropping: [
          [0, 0],
          [index, 3 * heads - 1 - index],
        ],
      })
      .apply(parts);
    return layers.reshape({ name: path, targetShape: [steps, size] }).apply(cropped) as SymbolicTensor;
  };

  const attended = Array.from({ length: heads }, (_, head) => {
    const [query, key, value] = [slice(0, head), slice(1, head), slice(2, head)];
    const products = layers.dot({ name: `${name}/products/${head}`, axes: [2, 2] }).apply([query, key]);
    const scaled = layers
      .rescaling({ name: `${name}/scores/${head}`, scale: 1 / Math.sqrt(size), offset: 0 })
      .apply(products) as SymbolicTensor;
    const scores = mask ? layers.add({ name: `${name}/masked/${head}` }).apply([scaled, mask]) : scaled;
    let weights = layers
      .activation({ name: `${name}/weights/${head}`, activation: 'softmax' })
      .apply(scores) as SymbolicTensor;
    if (dropout > 0) {
      weights = layers
        .dropout({ name: `${name}/weights/${head}/dropout`, rate: dropout })
        .apply(weights) as SymbolicTensor;
    }
    return layers
      .dot({ name: `${name}/attended/${head}`, axes: [2, 1] })
      .apply([weights, value]) as SymbolicTensor;
  });
  // Concatenation refuses a single input, of which it is the identity.
  const joined =
    heads > 1
      ? layers.concatenate({ name: `${name}/heads`, axis: -1 }).apply(attended)
      : (attended[0] as SymbolicTensor);
  return layers
    .dense({ ...SET_LATER, name: `${name}/out_proj`, units: width })
    .apply(joined) as SymbolicTensor;
}
