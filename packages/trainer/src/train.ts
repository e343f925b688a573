import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@g2d/datasets';
import { addStep, NO_STEPS, summarize, type StepRecord } from './epoch-log.js';
import { headlines, type Predictor } from './evaluate.js';
import type { SplitMetrics } from './measure.js';
import type { EpochRecord, Method } from './method.js';
import { assertMethods } from './method-stack.js';
import { readState } from './model-state.js';
import { createOptimizer, learningRateAt, type OptimizerOptions } from './optimizer-options.js';
import { ownRows } from './own-rows.js';
import { predictorOf } from './predictor.js';
import { scoreBatch } from './scores.js';
import type { Snapshot } from './snapshot.js';
import { trainStep, withStep } from './train-step.js';
import { TrainingContext, type TrainingOptions } from './training.js';
import { BEGINNING, captureState, restoreState, type TrainingState } from './training-state.js';

/** One training. */
export interface TrainOptions<M extends string> extends Omit<TrainingOptions<NoInfer<M>>, 'model'> {
  readonly model: TrainingOptions<M>['model'];
  /** Empty: joint training. */
  readonly methods: readonly Method<NoInfer<M>>[];
  readonly optimizer: OptimizerOptions;
  /**
   * The training batches of an epoch (from 1) from batch `startBatch` on, which is 0 but for a training that goes on in the
   * middle of an epoch. The loop disposes them.
   */
  readonly batches: (epoch: number, startBatch: number) => AsyncIterable<Batch<NoInfer<M>>>;
  /**
   * What the model, or its method, comes to on the validation and the test part after an epoch; `undefined` for epochs to leave
   * out.
   *
   * @param predict As `evaluate` takes it.
   */
  readonly evaluate?: (
    epoch: number,
    predict: Predictor<NoInfer<M>>,
  ) => Promise<Readonly<Partial<Record<'validation' | 'test', SplitMetrics>>> | undefined>;
  /** A state from which to go on, as `capture` gave it. */
  readonly resume?: TrainingState | undefined;
  /**
   * After each step; awaited. `capture` copies the state of the training for a checkpoint.
   *
   * @returns `'stop'` to end here. The training can be resumed from what `capture` gives.
   */
  readonly afterStep?: (capture: () => TrainingState) => 'stop' | void | Promise<'stop' | void>;
  /**
   * After each epoch, in the same way; `capture` copies the state at the beginning of the next one, `evaluated` the weights that
   * were evaluated: before any method's `onEpochEnd`.
   */
  readonly onEpoch?: (
    record: EpochRecord,
    capture: () => TrainingState,
    evaluated: () => Snapshot['model'],
  ) => 'stop' | void | Promise<'stop' | void>;
}

/** How a training ended. */
export interface TrainResult<M extends string> {
  /** `'stopped'` if `afterStep` or `onEpoch` asked for it. */
  readonly status: 'finished' | 'stopped';
  /** What the training predicts with, for `evaluate`: the model, or its method. */
  readonly predict: Predictor<M>;
}

/**
 * Trains a multimodal model (or, with one modality, a teacher) with any stack of methods.
 *
 * @throws {OptionError} If the methods do not go together or with the task, if one needs teachers and there are none, if
 * a label is not one of the model's classes, or if `resume` is of another training.
 * @throws {G2DError} With code `G2D_DIVERGED` if the loss stops being finite.
 * @see G2D, Alg. 1
 */
export async function train<M extends string>(options: TrainOptions<M>): Promise<TrainResult<M>> {
  const { model, methods, epochs, optimizer: settings, batches } = options;
  assertMethods(options);
  const training = new TrainingContext<M>(options, createOptimizer(model.variables, settings));
  const predict = predictorOf(training, methods);
  try {
    for (const method of methods) await method.onTrainStart?.(training);
    let position = options.resume ? restoreState(training, methods, options.resume) : BEGINNING;

    while (position.epoch <= epochs) {
      const { epoch } = position;
      const started = performance.now() - 1000 * position.seconds;
      const seconds = (): number => (performance.now() - started) / 1000;
      if (position.batch === 0) {
        training.optimizer.learningRate = learningRateAt(settings, epoch);
        for (const method of methods) await method.onEpochStart?.(training, epoch);
      }

      for await (const batch of batches(epoch, position.batch)) {
        let { totals } = position;
        const batchIndex = batch.index ?? position.batch;
        try {
          const record = runStep(training, methods, { epoch, batch, batchIndex });
          if (record) totals = addStep(totals, record);
        } finally {
          tf.dispose(batch);
        }
        position = { epoch, batch: batchIndex + 1, totals, seconds: seconds() };
        const now = position;
        // Lets timers and signals through: everything above is synchronous.
        await tf.nextFrame();
        if ((await options.afterStep?.(() => captureState(training, methods, now))) === 'stop')
          return { status: 'stopped', predict };
      }

      const summary = summarize(position.totals);
      const metrics = await options.evaluate?.(epoch, predict);
      const record: EpochRecord = {
        epoch,
        learningRate: training.optimizer.learningRate,
        seconds: seconds(),
        ...summary,
        ...(metrics && { ...headlines(metrics), metrics }),
      };
      // Only a method's hook can change them before the epoch is reported.
      const before = methods.some(({ onEpochEnd }) => onEpochEnd) ? readState(model) : undefined;
      let last = false;
      for (const method of methods) last = (await method.onEpochEnd?.(training, record)) === 'stop' || last;
      const evaluated = (): Snapshot['model'] => before ?? readState(model);
      // A method that ends the training leaves nothing to go on with.
      position = { epoch: last ? epochs + 1 : epoch + 1, batch: 0, totals: NO_STEPS, seconds: 0 };
      const next = position;
      if (
        (await options.onEpoch?.(
          last ? { ...record, stopped: true } : record,
          () => captureState(training, methods, next),
          evaluated,
        )) === 'stop'
      )
        return { status: 'stopped', predict };
    }
    if (epochs > 0) for (const method of methods) await method.onTrainEnd?.(training);
    return { status: 'finished', predict };
  } finally {
    training.dispose();
  }
}

/** A step on the samples of a batch that have a modality of the model; nothing if there are none. */
function runStep<M extends string>(
  training: TrainingContext<M>,
  methods: readonly Method<M>[],
  { batch, ...place }: { readonly epoch: number; readonly batchIndex: number; readonly batch: Batch<M> },
): StepRecord | undefined {
  // Plain numbers leave a `tidy` as they are.
  return tf.tidy(() => {
    const own = ownRows(batch, training.model.modalities);
    if (!own) return undefined as never;
    return withStep(training, methods, { ...place, batch: own }, (step) => {
      const { loss, outputs } = trainStep(step, methods);
      const record: StepRecord = {
        loss,
        scores: scoreBatch(training.task, own, outputs),
        series: Object.assign({}, ...methods.map((method) => method.stepLog?.())) as StepRecord['series'],
      };
      return record as never;
    });
  });
}
