import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@g2d/datasets';
import type { TeacherOutputs } from '@g2d/distill';
import type { MultimodalModel } from '@g2d/fusion';
import { perModality, UnknownModalityError, type Precision } from '@g2d/tensor-ops';

/** Unimodal teachers whose weights no longer change. */
export interface FrozenTeachers<M extends string> {
  readonly modalities: readonly M[];
  /** Logits and features of each teacher on a batch, in inference mode and without a tape; the caller disposes them. */
  outputs(batch: Pick<Batch<M>, 'inputs'>): Record<M, TeacherOutputs>;
  /** Frees what the teachers made for themselves. The models stay. */
  dispose(): void;
}

/**
 * Puts one trained unimodal model per modality together as teachers. Their weights must not change any more: on the `tensorflow`
 * backend batch normalization is folded into the convolutions, which a step with online teachers is faster by.
 *
 * @param models For each modality a model of that modality alone.
 * @param options `precision`: `'bfloat16'` for rougher teachers (relative error about 1e-2 of the features) that cost a
 * third on CPUs with units for it. Default `'float32'`.
 * @throws {UnknownModalityError} If a model is not one of its modality.
 * @see G2D, Sec. 3.1
 */
export function frozenTeachers<const M extends string>(
  models: {
    readonly [K in M]: MultimodalModel<K>;
  },
  options: { readonly precision?: Precision } = {},
): FrozenTeachers<M> {
  const modalities = Object.keys(models) as M[];
  for (const modality of modalities) {
    const known: readonly string[] = models[modality].modalities;
    if (known.join() !== modality) {
      throw new UnknownModalityError({ modality, known, where: `The teacher for ${modality}` });
    }
  }
  const frozen = perModality(modalities, (modality) => freezeOne(models[modality], modality, options));
  return {
    modalities,
    outputs: ({ inputs }) =>
      tf.tidy(() =>
        perModality(modalities, (modality) => ({ ...frozen[modality].outputs(inputs[modality]) })),
      ),
    dispose: () => {
      for (const modality of modalities) frozen[modality].dispose();
    },
  };
}

function freezeOne<K extends string>(
  model: MultimodalModel<K>,
  modality: K,
  options: { readonly precision?: Precision },
): { outputs(input: tf.Tensor): TeacherOutputs; dispose(): void } {
  const frozen = model.freeze(options);
  return {
    outputs: (input) => {
      const { features, logits } = frozen.forward({ [modality]: input } as Record<K, tf.Tensor>);
      return { features: features[modality], logits };
    },
    dispose: frozen.dispose,
  };
}
