import {
  OptionError,
  perModality,
  type Fusion,
  type FusionOptions,
  type Model,
  type Outputs,
  type PerModality,
} from '@g2d/core';
import { initializeWeights } from '@g2d/encoders';
import { lateFusion } from '@g2d/fusion';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** What `mmtmFusion` gives beside the usual. */
export interface MmtmOutputs<M extends string> extends Outputs<M> {
  /** e_m `[B, D_m]`, in (0, 1). */
  readonly excitations: PerModality<M, tf.Tensor2D>;
}

/**
 * Branches that see each other through excitations: an MMTM, multimodal transfer module, on the encoders' features.
 *
 * h = relu(W_s [f_1; …; f_k] + b_s),  e_m = σ(W_m h + b_m),  u_m = V_m (e_m ⊙ f_m) + c_m,  z = mean of u_m over the modalities that a sample has
 *
 * h has 2 Σ D_m / `ratio` units. The layers are `fusion/squeeze`, which is shared, `fusion/excite/<modality>` and `head/<modality>`. On feature maps that are averaged
 * before the head an MMTM is the same on the averages. Absent features are 0, also in h.
 *
 * @see Joze et al., MMTM (CVPR 2020)
 */
export function mmtmFusion<M extends string>(
  given: FusionOptions<M>,
  { ratio }: { readonly ratio: number },
): Fusion<M> {
  const heads = lateFusion(given);
  const { modalities, widths } = heads;
  const width = modalities.reduce((sum, m) => sum + widths[m], 0);
  const units = Math.max(1, Math.trunc((2 * width) / ratio));
  const { seed } = given;
  const squeeze = dense('fusion/squeeze', { width, units, activation: 'relu', seed });
  const excite = perModality(modalities, (m) =>
    dense(`fusion/excite/${m}`, { width: units, units: widths[m], activation: 'sigmoid', seed }),
  );
  return {
    modalities,
    widths,
    layers: [
      { layer: squeeze, modality: undefined },
      ...modalities.map((m) => ({ layer: excite[m], modality: m })),
      ...heads.layers,
    ],
    apply: (encoded, pass) =>
      tf.tidy(() => {
        // Selected, not multiplied: 0 · NaN is NaN.
        const features = perModality(modalities, (m) => {
          const mask = pass.present?.[m];
          if (!mask) return encoded[m];
          return tf.where(tf.greater(tf.expandDims(mask, 1), 0), encoded[m], tf.zerosLike(encoded[m]));
        });
        const squeezed = squeeze.apply(
          tf.concat(
            modalities.map((m) => features[m]),
            1,
          ),
        ) as tf.Tensor2D;
        const excitations = perModality(modalities, (m) => excite[m].apply(squeezed) as tf.Tensor2D);
        const excited = perModality(modalities, (m) => tf.mul<tf.Tensor2D>(features[m], excitations[m]));
        const { logits, unimodalLogits } = heads.apply(excited, pass);
        return { features, excitations, logits, unimodalLogits };
      }),
    symbolic(features) {
      const all = modalities.map((m) => features[m]);
      const together = all.length > 1 ? layers.concatenate({ name: 'fusion/concat' }).apply(all) : all[0];
      const squeezed = squeeze.apply(together as SymbolicTensor) as SymbolicTensor;
      return heads.symbolic(
        perModality(modalities, (m) => {
          const excitation = excite[m].apply(squeezed) as SymbolicTensor;
          return layers
            .multiply({ name: `fusion/excited/${m}` })
            .apply([features[m], excitation]) as SymbolicTensor;
        }),
      );
    },
  };
}

function dense(
  name: string,
  {
    width,
    units,
    activation,
    seed,
  }: {
    readonly width: number;
    readonly units: number;
    readonly activation: 'relu' | 'sigmoid';
    readonly seed: number;
  },
): layers.Layer {
  const layer = layers.dense({ name, units, activation });
  const features = input({ shape: [width] });
  initializeWeights(model({ inputs: features, outputs: layer.apply(features) as SymbolicTensor }), seed);
  return layer;
}

/**
 * The weights of a model's `mmtmFusion`, to go through a part of it with other values.
 *
 * @throws {OptionError} If the model has another fusion.
 */
export function mmtmOf<M extends string>({ modalities, parameters }: Model<M>) {
  const variables = new Map(parameters.map(({ name, variable }) => [name, variable]));
  const names = ['fusion/squeeze', ...modalities.flatMap((m) => [`fusion/excite/${m}`, `head/${m}`])];
  if (names.some((name) => !variables.has(`${name}/kernel`)))
    throw new OptionError(
      "Greedy needs branches that see each other through excitations. Build the model's fusion with the method's own `fusion`.",
      { option: 'model', value: undefined, accepted: 'the fusion of Greedy' },
    );
  const linear = (name: string, x: tf.Tensor2D): tf.Tensor2D => {
    const [kernel, bias] = [variables.get(`${name}/kernel`), variables.get(`${name}/bias`)];
    return tf.add(tf.matMul(x, kernel as tf.Variable<tf.Rank.R2>), bias as tf.Variable<tf.Rank.R1>);
  };
  return {
    /** D_m. */
    widthOf: (m: M): number => (variables.get(`head/${m}/kernel`) as tf.Variable).shape[0] as number,
    /** u_m with another excitation `[D_m]` or `[B, D_m]`. */
    logits: (m: M, features: tf.Tensor2D, excitation: tf.Tensor): tf.Tensor2D =>
      linear(`head/${m}`, tf.mul(features, excitation)),
    /** e_m of other features. */
    excitation: (m: M, features: PerModality<M, tf.Tensor2D>): tf.Tensor2D => {
      const all = tf.concat(
        modalities.map((other) => features[other]),
        1,
      );
      return tf.sigmoid(linear(`fusion/excite/${m}`, tf.relu(linear('fusion/squeeze', all))));
    },
  };
}
