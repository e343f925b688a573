import { initializeWeights } from '@g2d/encoders';
import { perModality, type Fusion, type PerModality } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/**
 * A fusion for encoders of other widths than it takes: a linear layer for each modality comes first.
 *
 * f_m ← V_m f_m + c_m, then the fusion
 *
 * The layers are called `projection/<modality>` and belong to their modality, as heads do. The features among the outputs are the
 * projected ones.
 *
 * @param fusion Of the widths that it is to have, for example `sharedHeadFusion`.
 * @param options `widths`: those of the encoders. `seed`: of the initial weights (Xavier normal, biases 0).
 * @example
 * const shared = sharedHeadFusion({ modalities: ['audio', 'image'], width: 64, classes: 10, seed: 0 });
 * const fusion = projectFeatures(shared, { widths: { audio: 64, image: 32 }, seed: 0 });
 */
export function projectFeatures<const M extends string>(
  fusion: Fusion<M>,
  { widths, seed }: { readonly widths: PerModality<M, number>; readonly seed: number },
): Fusion<M> {
  const { modalities } = fusion;
  const projections = perModality(modalities, (modality) => {
    const layer = layers.dense({ name: `projection/${modality}`, units: fusion.widths[modality] });
    const features = input({ shape: [widths[modality]] });
    const outputs = layer.apply(features) as SymbolicTensor;
    initializeWeights(model({ inputs: features, outputs }), seed);
    return layer;
  });
  return {
    modalities,
    widths,
    layers: [...modalities.map((modality) => ({ layer: projections[modality], modality })), ...fusion.layers],
    apply: (features, pass) =>
      tf.tidy(() => {
        const projected = perModality(
          modalities,
          (modality) => projections[modality].apply(features[modality]) as tf.Tensor2D,
        );
        // The fusion leaves the rows of absent samples out, so what a projection makes of them does not matter.
        return { ...fusion.apply(projected, pass) };
      }),
    symbolic: (features) =>
      fusion.symbolic(
        perModality(
          modalities,
          (modality) => projections[modality].apply(features[modality]) as SymbolicTensor,
        ),
      ),
  };
}
