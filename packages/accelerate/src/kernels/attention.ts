import * as tf from '@tensorflow/tfjs-core';
import { attribute, defineKernel, execute, runKernel } from '@g2d/tensor-ops/tensorflow';
import { headFactors } from './dropout.js';

const KERNEL = 'G2dAttention';

export interface AttentionAttributes {
  readonly heads: number;
  /** Of the products, 1 / √d in a Transformer. */
  readonly scale: number;
  /** Share of attention weights that is set to 0; 0 outside of training. */
  readonly dropout: number;
  /** One for each head: what is set to 0 depends on them alone. Default: other weights in every call. */
  readonly seeds?: readonly number[] | undefined;
}

type Shape = [batch: number, heads: number, rows: number, columns: number];

const batchMatMul = (a: tf.Tensor, b: tf.Tensor, adjoint: 'a' | 'b' | 'none'): tf.Tensor =>
  execute(
    'BatchMatMulV2',
    [
      attribute.float32Type(),
      attribute.boolean('adj_x', adjoint === 'a'),
      attribute.boolean('adj_y', adjoint === 'b'),
    ],
    [a, b],
  );

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

/** Weights that stay, divided by how many do. */
function dropped(shape: Shape, rate: number, seeds: readonly number[] | undefined): tf.Tensor {
  if (seeds) return tf.tensor(headFactors(shape, rate, seeds), shape);
  const uniform = execute(
    'RandomUniform',
    [
      attribute.type('dtype', tfFloat()),
      attribute.int32Type('T'),
      // Two zeros: TensorFlow seeds itself. It keeps a kernel for each pair of others for ever.
      attribute.integer('seed', 0),
      attribute.integer('seed2', 0),
    ],
    [tf.tensor1d(shape, 'int32')],
  );
  return tf.div(tf.cast(tf.greaterEqual(uniform, rate), 'float32'), 1 - rate);
}

const tfFloat = (): number => attribute.float32Type().value as number;

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerAttention(): void {
  defineKernel<AttentionAttributes>({
    name: KERNEL,
    inputsToSave: ['projected'],
    outputsToSave: [false, true, true],
    forward: ({ projected, mask }, { heads, scale, dropout, seeds }) =>
      tf.tidy(() => {
        const [queries, keys, values] = split(projected as tf.Tensor, heads);
        const products = tf.mul(batchMatMul(queries, keys, 'b'), scale);
        const [batch, time] = (projected as tf.Tensor).shape as [number, number];
        const scores = mask ? tf.add(products, tf.reshape(mask, [batch, 1, 1, time])) : products;
        const weights = execute('Softmax', [attribute.float32Type()], [scores]);
        const factors = dropout > 0 ? dropped(weights.shape as Shape, dropout, seeds) : tf.scalar(1);
        const used = dropout > 0 ? tf.mul(weights, factors) : weights;
        return [join(batchMatMul(used, values, 'none')), weights, factors];
      }),
    gradient: ([dy], saved, { heads, scale, dropout }) => {
      const [projected, weights, factors] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
      const scores = (): tf.Tensor => {
        const [, , values] = split(projected, heads);
        const products = batchMatMul(joined(dy as tf.Tensor, heads), values, 'b');
        const inner = tf.mul(dropout > 0 ? tf.mul(products, factors) : products, weights);
        return tf.sub(inner, tf.mul(weights, tf.sum(inner, -1, true)));
      };
      return {
        projected: () => {
          const [queries, keys] = split(projected, heads);
          const output = joined(dy as tf.Tensor, heads);
          const used = dropout > 0 ? tf.mul(weights, factors) : weights;
          const inner = tf.mul(scores(), scale);
          const parts = tf.stack([
            batchMatMul(inner, keys, 'none'),
            batchMatMul(inner, queries, 'a'),
            batchMatMul(used, output, 'a'),
          ]);
          return tf.reshape(tf.transpose(parts, [1, 3, 0, 2, 4]), projected.shape);
        },
        mask: () => {
          const [batch, , , time] = weights.shape as [number, number, number, number];
          return tf.reshape(tf.sum(scores(), [1, 2]), [batch, 1, time]);
        },
      };
    },
  });
}

/** `[B, T, H·d]` → `[B, H, T, d]`, the inverse of `join`. */
function joined(y: tf.Tensor, heads: number): tf.Tensor {
  const [batch, time, width] = y.shape as [number, number, number];
  return tf.transpose(tf.reshape(y, [batch, time, heads, width / heads]), [0, 2, 1, 3]);
}

/**
 * The core of multi-head self-attention, all heads at once: head_h = dropout(softmax(scale · Q_h K_hᵀ + mask)) V_h.
 *
 * @param projected `[B, T, 3·H·d]`: all queries, all keys, all values, each head after head.
 * @param mask `[B, 1, T]`, added to every row of scores.
 * @returns The heads side by side, `[B, T, H·d]`.
 */
export function attention(
  projected: tf.Tensor,
  mask: tf.Tensor | undefined,
  attributes: AttentionAttributes,
): tf.Tensor {
  const [y, ...kept] = runKernel<tf.Tensor[]>(
    KERNEL,
    mask ? { projected, mask } : { projected },
    attributes,
  ) as [tf.Tensor, ...tf.Tensor[]];
  tf.dispose(kept);
  return y;
}
