// Models of another kind than encoders and a fusion: the loop trains anything that is a `Model`.
import * as tf from '@tensorflow/tfjs';
import {
  perModality,
  type Inputs,
  type Model,
  type Outputs,
  type Parameter,
  type PerModality,
  type Weight,
} from '@g2d/core';

export type Two = 'image' | 'table';

/** A variable of different numbers. */
const variable = (name: string, shape: number[]): tf.Variable =>
  tf.variable(
    tf.tensor(
      Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(name.length + i * i)),
      shape,
    ),
    true,
    name,
  );

const weightsOf = (parameters: readonly Parameter<Two>[]): Map<string, Weight> =>
  new Map(
    parameters.map(({ name, variable: own }) => [
      name,
      {
        shape: own.shape,
        read: () => own,
        write: (value) => own.assign(value as tf.Tensor<tf.Rank>),
        dispose: () => own.dispose(),
      },
    ]),
  );

/** What `Imputer` gives beside the outputs. */
export interface Imputed extends Outputs<Two> {
  /** What each modality's features are, judged by the other's, `[B, 3]`. */
  readonly imputed: PerModality<Two, tf.Tensor2D>;
}

/** Features of a missing modality are made from the other one's. */
export class Imputer implements Model<Two> {
  readonly modalities = ['image', 'table'] as const;
  readonly #encoders = perModality(this.modalities, (m) => variable(`${m}/w`, [4, 3]));
  readonly #cross = perModality(this.modalities, (m) => variable(`cross/${m}`, [3, 3]));
  readonly #head = variable('head/w', [3, 2]);
  readonly parameters: readonly Parameter<Two>[] = [
    ...this.modalities.map((m) => ({
      name: `${m}/w`,
      variable: this.#encoders[m],
      modality: m,
      role: 'encoder' as const,
    })),
    ...this.modalities.map((m) => ({
      name: `cross/${m}`,
      variable: this.#cross[m],
      modality: undefined,
      role: 'shared' as const,
    })),
    { name: 'head/w', variable: this.#head, modality: undefined, role: 'shared' },
  ];

  state(): Map<string, Weight> {
    return weightsOf(this.parameters);
  }

  forward({ inputs, present }: Inputs<Two>): Imputed {
    const other = { image: 'table', table: 'image' } as const;
    const seen = perModality(this.modalities, (m) => {
      const mask = present?.[m];
      const input = inputs[m] as tf.Tensor2D;
      const known = mask ? tf.where(column(mask), input, tf.zerosLike(input)) : input;
      return tf.matMul<tf.Tensor2D>(known as tf.Tensor2D, this.#encoders[m]);
    });
    const imputed = perModality(this.modalities, (m) =>
      tf.matMul<tf.Tensor2D>(seen[other[m]], this.#cross[m]),
    );
    const features = perModality(this.modalities, (m): tf.Tensor2D => {
      const mask = present?.[m];
      return mask ? (tf.where(column(mask), seen[m], imputed[m]) as tf.Tensor2D) : seen[m];
    });
    const unimodalLogits = perModality(this.modalities, (m) =>
      tf.matMul<tf.Tensor2D>(features[m], this.#head as tf.Tensor),
    );
    return {
      features,
      imputed,
      unimodalLogits,
      logits: tf.add(unimodalLogits.image, unimodalLogits.table),
    };
  }
}

const column = (mask: tf.Tensor1D): tf.Tensor2D => tf.cast(tf.reshape(mask, [-1, 1]), 'bool');

/** ŷ = Σ_m s_m h_m(s_m x_m): a number for each modality, inside and outside of its head. */
export class TwoScalars implements Model<Two> {
  readonly modalities = ['image', 'table'] as const;
  readonly #scales = perModality(this.modalities, (m) => tf.variable(tf.scalar(1), true, `scale/${m}`));
  readonly #heads = perModality(this.modalities, (m) => variable(`head/${m}`, [3, 1]));
  readonly parameters: readonly Parameter<Two>[] = this.modalities.flatMap((m) => [
    { name: `scale/${m}`, variable: this.#scales[m], modality: undefined, role: 'shared' as const },
    { name: `head/${m}`, variable: this.#heads[m], modality: m, role: 'head' as const },
  ]);

  state(): Map<string, Weight> {
    return weightsOf(this.parameters);
  }

  forward({ inputs }: Inputs<Two>): Outputs<Two> {
    const features = perModality(this.modalities, (m) => inputs[m] as tf.Tensor2D);
    const unimodalLogits = perModality(this.modalities, (m) => {
      const inner = tf.matMul<tf.Tensor2D>(tf.mul(features[m], this.#scales[m]), this.#heads[m] as tf.Tensor);
      return tf.mul<tf.Tensor2D>(inner, this.#scales[m]);
    });
    return { features, unimodalLogits, logits: tf.add(unimodalLogits.image, unimodalLogits.table) };
  }
}
