import * as tf from '@tensorflow/tfjs-core';
import type { Batch, Task } from '@g2d/datasets';
import type { MultimodalModel } from '@g2d/fusion';
import { OptionError, SGD, stepDecay } from '@g2d/tensor-ops';
import { summarize, type StepRecord } from './epoch-log.js';
import type { FrozenTeachers } from './frozen-teachers.js';
import type { EpochRecord, Method, Scores, Training } from './method.js';
import { ownRows } from './own-rows.js';
import { scoreBatch } from './scores.js';
import { trainStep, withStep } from './train-step.js';
import { createTraining } from './training.js';

/** Settings of the optimizer: SGD as PyTorch defines it. */
export interface OptimizerOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Epochs after which the learning rate falls to a tenth. Default: none. */
  readonly dropAfter?: readonly number[];
}

/** One training. */
export interface TrainOptions<M extends string> {
  readonly model: MultimodalModel<M>;
  /** Empty: joint training. */
  readonly methods: readonly Method<NoInfer<M>>[];
  readonly teachers?: FrozenTeachers<NoInfer<M>>;
  readonly epochs: number;
  readonly optimizer: OptimizerOptions;
  /** Default `'classification'`. */
  readonly task?: Task;
  /** The run's seed, from which methods draw their random numbers. Default 0. */
  readonly seed?: number;
  /** The training batches of an epoch (from 1). The loop disposes them. */
  readonly batches: (epoch: number) => AsyncIterable<Batch<NoInfer<M>>>;
  /** Scores on the validation part, or `undefined` for epochs to leave out. */
  readonly validate?: (epoch: number) => Promise<Scores | undefined>;
  /** After each epoch; awaited. */
  readonly onEpoch?: (record: EpochRecord) => void | Promise<void>;
}

/**
 * Trains a multimodal model (or, with one modality, a teacher) with any stack of methods.
 *
 * Every epoch: the methods' `onEpochStart`, a step for every batch (see `trainStep`), validation, `onEpochEnd`.
 *
 * @throws {OptionError} If the methods do not go together or with the task, if one needs teachers and there are none, or if
 * a label is not one of the model's classes.
 * @throws {G2DError} With code `G2D_DIVERGED` if the loss stops being finite.
 * @see G2D, Alg. 1
 */
export async function train<M extends string>(options: TrainOptions<M>): Promise<void> {
  const { model, methods, epochs, optimizer: settings, batches, validate, onEpoch } = options;
  assertOptions(options);
  const optimizer = new SGD(model.variables, settings);
  const training = createTraining(options, optimizer);
  try {
    for (const method of methods) await method.onTrainStart?.(training);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const started = performance.now();
      optimizer.learningRate = stepDecay(settings.learningRate, epoch, { after: settings.dropAfter ?? [] });
      for (const method of methods) await method.onEpochStart?.(training, epoch);

      const steps: StepRecord[] = [];
      for await (const batch of batches(epoch)) {
        try {
          const record = runStep(training, { epoch, batch, methods });
          if (record) steps.push(record);
        } finally {
          tf.dispose(batch);
        }
        // Lets timers and signals through: everything above is synchronous.
        await tf.nextFrame();
      }

      const summary = summarize(steps);
      const validation = await validate?.(epoch);
      const record: EpochRecord = {
        epoch,
        learningRate: optimizer.learningRate,
        seconds: (performance.now() - started) / 1000,
        ...summary,
        ...(validation && { validation }),
      };
      for (const method of methods) await method.onEpochEnd?.(training, record);
      await onEpoch?.(record);
    }
  } finally {
    optimizer.dispose();
  }
}

/** A step on the samples of a batch that have a modality of the model; nothing if there are none. */
function runStep<M extends string>(
  training: Training<M>,
  {
    epoch,
    batch,
    methods,
  }: { readonly epoch: number; readonly batch: Batch<M>; readonly methods: readonly Method<M>[] },
): StepRecord | undefined {
  // Plain numbers leave a `tidy` as they are.
  return tf.tidy(() => {
    const own = ownRows(batch, training.model.modalities);
    if (!own) return undefined as never;
    return withStep(training, { epoch, batch: own, methods }, (step) => {
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

function assertOptions<M extends string>({
  methods,
  teachers,
  epochs,
  task = 'classification',
}: TrainOptions<M>): void {
  const needy = methods.find((method) => method.teachers === 'unimodal');
  if (needy && !teachers) {
    throw new OptionError(
      `The method "${needy.name}" needs a trained teacher for each modality; pass \`teachers\`.`,
      { option: 'teachers', value: undefined, accepted: 'frozenTeachers({ … })' },
    );
  }
  if (!(Number.isInteger(epochs) && epochs >= 0)) {
    throw new OptionError(`\`epochs\` is ${epochs}; it must be a whole number of at least 0.`, {
      option: 'epochs',
      value: epochs,
      accepted: 'a whole number ≥ 0',
    });
  }
  const other = methods.find((method) => method.task && method.task !== task);
  if (other) {
    throw new OptionError(`The method "${other.name}" is for ${other.task}, but this is a ${task}.`, {
      option: 'methods',
      value: other.name,
      accepted: `methods for a ${task}`,
    });
  }
  assertOneOwner(methods, 'loss');
  assertOneOwner(methods, 'trainStep');
  const whole = methods.find((method) => method.trainStep);
  const part = methods.find((method) => method !== whole && (method.loss ?? method.afterBackward));
  if (whole && part) {
    throw new OptionError(
      `"${whole.name}" does the whole step its own way, so "${part.name}" could not change its loss or gradients. Leave one of them out.`,
      { option: 'methods', value: [whole.name, part.name], accepted: `"${whole.name}" alone` },
    );
  }
}

function assertOneOwner<M extends string>(methods: readonly Method<M>[], hook: 'loss' | 'trainStep'): void {
  const owners = methods.filter((method) => method[hook]).map(({ name }) => name);
  if (owners.length < 2) return;
  const what = hook === 'loss' ? 'the loss' : 'the whole step';
  throw new OptionError(
    `Only one method can give ${what}, but ${owners.join(' and ')} do. Leave out all but one.`,
    { option: 'methods', value: owners, accepted: `at most one method with a \`${hook}\`` },
  );
}
