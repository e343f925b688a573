import { perModality, type PerModality, type Presence } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** [f_1; …; f_k], and for each modality the same with zeros in place of the others. */
export interface Joined<M extends string, T> {
  readonly all: T;
  readonly alone: PerModality<M, T>;
}

/** @param present The features of absent samples are 0. */
export function joined<M extends string>(
  modalities: readonly M[],
  given: PerModality<M, tf.Tensor2D>,
  present: Presence<M> | undefined,
): Joined<M, tf.Tensor2D> & { readonly features: Record<M, tf.Tensor2D> } {
  const features = perModality(modalities, (m) => {
    const mask = present?.[m];
    return mask
      ? tf.where(tf.greater(tf.expandDims(mask, 1), 0), given[m], tf.zerosLike(given[m]))
      : given[m];
  });
  const join = (keep: (m: M) => boolean): tf.Tensor2D =>
    tf.concat(
      modalities.map((m) => (keep(m) ? features[m] : tf.zerosLike(features[m]))),
      1,
    );
  return {
    features,
    all: join(() => true),
    alone: perModality(modalities, (m) => join((other) => other === m)),
  };
}

/** The same on symbolic tensors. */
export function joinedSymbolic<M extends string>(
  modalities: readonly M[],
  features: PerModality<M, SymbolicTensor>,
): Joined<M, SymbolicTensor> {
  const join = (name: string, keep: (m: M) => boolean): SymbolicTensor => {
    const parts = modalities.map((m) =>
      keep(m)
        ? features[m]
        : (layers.rescaling({ name: `${name}/without-${m}`, scale: 0 }).apply(features[m]) as SymbolicTensor),
    );
    // Concatenation refuses a single input, of which it is the identity.
    return (
      parts.length > 1 ? layers.concatenate({ name: `${name}/concat` }).apply(parts) : parts[0]
    ) as SymbolicTensor;
  };
  return {
    all: join('fusion', () => true),
    alone: perModality(modalities, (m) => join(`unimodal/${m}`, (other) => other === m)),
  };
}
