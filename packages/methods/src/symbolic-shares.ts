import type { PerModality } from '@g2d/core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** Σ_m w_m u_m with fixed weights, from standard layers. */
export function symbolicFixed<M extends string>(
  logits: PerModality<M, SymbolicTensor>,
  weights: PerModality<M, number>,
): SymbolicTensor {
  const parts = (Object.keys(logits) as M[]).map(
    (modality) =>
      layers
        .rescaling({ name: `fusion/${modality}/share`, scale: weights[modality] })
        .apply(logits[modality]) as SymbolicTensor,
  );
  return (parts.length > 1 ? layers.add({ name: 'fusion/sum' }).apply(parts) : parts[0]) as SymbolicTensor;
}

/**
 * Σ_m w_m u_m with w = softmax over m of −H_m, from standard layers: −H_m is the dot product of the probabilities and their logarithms,
 * the sum one of the weights `[B, k]` and all logits `[B, k, C]`.
 */
export function symbolicByEntropy<M extends string>(
  logits: PerModality<M, SymbolicTensor>,
  classes: number,
): SymbolicTensor {
  const modalities = Object.keys(logits) as M[];
  const [first] = modalities as [M, ...M[]];
  // Its weight is 1, and layers that put several together refuse a single one.
  if (modalities.length === 1) return logits[first];
  const certainties = modalities.map((modality) => {
    const name = `fusion/${modality}`;
    const probabilities = layers.activation({ name: `${name}/probabilities`, activation: 'softmax' });
    // TensorFlow.js knows this activation, its types do not.
    const logarithms = layers.activation({ name: `${name}/logarithms`, activation: 'logSoftmax' as never });
    return layers
      .dot({ name: `${name}/certainty`, axes: 1 })
      .apply([
        probabilities.apply(logits[modality]) as SymbolicTensor,
        logarithms.apply(logits[modality]) as SymbolicTensor,
      ]) as SymbolicTensor;
  });
  const all = layers.concatenate({ name: 'fusion/certainties' }).apply(certainties) as SymbolicTensor;
  const shares = layers.activation({ name: 'fusion/shares', activation: 'softmax' }).apply(all);
  const rows = modalities.map(
    (modality) =>
      layers
        .reshape({ name: `fusion/${modality}/row`, targetShape: [1, classes] })
        .apply(logits[modality]) as SymbolicTensor,
  );
  const stack = layers.concatenate({ name: 'fusion/rows', axis: 1 }).apply(rows);
  return layers
    .dot({ name: 'fusion/sum', axes: [1, 1] })
    .apply([shares as SymbolicTensor, stack as SymbolicTensor]) as SymbolicTensor;
}
