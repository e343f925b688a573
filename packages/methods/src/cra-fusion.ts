import { OptionError, perModality, type Fusion, type FusionOptions, type Outputs } from '@g2d/core';
import { denseNetwork } from '@g2d/fusion';
import * as tf from '@tensorflow/tfjs-core';
import { initializeDense } from './initialization.js';
import { joined, joinedSymbolic } from './joined-features.js';
import { residualAutoencoder } from './residual-autoencoder.js';

/** What the fusion of CRA gives beside the usual. */
export interface ImputedOutputs<M extends string> extends Outputs<M> {
  /** h `[B, Σ D_m]`: the features side by side. */
  readonly joined: tf.Tensor2D;
  /** g, of the same shape: what the cascade makes of them. */
  readonly hidden: tf.Tensor2D;
  /** x̂^m `[B, d_m]`: the inputs, flattened, that are seen in g. */
  readonly imputed: Record<M, tf.Tensor2D>;
}

/** Sizes of CRA's networks. */
export interface CraSizes {
  readonly units: readonly number[];
  readonly blocks: number;
  readonly hidden: readonly number[];
  readonly dropout: number;
  readonly initialization: 'xavier' | 'normal' | 'kaiming';
}

/** d_m: how many numbers a sample of each modality has. */
function inputSizes<M extends string>({ widths, inputShapes }: FusionOptions<M>): Record<M, number> {
  return perModality(Object.keys(widths) as M[], (m) => {
    const shape = inputShapes?.[m];
    if (shape && !shape.includes(null))
      return (shape as readonly number[]).reduce((size, axis) => size * axis, 1);
    throw new OptionError(
      shape
        ? `CRA reconstructs inputs, but those of ${m} are of free length: [${shape.map((axis) => axis ?? 'free').join(', ')}]. Give features of a fixed shape, such as means over time.`
        : `CRA reconstructs inputs, but nothing says of what shape those of ${m} are. Give \`inputShapes\`.`,
      { option: `inputShapes.${m}`, value: shape, accepted: 'a shape without a free axis' },
    );
  });
}

/**
 * The fusion that CRA trains.
 *
 * h = [f_1; …; f_k],  g = cascade(h),  z = MLP(g),  x̂^m = MLP_m(g)
 *
 * The networks are `fusion/autoencoder` (`residualAutoencoder`), `fusion/classifier` and, for each modality, the decoder `head/<modality>`. u_m is z of the features with zeros
 * in place of the other modalities'. A pass without masks sees e_m(0) of a missing input.
 *
 * @throws {OptionError} If an input's shape is not known, or has a free axis.
 */
export function craFusion<M extends string>(
  spec: FusionOptions<M>,
  { units, blocks, hidden, dropout, initialization }: CraSizes,
): Fusion<M> {
  const { widths, classes, seed } = spec;
  const modalities = Object.keys(widths) as M[];
  const sizes = inputSizes(spec);
  const width = modalities.reduce((sum, m) => sum + widths[m], 0);
  const network = (name: string, outputs: number) =>
    denseNetwork(name, { width, units: [...hidden, outputs], dropout, seed });
  const cascade = residualAutoencoder('fusion/autoencoder', { width, units, blocks, seed });
  const classifier = network('fusion/classifier', classes);
  const decoders = perModality(modalities, (m) => network(`head/${m}`, sizes[m]));
  const layers = [
    ...[...cascade.layers, ...classifier.layers].map((layer) => ({ layer, modality: undefined })),
    ...modalities.flatMap((m) => decoders[m].layers.map((layer) => ({ layer, modality: m }))),
  ];
  initializeDense(
    layers.map(({ layer }) => layer),
    { rule: initialization, seed },
  );
  return {
    modalities,
    widths,
    layers,
    apply: (given, { training, present }): ImputedOutputs<M> =>
      tf.tidy(() => {
        const { features, all, alone } = joined(modalities, given, present);
        const { output: g } = cascade.apply(all);
        return {
          features,
          joined: all,
          hidden: g,
          logits: classifier.apply(g, { training }),
          unimodalLogits: perModality(modalities, (m) =>
            classifier.apply(cascade.apply(alone[m]).output, { training }),
          ),
          imputed: perModality(modalities, (m) => decoders[m].apply(g, { training })),
        };
      }),
    symbolic(features) {
      const { all, alone } = joinedSymbolic(modalities, features);
      return {
        logits: classifier.symbolic(cascade.symbolic(all, 'fusion/cascade').output),
        unimodalLogits: perModality(modalities, (m) =>
          classifier.symbolic(cascade.symbolic(alone[m], `unimodal/${m}/cascade`).output),
        ),
      };
    },
  };
}
