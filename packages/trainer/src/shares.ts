import * as tf from '@tensorflow/tfjs-core';
import { perModality, type Batch } from '@g2d/core';
import type { PlacedBatch } from './accumulate.js';
import { pickRows } from './own-rows.js';
import { lacksRows } from './too-few-rows.js';
import { valuesOf } from '@g2d/tensor-ops';
import type { TrainingContext } from './training.js';

/** What this process trains on in a step. */
export interface Shares<M extends string> {
  readonly parts: readonly PlacedBatch<M>[];
  /** Whether every process has all of it: what it finds is everybody's, and nothing is to be added up. */
  readonly isWhole: boolean;
}

/**
 * This process' rows of batches that all processes were given: as many for each. Batches that cannot be divided so, or of which a part would
 * be too small for batch normalization (or lack a modality that another has, where that is synchronized), are trained on whole by every process. Call it inside a `tf.tidy`.
 */
export function ownShares<M extends string>(
  { model, allReduce: { processes, rank }, sharedStatistics }: TrainingContext<M>,
  parts: readonly PlacedBatch<M>[],
): Shares<M> {
  if (processes === 1 || rank === undefined) return { parts, isWhole: false };
  // Read so: a step has one batch then, and nothing is absent.
  if (parts.some(({ batch }) => batch.part)) {
    return {
      parts: parts.map((part) => {
        const total = part.batch.ids.length * processes;
        return { ...part, counts: { total, byModality: perModality(model.modalities, () => total) } };
      }),
      isWhole: false,
    };
  }
  const isDivisible = parts.every(({ batch }) => {
    const size = batch.ids.length / processes;
    if (!Number.isInteger(size)) return false;
    const all = Array.from({ length: processes }, (_, i) => masksOf(batch, i * size, size));
    if (all.some((share) => lacksRows(model, share))) return false;
    // Processes that wait for each other in an encoder all run it.
    return (
      !sharedStatistics ||
      model.modalities.every((m) => new Set(all.map((share) => hasRows(share, m))).size === 1)
    );
  });
  if (!isDivisible) return { parts, isWhole: true };
  return {
    parts: parts.map(({ batch, batchIndex }) => {
      const size = batch.ids.length / processes;
      const rows = Array.from({ length: size }, (_, i) => rank * size + i);
      const counts = {
        total: batch.ids.length,
        byModality: perModality(model.modalities, (m) => presentCount(batch, m)),
      };
      return { batch: pickRows(batch, rows), batchIndex, counts };
    }),
    isWhole: false,
  };
}

/** Which part of a batch this process trains on, and how many samples a part must have: two for batch normalization of single values. */
export function ownPart<M extends string>({
  model,
  allReduce: { processes, rank },
}: TrainingContext<M>): { readonly index: number; readonly of: number; readonly least: number } | undefined {
  if (processes === 1 || rank === undefined) return undefined;
  return { index: rank, of: processes, least: Math.max(1, ...Object.values<number>(model.minRows ?? {})) };
}

const presentCount = <M extends string>({ ids, present }: Batch<M>, modality: M): number =>
  valuesOf(present?.[modality])?.filter((value) => value > 0).length ?? ids.length;

const hasRows = <M extends string>({ present }: Batch<M>, modality: M): boolean =>
  valuesOf(present?.[modality])?.some((value) => value > 0) ?? true;

/** Some rows of a batch, of which only the masks are read. */
function masksOf<M extends string>(batch: Batch<M>, from: number, size: number): Batch<M> {
  const { present } = batch;
  const masks = Object.fromEntries(
    Object.entries<tf.Tensor1D | undefined>({ ...present }).map(([modality, mask]) => [
      modality,
      mask && tf.tensor1d(valuesOf(mask).subarray(from, from + size)),
    ]),
  ) as NonNullable<Batch<M>['present']>;
  return { ...batch, ids: batch.ids.slice(from, from + size), ...(present && { present: masks }) };
}
