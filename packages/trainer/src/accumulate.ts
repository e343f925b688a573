import * as tf from '@tensorflow/tfjs-core';
import type { Batch, PerModality } from '@g2d/core';
import { joinRows } from '@g2d/tensor-ops';
import { joinKnown } from './known-values.js';

// Accumulation: a step on several batches, one after another, that is the step on all of them as one.

/** A batch and its place in the epoch. */
export interface PlacedBatch<M extends string> {
  readonly batch: Batch<M>;
  readonly batchIndex: number;
  /** Of all processes together, where this one knows it without asking. */
  readonly counts?: Counts<M>;
}

/** How many samples there are, or what they weigh. */
export interface Counts<M extends string> {
  readonly total: number;
  /** Of those that have a modality. */
  readonly byModality: PerModality<M, number>;
}

/** The batches of an epoch in groups of `size`; the last one may have fewer. Whoever gets a group disposes it. */
export async function* grouped<M extends string>(
  batches: AsyncIterable<Batch<M>>,
  size: number,
  first: number,
): AsyncGenerator<readonly PlacedBatch<M>[]> {
  let group: PlacedBatch<M>[] = [];
  let next = first;
  try {
    for await (const batch of batches) {
      const batchIndex = batch.index ?? next;
      next = batchIndex + 1;
      group.push({ batch, batchIndex });
      if (group.length < size) continue;
      const full = group;
      group = [];
      yield full;
    }
    const rest = group;
    group = [];
    if (rest.length > 0) yield rest;
  } finally {
    for (const { batch } of group) tf.dispose(batch);
  }
}

/**
 * Several batches as one. Inputs are put together where somebody reads them: a method's second pass, but no usual step. Call it, and read
 * them, inside a `tf.tidy`.
 */
export function joinBatches<M extends string>(
  batches: readonly Batch<M>[],
  modalities: readonly M[],
): Batch<M> {
  const sizes = batches.map(({ ids }) => ids.length);
  const inputs = {};
  for (const modality of modalities) {
    let joined: tf.Tensor | undefined;
    const get = () =>
      (joined ??= joinRows(
        batches.map((batch) => batch.inputs[modality]),
        sizes,
      ));
    Object.defineProperty(inputs, modality, { get, enumerable: true });
  }
  const joinedMasks = <T extends tf.Tensor>(
    of: (batch: Batch<M>) => Partial<Record<M, T>> | undefined,
    join: (masks: readonly (T | undefined)[]) => tf.Tensor | undefined,
  ) => {
    const known = modalities.filter((modality) => batches.some((batch) => of(batch)?.[modality]));
    return Object.fromEntries(
      known.map((modality) => [modality, join(batches.map((batch) => of(batch)?.[modality]))]),
    );
  };
  // A batch without a mask has the modality in every sample.
  const present = joinedMasks(
    ({ present }) => present,
    (masks) => joinKnown(masks, sizes),
  ) as NonNullable<Batch<M>['present']>;
  const masks = joinedMasks(
    ({ masks }) => masks,
    (masks) => joinRows(masks, sizes, 1),
  ) as NonNullable<Batch<M>['masks']>;
  return {
    inputs: inputs as Batch<M>['inputs'],
    labels: joinKnown(
      batches.map(({ labels }) => labels),
      sizes,
    ),
    ids: batches.flatMap(({ ids }) => ids),
    ...(Object.keys(present).length > 0 && { present }),
    ...(Object.keys(masks).length > 0 && { masks }),
  };
}

/** The mean of the gradients of several batches; absent where no batch reaches a variable. Frees what it takes. */
export class GradientMean {
  readonly #count: number;
  #sums: tf.NamedTensorMap = {};

  constructor(count: number) {
    this.#count = count;
  }

  add(gradients: tf.NamedTensorMap): void {
    for (const [name, gradient] of Object.entries(gradients)) {
      const before = this.#sums[name];
      this.#sums[name] = before ? tf.add(before, gradient) : gradient;
      if (before) tf.dispose([before, gradient]);
    }
  }

  get value(): tf.NamedTensorMap {
    if (this.#count === 1) return this.#sums;
    return Object.fromEntries(
      Object.entries(this.#sums).map(([name, sum]) => [name, tf.div(sum, this.#count)]),
    );
  }
}
