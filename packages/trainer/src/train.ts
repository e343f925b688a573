import * as tf from '@tensorflow/tfjs-core';
import { assertModalityNames, checkKeys } from '@g2d/core';
import type { Batch, EpochRecord, Method, OptimizerSettings, Snapshot } from '@g2d/core';
import { addStep, countPasses, NO_STEPS, skipSteps, summarize, type StepRecord } from './epoch-log.js';
import { grouped, joinBatches, type PlacedBatch } from './accumulate.js';
import type { SplitMetrics } from '@g2d/tensor-ops';
import { headlines, type Predictor } from './evaluate.js';
import { settledLoss } from './loss-options.js';
import { mapValues } from './map-values.js';
import { readState } from './model-state.js';
import { ownRows, withoutSamples } from './own-rows.js';
import { PLATEAU, type Plateau } from './plateau.js';
import { predictorOf } from './predict.js';
import { probeOf } from './probe.js';
import { averageStatistics, summed } from './reduce.js';
import { RunningMethods } from './running-methods.js';
import { predictions } from './predictions.js';
import { numbersOfScores, scoreBatch, scoresOfNumbers } from './scores.js';
import { ownPart, ownShares } from './shares.js';
import { trainStep, withStep } from './step.js';
import { canTrain } from './too-few-rows.js';
import { staged, type TrainingSettings } from './staged.js';
import { TrainingContext, type TrainingOptions } from './training.js';
import { BEGINNING, captureState, restoreState, type TrainingState } from './training-state.js';

/** One training. */
export interface TrainOptions<M extends string>
  extends Omit<TrainingOptions<NoInfer<M>>, 'model'>, TrainingSettings {
  readonly model: TrainingOptions<M>['model'];
  /** Empty: joint training. */
  readonly methods: readonly Method<M>[];
  readonly optimizer: OptimizerSettings;
  /** As the run is configured; a method with stages may have others. */
  readonly epochs: number;
  /**
   * The training batches of an epoch (from 1) from batch `startBatch` on, which is 0 but for a training that goes on in the
   * middle of an epoch. The loop disposes them.
   *
   * @param part Where processes share each batch, which part of it this one trains on, as `batches` of `@g2d/datasets` takes it: who reads
   * it alone says so in the batch. Whole ones are right too.
   */
  readonly batches: (
    epoch: number,
    startBatch: number,
    part?: { readonly index: number; readonly of: number; readonly least: number },
  ) => AsyncIterable<Batch<NoInfer<M>>>;
  /**
   * What the model, or its method, comes to on the validation and the test split after an epoch; `undefined` for epochs to leave
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
   * Numbers of this process of which all have to know the sums after a step, such as whether it was asked to stop; asked before the step, with
   * whose own numbers they are sent. As many in every process. Default: none.
   */
  readonly ask?: () => readonly number[];
  /**
   * After each step; awaited. `capture` copies the state of the training for a checkpoint; with several processes all of them call it,
   * after the same step.
   *
   * @param sums Over the processes, of what `ask` gave before the step.
   * @returns `'stop'` to end here. The training can be resumed from what `capture` gives.
   */
  readonly afterStep?: (
    capture: () => TrainingState,
    sums: readonly number[],
  ) => 'stop' | void | Promise<'stop' | void>;
  /**
   * After each epoch, in the same way; `capture` copies the state at the beginning of the next one, `evaluated` the weights that
   * were evaluated: before any method's `epoch`.
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
  const settle = async (training: TrainingContext<M>): Promise<void> => {
    // Before methods look at losses.
    training.crossEntropyOf = await settledLoss(options.loss ?? {}, training);
  };
  const begun = await begin(settle, options);
  const { training, running, predict } = begun;
  try {
    const status = await runEpochs(options, begun);
    running.finish();
    return { status, predict };
  } finally {
    running.dispose();
    training.dispose();
  }
}

/**
 * What a training predicts with at a saved state, or before its first step; nothing is trained.
 *
 * @throws {OptionError} As `train`.
 */
export async function predictorAt<M extends string>(options: TrainOptions<M>): Promise<Predictor<M>> {
  const { training, running, predict } = await begin(undefined, options);
  running.finish();
  running.dispose();
  training.dispose();
  return predict;
}

/** A training before its next step. */
type Begun<M extends string> = Awaited<ReturnType<typeof begin<M>>>;

/** Checks everything, and makes what a training has before its first step, or had at a saved state. */
async function begin<M extends string>(
  prepare: ((training: TrainingContext<M>) => Promise<void>) | undefined,
  options: TrainOptions<M>,
) {
  checkKeys(
    options,
    {
      model: true,
      methods: true,
      optimizer: true,
      epochs: true,
      batches: true,
      evaluate: true,
      resume: true,
      ask: true,
      afterStep: true,
      onEpoch: true,
      everySample: true,
      everyValidationSample: true,
      batchesPerEpoch: true,
      teachers: true,
      task: true,
      seed: true,
      allReduce: true,
      batchNorm: true,
      accumulate: true,
      freeze: true,
      earlyStopping: true,
      loss: true,
    },
    'train',
  );
  assertModalityNames(options.model.modalities, 'The model');
  const { resume } = options;
  const { methods, stages } = staged(options);
  const position = resume?.position ?? BEGINNING;
  const { batchesPerEpoch: batches, accumulate = 1 } = options;
  const training = new TrainingContext<M>(
    {
      ...options,
      epochs: stages.epochs,
      batchesPerEpoch: batches === undefined ? undefined : Math.ceil(batches / accumulate),
    },
    stages.optimizer(position.epoch).settings,
  );
  const running = new RunningMethods<M>(methods);
  training.withheld = () => running.withheld();
  training.probe = probeOf(training);
  try {
    await prepare?.(training);
    if (resume) {
      const beginsAnew = position.batch === 0 && stages.beginsAnew(position.epoch);
      await restoreState(training, running, resume, { beginsAnew });
    } else {
      await running.start(training);
    }
  } catch (error) {
    running.dispose();
    training.dispose();
    throw error;
  }
  running.enter(stages.hooks(position.batch === 0 ? position.epoch - 1 : position.epoch));
  return { training, running, stages, position, predict: predictorOf(training, running) };
}

async function runEpochs<M extends string>(
  options: TrainOptions<M>,
  { training, running, stages, predict, ...begun }: Begun<M>,
): Promise<TrainResult<M>['status']> {
  const { model, epochs } = training;
  let { position } = begun;
  // What methods read as they began.
  position = { ...position, totals: countPasses(position.totals, training.passes.take()) };
  const plateau = (): Plateau | undefined => running.stateOf(PLATEAU) as Plateau | undefined;
  while (position.epoch <= epochs) {
    const { epoch } = position;
    const started = performance.now() - 1000 * position.seconds;
    const seconds = (): number => (performance.now() - started) / 1000;
    running.enter(stages.hooks(epoch));
    if (position.batch === 0) {
      if (stages.beginsAnew(epoch)) training.beginOptimizer(stages.optimizer(epoch).settings);
      training.optimizer.learningRate = stages.learningRate(
        epoch,
        training.optimizer.learningRate,
        plateau(),
      );
    }
    training.partFactors = stages.partFactors(epoch, plateau());

    const { accumulate = 1 } = options;
    const withheld = running.withheld();
    // What is left of a batch, or of several together, is known once all of it is read.
    const part = accumulate === 1 && withheld.size === 0 ? ownPart(training) : undefined;
    const read = options.batches(epoch, position.batch, ...(part ? [part] : []));
    for await (const group of grouped(read, accumulate, position.batch)) {
      let { totals } = position;
      const { batchIndex } = group.at(-1) as PlacedBatch<M>;
      let asked: readonly number[];
      try {
        const { record, skipped, sums } = runStep(training, running, {
          epoch,
          group,
          accumulate,
          withheld,
          asked: options.ask?.() ?? [],
        });
        asked = sums;
        totals = countPasses(totals, training.passes.take());
        totals = skipSteps(record ? addStep(totals, record) : totals, skipped);
      } finally {
        for (const { batch } of group) tf.dispose(batch);
      }
      // What a method has taken from the batch is gone now: better said here than at a checkpoint.
      running.followAll();
      position = { epoch, batch: batchIndex + 1, totals, seconds: seconds() };
      const now = position;
      // Lets timers and signals through: everything above is synchronous.
      await tf.nextFrame();
      if ((await options.afterStep?.(() => captureState(training, running, now), asked)) === 'stop')
        return 'stopped';
    }

    const summary = summarize(position.totals);
    averageStatistics(training.allReduce, model);
    const metrics = await options.evaluate?.(epoch, predict);
    const stage = stages.nameOf(epoch);
    const record: EpochRecord = {
      epoch,
      ...(stage !== undefined && { stage }),
      learningRate: training.optimizer.learningRate,
      ...partRates(training),
      seconds: seconds(),
      ...summary,
      ...(metrics && { ...headlines(metrics), metrics }),
    };
    // Only a method's hook can change them before the epoch is reported.
    const before = running.present.some((method) => method.epoch) ? readState(model) : undefined;
    const stoppedBy = await running.epoch(record, training);
    const last = stoppedBy !== undefined;
    const evaluated = (): Snapshot['model'] => before ?? readState(model);
    // A method that ends the training leaves nothing to go on with.
    const totals = countPasses(NO_STEPS, training.passes.take());
    position = { epoch: last ? epochs + 1 : epoch + 1, batch: 0, totals, seconds: 0 };
    const next = position;
    if (
      (await options.onEpoch?.(
        last ? { ...record, stopped: true, stoppedBy } : record,
        () => captureState(training, running, next),
        evaluated,
      )) === 'stop'
    )
      return 'stopped';
  }
  running.enter(stages.hooks(epochs));
  return 'finished';
}

/** For the log. */
function partRates<M extends string>({ partFactors, optimizer }: TrainingContext<M>) {
  const learningRates = mapValues(partFactors, (factor) => optimizer.learningRate * factor);
  return Object.keys(learningRates).length > 0 ? { learningRates } : {};
}

/** What came of some batches. */
interface Stepped {
  /** Nothing if no sample has a modality of the model, or all batches were left out. */
  readonly record: StepRecord | undefined;
  /** Batches that are left out, since there are too few samples to train on. */
  readonly skipped: number;
  /** Of what was asked. */
  readonly sums: readonly number[];
}

/** A step on the samples of some batches that have a modality of the model. */
function runStep<M extends string>(
  training: TrainingContext<M>,
  running: RunningMethods<M>,
  {
    epoch,
    group,
    accumulate,
    withheld,
    asked,
  }: {
    readonly epoch: number;
    readonly group: readonly PlacedBatch<M>[];
    readonly accumulate: number;
    readonly withheld: ReadonlySet<string>;
    readonly asked: readonly number[];
  },
): Stepped {
  const { model, allReduce } = training;
  const { modalities } = model;
  let skipped = 0;
  let sums: readonly number[] | undefined;
  // Plain numbers leave a `tidy` as they are.
  const record: StepRecord | undefined = tf.tidy(() => {
    const all = group.flatMap(({ batch, batchIndex }) => {
      const rest = withoutSamples(batch, withheld);
      const own = rest && ownRows(rest, modalities);
      const trains = canTrain(training, batch, own);
      if (own && trains) return [{ batch: own, batchIndex }];
      // Another process may have rows of a batch that it alone was given.
      if (own || (allReduce.processes > 1 && allReduce.rank === undefined)) skipped++;
      return [];
    });
    const { parts, isWhole } = ownShares(training, all);
    const [first] = parts;
    if (!first) return undefined as never;
    const place =
      accumulate === 1
        ? { ...first, epoch }
        : {
            epoch,
            parts,
            batch: joinBatches(
              parts.map(({ batch }) => batch),
              modalities,
            ),
            batchIndex: 0,
          };
    const batchIndex = Math.floor(first.batchIndex / accumulate);
    return withStep(training, running, { ...place, batchIndex, isWhole }, (step) => {
      let own: StepRecord['scores'] = {};
      const trained = trainStep(step, running, (outputs) => {
        const predicted = predictions(training, outputs);
        return {
          tensors: Object.values(predicted),
          numbers(values) {
            const heads = Object.keys(predicted);
            const known = Object.fromEntries(heads.map((head, i) => [head, values[i] as Float32Array]));
            own = scoreBatch(training, place.batch, known);
            // What all have is nobody's share.
            return [...asked, ...(isWhole ? [] : numbersOfScores(own))];
          },
        };
      });
      sums = trained.sums.slice(0, asked.length);
      const stepped: StepRecord = {
        loss: trained.losses,
        scores: isWhole ? own : scoresOfNumbers(own, trained.sums.slice(asked.length)),
        series: step.series,
        spread: step.spread,
      };
      return stepped as never;
    });
  });
  return { record, skipped, sums: sums ?? summed(allReduce, asked) };
}
