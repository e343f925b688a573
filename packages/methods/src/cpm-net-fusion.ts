import {
  OptionError,
  perModality,
  type Fusion,
  type FusionOptions,
  type Model,
  type PerModality,
} from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { presentRows } from './present-rows.js';

/** Kernel and bias of each layer. */
export type Decoder = readonly (readonly [kernel: tf.Tensor2D, bias: tf.Tensor1D])[];

/** Uniform in ±√(6 / (fan-in + fan-out)). */
export function xavierUniform(
  seed: number,
  name: string,
  [rows, columns]: readonly [number, number],
): Float32Array {
  const bound = Math.sqrt(6 / (rows + columns));
  const random = randomStream(deriveSeed(seed, name));
  return Float32Array.from({ length: rows * columns }, () => bound * (2 * random.uniform() - 1));
}

/**
 * What of CPM-Net is a model: for each modality linear layers, one after another without an activation, from a latent vector to the features,
 * `head/<modality>/decoder/0` and so on. Latent vectors are the method's, and so are predictions: the logits of the model alone are 0.
 *
 * @param options `latent`: d. `hidden`: widths of the layers between.
 */
export function cpmNetFusion<M extends string>(
  { widths, classes, seed }: FusionOptions<M>,
  { latent, hidden }: { readonly latent: number; readonly hidden: readonly number[] },
): Fusion<M> {
  const modalities = Object.keys(widths) as M[];
  const all = modalities.flatMap((modality) => {
    const vector = input({ shape: [latent] });
    let x: SymbolicTensor = vector;
    const own = [...hidden, widths[modality]].map((units, i) => {
      const layer = layers.dense({ name: `head/${modality}/decoder/${i}`, units });
      x = layer.apply(x) as SymbolicTensor;
      return layer;
    });
    model({ inputs: vector, outputs: x });
    for (const layer of own)
      tf.tidy(() => {
        const kernel = layer.weights[0] as NonNullable<(typeof layer.weights)[0]>;
        const shape = kernel.shape as [number, number];
        kernel.write(tf.tensor2d(xavierUniform(seed, `initialization/${layer.name}`, shape), shape));
      });
    return own.map((layer) => ({ layer, modality }));
  });
  return {
    modalities,
    widths,
    layers: all,
    apply: (given, { present }) =>
      tf.tidy(() => {
        const features = perModality(modalities, (m) => presentRows(given[m], present?.[m]));
        const nothing = (m: M): tf.Tensor2D => tf.zeros([features[m].shape[0], classes]);
        return {
          features,
          logits: nothing(modalities[0] as M),
          unimodalLogits: perModality(modalities, nothing),
        };
      }),
    symbolic() {
      throw new OptionError(
        'CPM-Net fits a latent vector for every sample that it predicts, which no saved model of layers does. Use `g2d evaluate`, or `predict` of the training.',
        { option: 'fusion', value: 'cpm-net', accepted: 'a fusion whose logits are layers of the features' },
      );
    },
  };
}

/** @throws {OptionError} If the model's fusion is not that of CPM-Net. */
export function decodersOf<M extends string>({ modalities, parameters }: Model<M>): PerModality<M, Decoder> {
  return perModality(modalities, (m) => {
    const own = parameters.filter(({ name }) => name.startsWith(`head/${m}/decoder/`));
    if (own.length === 0)
      throw new OptionError(
        "CPM-Net decodes each modality from a latent vector. Build the model's fusion with the method's own `fusion`.",
        { option: 'model', value: undefined, accepted: 'the fusion of CPM-Net' },
      );
    return Array.from({ length: own.length / 2 }, (_, i) => [
      own[2 * i]?.variable as unknown as tf.Tensor2D,
      own[2 * i + 1]?.variable as unknown as tf.Tensor1D,
    ]);
  });
}

/** Some values set to 0, the others larger. */
export interface DecoderDropout {
  readonly rate: number;
  /** A seed for each mask. */
  seed(): number;
}

/** D(h) = (…(h W_0 + b_0) W_1 + b_1…), `[B, d]` → `[B, D]`; with dropout after every layer but the first. */
export const decode = (decoder: Decoder, h: tf.Tensor2D, dropout?: DecoderDropout): tf.Tensor2D =>
  decoder.reduce((x, [kernel, bias], i) => {
    const y = tf.add<tf.Tensor2D>(tf.matMul(x, kernel), bias);
    return i > 0 && dropout && dropout.rate > 0
      ? (tf.dropout(y, dropout.rate, undefined, dropout.seed()) as tf.Tensor2D)
      : y;
  }, h);

/** Σ_m Σ_i M_im ‖D_m(h_i) − x_i^m‖². */
export function reconstruction<M extends string>(
  decoders: PerModality<M, Decoder>,
  h: tf.Tensor2D,
  {
    features,
    present,
    dropout,
  }: {
    readonly features: PerModality<M, tf.Tensor2D>;
    readonly present: Readonly<Partial<Record<M, tf.Tensor1D>>> | undefined;
    readonly dropout?: DecoderDropout | undefined;
  },
): tf.Scalar {
  const errors = (Object.keys(decoders) as M[]).map((m) => {
    const error = tf.sub<tf.Tensor2D>(decode(decoders[m], h, dropout), features[m]);
    return tf.sum(tf.square(presentRows(error, present?.[m])));
  });
  return tf.addN(errors) as tf.Scalar;
}
