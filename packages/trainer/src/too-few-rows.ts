import type { Batch, Model } from '@g2d/core';
import { valuesOf } from '@g2d/tensor-ops';
import { summed } from './reduce.js';
import type { TrainingContext } from './training.js';

/**
 * Whether all processes can train on their batch: they step together, so that one that cannot lets all of them leave theirs out.
 *
 * @param own What is left of the batch in this process.
 */
export function canTrain<M extends string>(
  { model, allReduce }: TrainingContext<M>,
  batch: Batch<M>,
  own: Batch<M> | undefined,
): boolean {
  const here = own !== undefined && !lacksRows(model, own);
  // Asked where any process may say no, which all of them know of the model and of what the dataset marks as absent.
  const minRows = model.minRows ? Object.values<number>(model.minRows) : [];
  const canLack = minRows.some((least) => least > 1) || model.modalities.every((m) => batch.present?.[m]);
  // Processes that were given the same batch know the answer.
  if (!canLack || allReduce.processes === 1 || allReduce.rank !== undefined) return here;
  return summed(allReduce, [here ? 0 : 1])[0] === 0;
}

/** Whether an encoder has rows of the batch, but fewer than it takes in training mode. */
export function lacksRows<M extends string>(model: Model<M>, { ids, inputs, present }: Batch<M>): boolean {
  return model.modalities.some((modality) => {
    const least = model.minRows?.[modality] ?? 1;
    if (least === 1 || !(inputs[modality] as unknown)) return false;
    const mask = model.absentRows === 'skip' ? present?.[modality] : undefined;
    const rows = mask ? valuesOf(mask).filter((value) => value > 0).length : ids.length;
    return rows > 0 && rows < least;
  });
}
