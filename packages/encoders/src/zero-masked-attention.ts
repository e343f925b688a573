import { nextDropout } from '@g2d/accelerate';
import { stopGradient } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

/** As low as a score can be: its exponential is 0. */
const NOTHING = -(2 ** 32) + 1;

interface Config {
  readonly name: string;
  readonly heads: number;
  readonly dropout: number;
}

/**
 * Attention of several heads, from queries, keys and values `[B, T, D]` each, which takes no step for one that is exactly 0: nobody attends to a key of zeros, and
 * a query of zeros attends to nobody. No weights.
 *
 * head_h = dropout(mask_q softmax(mask_k(Q_h K_hᵀ / √d))) V_h,  d = D / H;  y = [head_1; …; head_H]
 */
class ZeroMaskedAttention extends layers.Layer {
  static readonly className = 'ZeroMaskedAttention';
  readonly #heads: number;
  readonly #dropout: number;

  constructor({ name, heads, dropout }: Config) {
    super({ name });
    this.#heads = heads;
    this.#dropout = dropout;
  }

  override computeOutputShape(shapes: (number | null)[][]): (number | null)[] {
    return shapes[0] as (number | null)[];
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training }: { readonly training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const [queries, keys, values] = (inputs as tf.Tensor[]).map((x) => this.#split(x)) as [
        tf.Tensor4D,
        tf.Tensor4D,
        tf.Tensor4D,
      ];
      const { shape } = (inputs as tf.Tensor[])[0] as tf.Tensor3D;
      const products = tf.matMul(queries, keys, false, true);
      const scores = tf.div(products, Math.sqrt(shape[2] / this.#heads));
      const isZero = (x: tf.Tensor4D): tf.Tensor => tf.equal(tf.sum(tf.abs(stopGradient(x)), 3), 0);
      const noKey = tf.expandDims(isZero(keys), 2);
      const weights = tf.softmax(tf.where(noKey, tf.fill(scores.shape, NOTHING), scores));
      const noQuery = tf.expandDims(isZero(queries), 3);
      const masked = tf.where(noQuery, tf.zerosLike(weights), weights) as tf.Tensor4D;
      const attended = tf.matMul(training ? this.#dropped(masked) : masked, values);
      return tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), shape);
    });
  }

  override getConfig() {
    return { ...super.getConfig(), heads: this.#heads, dropout: this.#dropout };
  }

  /** `[B, T, D]` → `[B, H, T, D / H]`. */
  #split(x: tf.Tensor): tf.Tensor4D {
    const [batch, steps, width] = x.shape as [number, number, number];
    const parts = tf.reshape(x, [batch, steps, this.#heads, width / this.#heads]);
    return tf.transpose<tf.Tensor4D>(parts as tf.Tensor4D, [0, 2, 1, 3]);
  }

  #dropped(weights: tf.Tensor4D): tf.Tensor {
    if (this.#dropout === 0) return weights;
    const { seed, index = 0, of = 1 } = nextDropout(this.name) ?? {};
    const drop = (x: tf.Tensor): tf.Tensor => tf.dropout(x, this.#dropout, undefined, seed);
    if (of === 1) return drop(weights);
    // The whole batch's mask, and of it this part.
    const [batch, ...rest] = weights.shape;
    const all = drop(tf.ones([of * batch, ...rest]));
    return tf.mul(weights, tf.slice(all, index * batch, batch));
  }
}

/** See `ZeroMaskedAttention`. */
export const zeroMaskedAttention = (config: Config): layers.Layer => new ZeroMaskedAttention(config);
