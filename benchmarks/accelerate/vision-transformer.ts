// A small ViT as somebody else would write it: what TensorFlow.js has no layers for are classes of its own.
import * as tf from '@tensorflow/tfjs';

type Value = tf.SymbolicTensor;
const { layers } = tf;
const apply = (layer: tf.layers.Layer, x: Value | Value[]): Value => layer.apply(x) as Value;
const one = (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor => [inputs].flat()[0] as tf.Tensor;

/** A learned class token in front, and a learned place of each patch. */
class Tokens extends layers.Layer {
  static readonly className = 'Tokens';
  private weightsOfTokens: tf.LayerVariable[] = [];

  override build([, patches, width]: number[]): void {
    const initializer = tf.initializers.randomNormal({ stddev: 0.02 });
    this.weightsOfTokens = [
      this.addWeight('token', [1, 1, width as number], 'float32', initializer),
      this.addWeight('places', [1, (patches as number) + 1, width as number], 'float32', initializer),
    ];
    super.build([]);
  }

  override computeOutputShape([batch, patches, width]: number[]): tf.Shape {
    return [batch as number, (patches as number) + 1, width as number];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const [token, places] = this.weightsOfTokens.map((weight) => weight.read()) as [tf.Tensor, tf.Tensor];
      return tf.add(tf.concat([tf.tile(token, [x.shape[0] as number, 1, 1]), x], 1), places);
    });
  }
}

/** Softmax of queries and keys times values, of so many heads: [N, T, 3 · width] → [N, T, width]. */
class Attention extends layers.Layer {
  static readonly className = 'Attention';

  constructor(private readonly heads: number) {
    super({});
  }

  override computeOutputShape([batch, tokens, triple]: number[]): tf.Shape {
    return [batch as number, tokens as number, (triple as number) / 3];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const [batch, tokens, triple] = x.shape as [number, number, number];
      const size = triple / 3 / this.heads;
      const parts = tf.transpose(tf.reshape(x, [batch, tokens, 3, this.heads, size]), [2, 0, 3, 1, 4]);
      const [queries, keys, values] = tf.unstack(parts) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const weights = tf.softmax(tf.div(tf.matMul(queries, keys, false, true), Math.sqrt(size)));
      return tf.reshape(tf.transpose(tf.matMul(weights, values), [0, 2, 1, 3]), [batch, tokens, triple / 3]);
    });
  }
}

/** The first token, which the class is read from. */
class FirstToken extends layers.Layer {
  static readonly className = 'FirstToken';

  override computeOutputShape([batch, , width]: number[]): tf.Shape {
    return [batch as number, width as number];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.squeeze(tf.slice(one(inputs), [0, 0, 0], [-1, 1, -1]), [1]));
  }
}

/** Pre-norm, as Dosovitskiy et al.: normalization before attention and before the two dense layers. */
export function visionTransformer(
  shape: readonly number[],
  {
    patch,
    width,
    depth,
    heads,
    classes,
  }: Readonly<Record<'patch' | 'width' | 'depth' | 'heads' | 'classes', number>>,
): tf.LayersModel {
  const inputs = tf.input({ shape: [...shape] });
  const patches = apply(layers.conv2d({ filters: width, kernelSize: patch, strides: patch }), inputs);
  const [, high, wide] = patches.shape as number[];
  const count = (high as number) * (wide as number);
  let x = apply(new Tokens({}), apply(layers.reshape({ targetShape: [count, width] }), patches));
  for (let i = 0; i < depth; i++) {
    const projected = apply(layers.dense({ units: 3 * width }), apply(layers.layerNormalization(), x));
    const attended = apply(layers.dense({ units: width }), apply(new Attention(heads), projected));
    x = apply(layers.add(), [x, attended]);
    const wider = layers.dense({ units: 4 * width, activation: 'relu' });
    const fed = apply(wider, apply(layers.layerNormalization(), x));
    x = apply(layers.add(), [x, apply(layers.dense({ units: width }), fed)]);
  }
  const features = apply(new FirstToken({}), apply(layers.layerNormalization(), x));
  return tf.model({ inputs, outputs: apply(layers.dense({ units: classes }), features) });
}
