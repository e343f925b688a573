import { input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { initializeWeights } from '@g2d/encoders';
import { accelerate } from '@g2d/accelerate';
import { perModality, type PerModality, type FusionLayer } from '@g2d/core';

/** Sizes of the network behind `crossAttentionFusion`. */
interface AttentionNetworkOptions<M extends string> {
  readonly modalities: readonly M[];
  readonly widths: PerModality<M, number>;
  readonly classes: number;
  readonly seed: number;
  readonly hidden: number;
  readonly heads: number;
}

/** The network behind `crossAttentionFusion`, from standard layers only; both forms share the weights. */
interface AttentionNetwork<M extends string> {
  /** Features of each modality, `[B, D_m]` → logits `[B, C]`. */
  readonly plain: LayersModel;
  /** The same with one input more, `[B, k]`: 1 for modalities that are there, 0 for those that are not. */
  readonly masked: LayersModel;
  /** Every layer with weights. */
  readonly layers: readonly FusionLayer<M>[];
}

/** In float32 the exponential of a score that is lower by this is exactly 0. */
const NOBODY_ATTENDS = 1e9;

/** Builds the network; see `crossAttentionFusion` for its formula. */
export function attentionNetwork<M extends string>({
  modalities,
  widths,
  classes,
  seed,
  hidden,
  heads,
}: AttentionNetworkOptions<M>): AttentionNetwork<M> {
  const k = modalities.length;
  const projections = perModality(modalities, (modality) =>
    layers.dense({ name: `head/${modality}/projection`, units: hidden }),
  );
  const inProjection = layers.dense({ name: 'fusion/attention/in_proj', units: 3 * hidden });
  const outProjection = layers.dense({ name: 'fusion/attention/out_proj', units: hidden });
  const norm = layers.layerNormalization({ name: 'fusion/norm', epsilon: 1e-5 });
  const out = layers.dense({ name: 'fusion/fc_out', units: classes });

  const build = (masked: boolean): LayersModel => {
    const features = modalities.map((modality) =>
      input({ shape: [widths[modality]], name: `fusion/features/${modality}` }),
    );
    const present = input({ shape: [k], name: 'fusion/present' });
    const tokens = modalities.map((modality, i) => {
      const token = projections[modality].apply(features[i] as SymbolicTensor);
      return layers
        .reshape({ name: `fusion/token/${modality}`, targetShape: [1, hidden] })
        .apply(token) as SymbolicTensor;
    });
    const x = layers.concatenate({ name: 'fusion/tokens', axis: 1 }).apply(tokens) as SymbolicTensor;
    const heard = attendedValues(inProjection.apply(x) as SymbolicTensor, {
      heads,
      mask: masked ? additiveMask(present, k) : undefined,
    });
    const attended = outProjection.apply(heard) as SymbolicTensor;
    let y = norm.apply(layers.add({ name: 'fusion/attention/add' }).apply([x, attended])) as SymbolicTensor;
    if (masked) {
      const rows = layers.reshape({ name: 'fusion/present/rows', targetShape: [k, 1] }).apply(present);
      y = layers
        .multiply({ name: 'fusion/present/tokens' })
        .apply([y, rows as SymbolicTensor]) as SymbolicTensor;
    }
    const flat = layers.reshape({ name: 'fusion/concat', targetShape: [k * hidden] }).apply(y);
    return model({
      name: 'fusion',
      inputs: masked ? [...features, present] : features,
      outputs: out.apply(flat) as SymbolicTensor,
    });
  };

  const [plain, masked] = [build(false), build(true)];
  initializeWeights(plain, seed);
  return {
    plain: accelerate(plain),
    masked: accelerate(masked),
    layers: [
      ...modalities.map((modality) => ({ layer: projections[modality], modality })),
      ...[inProjection, outProjection, norm, out].map((layer) => ({ layer, modality: undefined })),
    ],
  };
}

/** `[B, k]`, 1 or 0 → `[B, 1, k]`, 0 or −10⁹, to be added to the scores. */
function additiveMask(present: SymbolicTensor, k: number): SymbolicTensor {
  const scores = layers
    .rescaling({ name: 'fusion/present/scores', scale: NOBODY_ATTENDS, offset: -NOBODY_ATTENDS })
    .apply(present);
  return layers.reshape({ name: 'fusion/present/mask', targetShape: [1, k] }).apply(scores) as SymbolicTensor;
}

/**
 * `[B, k, 3·d]`, all queries, all keys, all values as PyTorch's `in_proj` gives them → `[B, k, d]`, the heads beside each
 * other. TensorFlow.js has no attention layer, and its products of batches take three axes at most, so every head is sliced
 * out and multiplied by itself; `accelerate` runs the whole as one kernel.
 */
function attendedValues(
  projected: SymbolicTensor,
  { heads, mask }: { readonly heads: number; readonly mask: SymbolicTensor | undefined },
): SymbolicTensor {
  const [, k, width] = projected.shape as [null, number, number];
  const size = width / (3 * heads);
  const name = 'fusion/attention';
  const parts = layers.reshape({ name: `${name}/parts`, targetShape: [k, 3 * heads, size] }).apply(projected);
  const slice = (part: 'query' | 'key' | 'value', index: number, head: number): SymbolicTensor => {
    const path = `${name}/${part}/${head}`;
    const before = index * heads + head;
    const columns: [number, number] = [before, 3 * heads - 1 - before];
    const cropped = layers.cropping2D({ name: `${path}/slice`, cropping: [[0, 0], columns] }).apply(parts);
    return layers.reshape({ name: path, targetShape: [k, size] }).apply(cropped) as SymbolicTensor;
  };
  const all = Array.from({ length: heads }, (_, head) => {
    const [query, key, value] = [
      slice('query', 0, head),
      slice('key', 1, head),
      slice('value', 2, head),
    ] as const;
    const products = layers.dot({ name: `${name}/products/${head}`, axes: [2, 2] }).apply([query, key]);
    const scaled = layers
      .rescaling({ name: `${name}/scores/${head}`, scale: 1 / Math.sqrt(size), offset: 0 })
      .apply(products) as SymbolicTensor;
    const scores = mask ? layers.add({ name: `${name}/masked/${head}` }).apply([scaled, mask]) : scaled;
    const weights = layers
      .activation({ name: `${name}/weights/${head}`, activation: 'softmax' })
      .apply(scores) as SymbolicTensor;
    return layers
      .dot({ name: `${name}/attended/${head}`, axes: [2, 1] })
      .apply([weights, value]) as SymbolicTensor;
  });
  // Concatenation refuses a single input, of which it is the identity.
  return heads > 1
    ? (layers.concatenate({ name: `${name}/heads`, axis: -1 }).apply(all) as SymbolicTensor)
    : (all[0] as SymbolicTensor);
}
