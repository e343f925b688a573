import { OptionError, type AllReduce, type Training } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/** What has been lost on each training sample so far: state of a method, so arrays and plain text. */
export interface LossHistory<M extends string> {
  /** Ids of all samples, as JSON: the state of a method is walked through at every step, and a text is one thing. */
  readonly ids: string;
  /** Sums of losses, in the order of the ids. */
  sums: Record<M, Float32Array>;
}

/** A history in which nothing was lost yet. */
export async function emptyHistory<M extends string>(training: Training<M>): Promise<LossHistory<M>> {
  const ids: string[] = [];
  for await (const batch of training.everySample([])) {
    ids.push(...batch.ids);
    tf.dispose(batch as object as tf.TensorContainer);
  }
  const { modalities } = training.model;
  const sums = Object.fromEntries(modalities.map((m) => [m, new Float32Array(ids.length)]));
  return { ids: JSON.stringify(ids), sums: sums as Record<M, Float32Array> };
}

/**
 * Adds the losses of a batch to a modality's sums, those of all processes; then gives the batch's own sums as a share of the way from the smallest of all
 * to the largest, 0 where all are alike.
 *
 * @param places Where the samples stand in the history.
 */
export function addedAndScaled<M extends string>(
  history: LossHistory<M>,
  modality: M,
  {
    places,
    losses,
    allReduce,
  }: {
    readonly places: readonly number[];
    readonly losses: ArrayLike<number>;
    readonly allReduce: AllReduce;
  },
): number[] {
  const added = new Float32Array(history.sums[modality].length);
  places.forEach((place, i) => (added[place] = (added[place] as number) + (losses[i] as number)));
  if (allReduce.processes > 1) allReduce.sum(added);
  const sums = history.sums[modality].map((sum, i) => sum + (added[i] as number));
  history.sums[modality] = sums;
  let [min, max] = [Infinity, -Infinity];
  for (const sum of sums) [min, max] = [Math.min(min, sum), Math.max(max, sum)];
  return places.map((place) => (max > min ? ((sums[place] as number) - min) / (max - min) : 0));
}

/** Finds samples in a history; remembers where they stand for as long as it is the same one. */
export function placesIn(): (ids: string, samples: readonly string[]) => number[] {
  let known: { readonly ids: string; readonly places: ReadonlyMap<string, number> } | undefined;
  return (ids, samples) => {
    if (known?.ids !== ids)
      known = { ids, places: new Map((JSON.parse(ids) as string[]).map((id, place) => [id, place])) };
    const { places } = known;
    return samples.map((id) => {
      const place = places.get(id);
      if (place !== undefined) return place;
      throw new OptionError(
        `The training trains on sample ${id}, which is not among those that \`everySample\` gave. It must give every sample of the training split.`,
        { option: 'everySample', value: id, accepted: 'every sample of the training split' },
      );
    });
  };
}
