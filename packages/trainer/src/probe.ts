import type { Batch, Probe, Training } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { ownRows } from './own-rows.js';
import { RunningMethods } from './running-methods.js';
import { withStep } from './step.js';
import { canTrain } from './too-few-rows.js';
import type { TrainingContext } from './training.js';

/** What methods look at batches with outside of the steps. Dropout has the same masks every time. */
export const probeOf =
  <M extends string>(training: TrainingContext<M>): Training<M>['probe'] =>
  (batch, look, { training: trains = false } = {}) =>
    probeBatch(training, batch, look, trains);

function probeBatch<M extends string, T>(
  training: TrainingContext<M>,
  batch: Batch<M>,
  look: (probe: Probe<M>) => T,
  trains: boolean,
): T | undefined {
  // The only method is one that says how the passes run.
  const running = new RunningMethods<M>([{ name: 'probe', plan: () => ({ inference: () => !trains }) }]);
  return tf.tidy(() => {
    const own = ownRows(batch, training.model.modalities);
    const possible = trains ? canTrain(training, batch, own) : own !== undefined;
    if (!possible || !own) return undefined as never;
    // What methods read beside the steps all processes read, if they are given the same batches.
    const isWhole = training.allReduce.rank !== undefined;
    return withStep(training, running, { batch: own, epoch: 0, batchIndex: 0, isWhole }, (step) => {
      step.plan();
      return look(step) as never;
    });
  }) as T | undefined;
}
