import { OptionError, shown, type Batch } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { joinBatches } from './accumulate.js';
import { mapValues } from './map-values.js';
import { pickRows, withoutSamples } from './own-rows.js';

/**
 * Some samples out of batches, as one batch. Frees the batches.
 *
 * @throws {OptionError} If one of them does not come.
 */
export async function chosenSamples<M extends string>(
  batches: AsyncIterable<Batch<M>>,
  ids: readonly string[],
  modalities: readonly M[],
): Promise<Batch<M>> {
  const wanted = new Set(ids);
  const parts: Batch<M>[] = [];
  try {
    for await (const batch of batches) {
      const rows = batch.ids.flatMap((id, i) => (wanted.has(id) ? [i] : []));
      if (rows.length > 0) parts.push(tf.tidy(() => pickRows(batch, rows)));
      tf.dispose(batch);
    }
    const found = new Set(parts.flatMap((part) => part.ids));
    const missing = ids.find((id) => !found.has(id));
    if (missing === undefined && parts.length > 0)
      return tf.tidy(() => {
        const { inputs, ...rest } = joinBatches(parts, modalities);
        // What comes of one part alone is that part's.
        const own = <T extends tf.Tensor>(record: Readonly<Partial<Record<M, T>>>): Record<M, T> =>
          mapValues(record, (tensor) => tf.clone(tensor));
        const { present, masks } = rest;
        return {
          inputs: own(inputs),
          labels: tf.clone(rest.labels),
          ids: rest.ids,
          ...(present && { present: own(present) }),
          ...(masks && { masks: own(masks) }),
        } satisfies Batch<M>;
      });
    throw new OptionError(
      `A method asks for the training sample ${shown(missing)}, but \`everySample\` gives none of this id.`,
      { option: 'everySample', value: missing, accepted: 'every training sample with its id' },
    );
  } finally {
    tf.dispose(parts);
  }
}

/** The batches of an epoch without the samples that methods withhold; those of which nothing is left do not come. */
export async function* withoutWithheld<M extends string>(
  batches: AsyncIterable<Batch<M>>,
  withheld: ReadonlySet<string>,
): AsyncGenerator<Batch<M>> {
  for await (const batch of batches) {
    const rest = tf.tidy(() => withoutSamples(batch, withheld) as Batch<M>);
    if (rest !== batch) tf.dispose(batch);
    if (rest as Batch<M> | undefined) yield rest;
  }
}
