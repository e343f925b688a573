import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@g2d/datasets';
import type { TeacherOutputs } from '@g2d/distill';
import type { MultimodalModel } from '@g2d/fusion';
import { perModality, UnknownModalityError } from '@g2d/tensor-ops';

/** Unimodal teachers whose weights no longer change. */
export interface FrozenTeachers<M extends string> {
  readonly modalities: readonly M[];
  /** Logits and features of each teacher on a batch, in inference mode and without a tape; the caller disposes them. */
  outputs(batch: Pick<Batch<M>, 'inputs'>): Record<M, TeacherOutputs>;
}

/**
 * Puts one trained unimodal model per modality together as teachers.
 *
 * @param models For each modality a model of that modality alone.
 * @throws {UnknownModalityError} If a model is not one of its modality.
 * @see G2D, Sec. 3.1
 */
export function frozenTeachers<const M extends string>(models: {
  readonly [K in M]: MultimodalModel<K>;
}): FrozenTeachers<M> {
  const modalities = Object.keys(models) as M[];
  for (const modality of modalities) {
    const known: readonly string[] = models[modality].modalities;
    if (known.join() !== modality) {
      throw new UnknownModalityError({ modality, known, where: `The teacher for ${modality}` });
    }
  }
  const outputs = <K extends M>(modality: K, input: tf.Tensor): TeacherOutputs => {
    const model: MultimodalModel<K> = models[modality];
    const features = model.encode(modality, input, { training: false });
    return { features, logits: model.fuse({ [modality]: features } as Record<K, tf.Tensor2D>) };
  };
  return {
    modalities,
    outputs: ({ inputs }) =>
      tf.tidy(() => perModality(modalities, (modality) => ({ ...outputs(modality, inputs[modality]) }))),
  };
}
