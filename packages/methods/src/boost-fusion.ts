import { OptionError, perModality, type Fusion, type FusionOptions, type Outputs } from '@g2d/core';
import { lateFusion } from '@g2d/fusion';
import { initializeWeights } from '@g2d/encoders';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { presentRows } from './present-rows.js';

/** Name of b among a model's parameters. */
export const BOOST_RATE = 'fusion/rate/kernel';

/** What the fusion of ReconBoost gives beside the usual. */
export interface BoostedOutputs<M extends string> extends Outputs<M> {
  /** Logits of the modalities' own heads, of those that have one. */
  readonly ownLogits: Readonly<Partial<Record<M, tf.Tensor2D>>>;
  /** b. */
  readonly rate: tf.Scalar;
}

/**
 * The fusion that ReconBoost trains: one head for all modalities, and a learned number.
 *
 * u_m = h(f_m),  z = b Σ_m u_m, over the modalities that a sample has
 *
 * h is `head/shared`, one linear layer, or two with a ReLU between them; b begins with 1.
 *
 * @param options `hidden`: width of the first of two layers. `ownHeads`: modalities with a linear head `head/<modality>` of their own beside it.
 * @throws {OptionError} If the encoders' features are not equally wide.
 */
export function boostFusion<M extends string>(
  { widths, classes, seed }: FusionOptions<M>,
  { hidden, ownHeads }: { readonly hidden: number | undefined; readonly ownHeads: readonly M[] },
): Fusion<M> {
  const modalities = Object.keys(widths) as M[];
  const [width] = modalities.map((m) => widths[m]);
  if (width === undefined || modalities.some((m) => widths[m] !== width))
    throw new OptionError(
      `ReconBoost has one head for all modalities, but the features are not equally wide: ${modalities.map((m) => `${m} ${widths[m]}`).join(', ')}. Give all encoders the same width.`,
      { option: 'widths', value: widths, accepted: 'equal widths' },
    );
  const head = [
    ...(hidden === undefined
      ? []
      : [layers.dense({ name: 'head/hidden', units: hidden, activation: 'relu' })]),
    layers.dense({ name: 'head/shared', units: classes }),
  ];
  const symbolicHead = (x: SymbolicTensor): SymbolicTensor =>
    head.reduce((value, layer) => layer.apply(value) as SymbolicTensor, x);
  const features = input({ shape: [width] });
  initializeWeights(model({ inputs: features, outputs: symbolicHead(features) }), seed);
  // On a last axis of 1 a layer with one weight multiplies by it.
  const rate = layers.dense({ name: 'fusion/rate', units: 1, useBias: false, kernelInitializer: 'ones' });
  rate.apply(input({ shape: [classes, 1] }));
  const own =
    ownHeads.length > 0
      ? lateFusion({ widths: perModality(ownHeads, () => width), classes, seed })
      : undefined;
  return {
    modalities,
    widths,
    layers: [
      ...head.map((layer) => ({ layer, modality: undefined })),
      { layer: rate, modality: undefined },
      ...(own?.layers ?? []),
    ],
    apply: (encoded, { training, present }): BoostedOutputs<M> =>
      tf.tidy(() => {
        const given = perModality(modalities, (m) => presentRows(encoded[m], present?.[m]));
        const unimodalLogits = perModality(modalities, (m) =>
          head.reduce((value, layer) => layer.apply(value) as tf.Tensor2D, given[m]),
        );
        const b = tf.reshape(rate.weights[0]?.read() as tf.Tensor2D, []) as tf.Scalar;
        const parts = modalities.map((m) => presentRows(unimodalLogits[m], present?.[m]));
        const ownLogits = own
          ? { ...own.apply(given, { training }).unimodalLogits }
          : ({} as BoostedOutputs<M>['ownLogits']);
        return {
          features: given,
          logits: tf.mul<tf.Tensor2D>(tf.addN(parts), b),
          unimodalLogits,
          ownLogits,
          rate: b,
        };
      }),
    symbolic: (given) => {
      const unimodalLogits = perModality(modalities, (m) => symbolicHead(given[m]));
      const all = modalities.map((m) => unimodalLogits[m]);
      const sum = (all.length > 1 ? layers.add({ name: 'fusion/sum' }).apply(all) : all[0]) as SymbolicTensor;
      const column = layers.reshape({ name: 'fusion/column', targetShape: [classes, 1] }).apply(sum);
      const logits = layers
        .reshape({ name: 'fusion/logits', targetShape: [classes] })
        .apply(rate.apply(column) as SymbolicTensor) as SymbolicTensor;
      return { logits, unimodalLogits };
    },
  };
}
