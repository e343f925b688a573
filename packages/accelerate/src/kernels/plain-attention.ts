import * as tf from '@tensorflow/tfjs-core';
import { attribute, defineKernel, disposeSaved, execute, runKernel } from '@g2d/tensor-ops/tensorflow';
import { headFactors } from './dropout.js';
import { matMul } from './product.js';

const KERNEL = 'G2dAttention';

export interface AttentionAttributes {
  readonly heads: number;
  /** Of the products, 1 / √d in a Transformer. */
  readonly scale: number;
  /** Share of attention weights that is set to 0; 0 outside of training. */
  readonly dropout: number;
  /** One for each head: what is set to 0 depends on them alone. */
  readonly seeds: readonly number[];
  /** Which of equal parts of a batch the samples are; default: 0. */
  readonly part?: number | undefined;
}

/** Other weights are dropped in every call where there are no seeds. */
export type AttentionOptions = Omit<AttentionAttributes, 'seeds'> & {
  readonly seeds?: readonly number[] | undefined;
};

type Shape = [batch: number, heads: number, rows: number, columns: number];

/** `[B, T, 3·H·d]` → queries, keys and values, each `[B, H, T, d]`. */
function split(projected: tf.Tensor, heads: number): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const [batch, time, width] = projected.shape as [number, number, number];
  const parts = tf.transpose(
    tf.reshape(projected, [batch, time, 3, heads, width / (3 * heads)]),
    [2, 0, 3, 1, 4],
  );
  return tf.unstack(parts) as [tf.Tensor, tf.Tensor, tf.Tensor];
}

/** `[B, H, T, d]` → `[B, T, H·d]`. */
function join(parts: tf.Tensor): tf.Tensor {
  const [batch, heads, time, size] = parts.shape as [number, number, number, number];
  return tf.reshape(tf.transpose(parts, [0, 2, 1, 3]), [batch, time, heads * size]);
}

/** softmax(scale · Q Kᵀ + mask), `[B, H, T, T]`, and what dropout multiplies it by: 1 without. */
function weightsOf(
  projected: tf.Tensor,
  mask: tf.Tensor | undefined,
  { heads, scale, dropout: rate, seeds, part }: AttentionAttributes,
): [weights: tf.Tensor, factors: tf.Tensor] {
  const [queries, keys] = split(projected, heads);
  const products = tf.mul(matMul(queries, keys, 'b'), scale);
  const [batch, time] = projected.shape as [number, number];
  const scores = mask ? tf.add(products, tf.reshape(mask, [batch, 1, 1, time])) : products;
  const weights = execute('Softmax', [attribute.float32Type()], [scores]);
  const factors =
    rate > 0
      ? tf.tensor(headFactors(weights.shape as Shape, { rate, seeds, part }), weights.shape)
      : tf.scalar(1);
  return [weights, factors];
}

/** The gradient of the scores, by that of y. */
function scoresGradient(
  dy: tf.Tensor,
  projected: tf.Tensor,
  [weights, factors]: readonly [tf.Tensor, tf.Tensor],
  { heads, dropout }: AttentionAttributes,
): tf.Tensor {
  const [, , values] = split(projected, heads);
  const products = matMul(joined(dy, heads), values, 'b');
  const inner = tf.mul(dropout > 0 ? tf.mul(products, factors) : products, weights);
  return tf.sub(inner, tf.mul(weights, tf.sum(inner, -1, true)));
}

/** Of the mask, `[B, 1, T]`. */
function maskGradient(scores: tf.Tensor): tf.Tensor {
  const [batch, , , time] = scores.shape as Shape;
  return tf.reshape(tf.sum(scores, [1, 2]), [batch, 1, time]);
}

/** The gradient of the mask where the weights have not been kept. */
export const maskGradientOf = (
  dy: tf.Tensor,
  projected: tf.Tensor,
  mask: tf.Tensor,
  attributes: AttentionAttributes,
): tf.Tensor =>
  maskGradient(scoresGradient(dy, projected, weightsOf(projected, mask, attributes), attributes));

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerPlainAttention(): void {
  defineKernel<AttentionAttributes>({
    name: KERNEL,
    inputsToSave: ['projected'],
    outputsToSave: [false, true, true],
    forward: ({ projected, mask }, attributes) =>
      tf.tidy(() => {
        const [weights, factors] = weightsOf(projected as tf.Tensor, mask, attributes);
        const [, , values] = split(projected as tf.Tensor, attributes.heads);
        const used = attributes.dropout > 0 ? tf.mul(weights, factors) : weights;
        return [join(matMul(used, values)), weights, factors];
      }),
    gradient: ([dy], saved, attributes) => {
      const { heads, scale, dropout } = attributes;
      const [projected, weights, factors] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
      const scores = () => scoresGradient(dy as tf.Tensor, projected, [weights, factors], attributes);
      return {
        projected: () => {
          const [queries, keys] = split(projected, heads);
          const output = joined(dy as tf.Tensor, heads);
          const used = dropout > 0 ? tf.mul(weights, factors) : weights;
          const inner = tf.mul(scores(), scale);
          const parts = tf.stack([
            matMul(inner, keys),
            matMul(inner, queries, 'a'),
            matMul(used, output, 'a'),
          ]);
          return tf.reshape(tf.transpose(parts, [1, 3, 0, 2, 4]), projected.shape);
        },
        mask: () => maskGradient(scores()),
      };
    },
  });
}

/** `[B, T, H·d]` → `[B, H, T, d]`, the inverse of `join`. */
function joined(y: tf.Tensor, heads: number): tf.Tensor {
  const [batch, time, width] = y.shape as [number, number, number];
  return tf.transpose(tf.reshape(y, [batch, time, heads, width / heads]), [0, 2, 1, 3]);
}

/** See `attention`. */
export function plainAttention(
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: AttentionAttributes,
): tf.Tensor {
  const [y, ...kept] = runKernel<tf.Tensor[]>(KERNEL, inputs, attributes) as [tf.Tensor, ...tf.Tensor[]];
  disposeSaved(kept);
  return y;
}
