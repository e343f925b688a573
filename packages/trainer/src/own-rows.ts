import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@g2d/core';
import { valuesOf } from '@g2d/tensor-ops';
import { pickKnown } from './known-values.js';
import { mapValues } from './map-values.js';

/**
 * A batch as a model sees it: masks of its own modalities only, and only the samples that have at least one of them. The others
 * would train nothing but the biases: those of a unimodal teacher, for example, that lack its modality.
 *
 * @returns `undefined` if no sample is left. Call it inside a `tf.tidy`; tensors that need no change are the batch's.
 */
export function ownRows<M extends string>(batch: Batch<M>, modalities: readonly M[]): Batch<M> | undefined {
  const { present, ...rest } = batch;
  const masks = Object.fromEntries(
    modalities.flatMap((modality) => {
      const mask = present?.[modality];
      return mask ? [[modality, mask]] : [];
    }),
  ) as Partial<Record<M, tf.Tensor1D>>;
  const own = { ...rest, ...(Object.keys(masks).length > 0 && { present: masks }) };
  if (Object.keys(masks).length < modalities.length) return own;

  const values = modalities.map((modality) => valuesOf(masks[modality] as tf.Tensor1D));
  const rows = batch.ids.flatMap((_, i) => (values.some((mask) => mask[i] !== 0) ? [i] : []));
  if (rows.length === 0) return undefined;
  if (rows.length === batch.ids.length) return own;
  return pickRows(own, rows);
}

/** Some samples of a batch. Call it inside a `tf.tidy`. */
export function pickRows<M extends string>(batch: Batch<M>, rows: readonly number[]): Batch<M> {
  const indices = tf.tensor1d([...rows], 'int32');
  const ofEach = <T extends tf.Tensor>(record: Readonly<Partial<Record<M, T>>>, change: (tensor: T) => T) =>
    mapValues(record, (tensor: T | undefined) => tensor && change(tensor));
  const gathered = <T extends tf.Tensor>(record: Readonly<Partial<Record<M, T>>>) =>
    ofEach(record, (tensor) => tf.gather(tensor, indices));
  return {
    ...(batch.index !== undefined && { index: batch.index }),
    inputs: gathered(batch.inputs) as Batch<M>['inputs'],
    labels: pickKnown(batch.labels, rows),
    ids: rows.map((i) => batch.ids[i] as string),
    ...(batch.present && {
      present: ofEach(batch.present, (mask: tf.Tensor1D) => pickKnown(mask, rows)) as NonNullable<
        Batch<M>['present']
      >,
    }),
    ...(batch.masks && { masks: gathered(batch.masks) as NonNullable<Batch<M>['masks']> }),
  };
}

/**
 * A batch without the samples that methods withhold.
 *
 * @returns `undefined` if none is left. Call it inside a `tf.tidy`; a batch without such samples comes back as it is.
 */
export function withoutSamples<M extends string>(
  batch: Batch<M>,
  withheld: ReadonlySet<string>,
): Batch<M> | undefined {
  const rows = batch.ids.flatMap((id, i) => (withheld.has(id) ? [] : [i]));
  if (rows.length === batch.ids.length) return batch;
  return rows.length > 0 ? pickRows(batch, rows) : undefined;
}
