import { perModality, type Fusion, type FusionOptions, type Outputs } from '@g2d/core';
import { denseNetwork } from '@g2d/fusion';
import * as tf from '@tensorflow/tfjs-core';
import { initializeDense } from './initialization.js';
import { joined, joinedSymbolic } from './joined-features.js';
import { residualAutoencoder } from './residual-autoencoder.js';

/** What the fusion of MMIN gives beside the usual; all but the latents are as wide as the features side by side. */
export interface ImaginedOutputs<M extends string> extends Outputs<M> {
  /** h. */
  readonly joined: tf.Tensor2D;
  /** h′: what is imagined of the missing modalities. */
  readonly imagined: tf.Tensor2D;
  /** h″: h again, imagined from h′. */
  readonly cycled: tf.Tensor2D;
  /** What the classifier gets `[B, blocks · D]`. */
  readonly latents: tf.Tensor2D;
}

/** Sizes of MMIN's networks. */
export interface MminSizes {
  readonly units: readonly number[];
  readonly blocks: number;
  readonly hidden: readonly number[];
  readonly dropout: number;
  readonly shareWeights: boolean;
  readonly initialization: 'xavier' | 'normal' | 'kaiming';
}

/**
 * The fusion that MMIN trains.
 *
 * h = [f_1; …; f_k],  (h′, l) = AE(h),  h″ = AE′(h′),  z = MLP(l)
 *
 * The networks are `fusion/autoencoder`, `fusion/cycle` (none with `shareWeights`: AE′ = AE) and `fusion/classifier`. u_m is z of the features with zeros in place of the other
 * modalities'. A pass without masks sees e_m(0) of a missing input.
 */
export function mminFusion<M extends string>(
  { widths, classes, seed }: FusionOptions<M>,
  { units, blocks, hidden, dropout, shareWeights, initialization }: MminSizes,
): Fusion<M> {
  const modalities = Object.keys(widths) as M[];
  const width = modalities.reduce((sum, m) => sum + widths[m], 0);
  const autoencoder = (name: string) => residualAutoencoder(name, { width, units, blocks, seed });
  const forth = autoencoder('fusion/autoencoder');
  const back = shareWeights ? forth : autoencoder('fusion/cycle');
  const classifier = denseNetwork('fusion/classifier', {
    width: blocks * (units.at(-1) as number),
    units: [...hidden, classes],
    dropout,
    seed,
  });
  const layers = [...new Set([...forth.layers, ...back.layers, ...classifier.layers])];
  initializeDense(layers, { rule: initialization, seed });
  return {
    modalities,
    widths,
    layers: layers.map((layer) => ({ layer, modality: undefined })),
    apply: (given, { training, present }): ImaginedOutputs<M> =>
      tf.tidy(() => {
        const { features, all, alone } = joined(modalities, given, present);
        const { output: imagined, latents } = forth.apply(all);
        return {
          features,
          joined: all,
          imagined,
          latents,
          cycled: back.apply(imagined).output,
          logits: classifier.apply(latents, { training }),
          unimodalLogits: perModality(modalities, (m) =>
            classifier.apply(forth.apply(alone[m]).latents, { training }),
          ),
        };
      }),
    symbolic(features) {
      const { all, alone } = joinedSymbolic(modalities, features);
      return {
        logits: classifier.symbolic(forth.symbolic(all, 'fusion/cascade').latents),
        unimodalLogits: perModality(modalities, (m) =>
          classifier.symbolic(forth.symbolic(alone[m], `unimodal/${m}/cascade`).latents),
        ),
      };
    },
  };
}
