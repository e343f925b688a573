import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@g2d/datasets';
import type { TeacherOutputs } from '@g2d/distill';
import { studentLoss } from '@g2d/distill';
import type { MultimodalModel, Outputs } from '@g2d/fusion';
import {
  G2DError,
  OptionError,
  orderedGradients,
  SGD,
  stepDecay,
  type NamedGradient,
  type PerModality,
} from '@g2d/tensor-ops';
import type { FrozenTeachers } from './frozen-teachers.js';
import type { LossTerms, Method, Step } from './method.js';
import { predictedClasses } from './predicted-classes.js';

/** Settings of the optimizer: SGD as PyTorch defines it. */
export interface OptimizerOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Epochs after which the learning rate falls to a tenth. Default: none. */
  readonly dropAfter?: readonly number[];
}

/** Accuracies in percent: `fused` (two modalities or more) and one for each modality. */
export type Accuracies = Readonly<Record<string, number>>;

/** What an epoch leaves in the log. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number;
  readonly learningRate: number;
  readonly seconds: number;
  /** Means over the epoch's batches. */
  readonly loss: Readonly<Record<string, number>>;
  /** On the training batches as they were trained on: augmented, before each step. */
  readonly train: Accuracies;
  /** On the epochs that were evaluated. */
  readonly validation?: Accuracies;
  /** Series of the methods, such as `confidence` and `coefficients`: means over the epoch's batches. */
  readonly [series: string]: unknown;
}

/** One training. */
export interface TrainOptions<M extends string> {
  readonly model: MultimodalModel<M>;
  /** Empty: joint training. */
  readonly methods: readonly Method<NoInfer<M>>[];
  readonly teachers?: FrozenTeachers<NoInfer<M>>;
  readonly epochs: number;
  readonly optimizer: OptimizerOptions;
  /** The training batches of an epoch (from 1). The loop disposes them. */
  readonly batches: (epoch: number) => AsyncIterable<Batch<NoInfer<M>>>;
  /** Accuracies on the validation part, or `undefined` for epochs to leave out. */
  readonly validate?: (epoch: number) => Promise<Accuracies | undefined>;
  /** After each epoch; awaited. */
  readonly onEpoch?: (record: EpochRecord) => void | Promise<void>;
}

interface StepResult {
  readonly samples: number;
  readonly loss: Record<string, number>;
  readonly right: Record<string, number>;
  readonly series: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * Trains a multimodal model (or, with one modality, a teacher) with any stack of methods.
 *
 * Every step: teachers on the batch, the methods' `onStepStart`, forward pass and loss, gradients of the active
 * variables only, the methods' gradient edits, one optimizer step.
 *
 * @throws {OptionError} If a method needs teachers and there are none, if two methods give a loss, or if a label is not
 * one of the model's classes.
 * @throws {G2DError} With code `G2D_DIVERGED` if the loss stops being finite.
 * @see G2D, Alg. 1
 */
export async function train<M extends string>(options: TrainOptions<M>): Promise<void> {
  const { model, methods, teachers, epochs, optimizer: settings, batches, validate, onEpoch } = options;
  const needy = methods.find((method) => method.teachers === 'unimodal');
  if (needy && !teachers) {
    throw new OptionError(
      `The method "${needy.name}" needs a trained teacher for each modality; pass \`teachers\`.`,
      {
        option: 'teachers',
        value: undefined,
        accepted: 'frozenTeachers({ … })',
      },
    );
  }
  if (!(Number.isInteger(epochs) && epochs >= 0)) {
    throw new OptionError(`\`epochs\` is ${epochs}; it must be a whole number of at least 0.`, {
      option: 'epochs',
      value: epochs,
      accepted: 'a whole number ≥ 0',
    });
  }
  const losses = methods.filter((method) => method.loss).map(({ name }) => name);
  if (losses.length > 1) {
    throw new OptionError(
      `Only one method can give the loss, but ${losses.join(' and ')} do. Leave out all but one.`,
      {
        option: 'methods',
        value: losses,
        accepted: 'at most one method with a loss',
      },
    );
  }
  for (const method of methods) method.onTrainStart?.({ model, epochs });
  const optimizer = new SGD(model.variables, settings);
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const started = performance.now();
      optimizer.learningRate = stepDecay(settings.learningRate, epoch, { after: settings.dropAfter ?? [] });
      const results: StepResult[] = [];
      for await (const batch of batches(epoch)) {
        try {
          results.push(trainStep({ epoch, model, methods, batch, optimizer, ...(needy && { teachers }) }));
        } finally {
          tf.dispose(batch);
        }
        // Lets timers and signals through: everything above is synchronous.
        await tf.nextFrame();
      }
      const summary = summarize(results);
      const validation = await validate?.(epoch);
      const seconds = (performance.now() - started) / 1000;
      const { learningRate } = optimizer;
      await onEpoch?.({ epoch, learningRate, seconds, ...summary, ...(validation && { validation }) });
    }
  } finally {
    optimizer.dispose();
  }
}

function trainStep<M extends string>({
  epoch,
  model,
  methods,
  batch,
  optimizer,
  teachers,
}: {
  readonly epoch: number;
  readonly model: MultimodalModel<M>;
  readonly methods: readonly Method<M>[];
  readonly batch: Batch<M>;
  readonly optimizer: SGD;
  readonly teachers?: FrozenTeachers<M> | undefined;
}): StepResult {
  return tf.tidy(() => {
    const step = stepOf(epoch, model, batch, teachers?.outputs(batch));
    for (const method of methods) method.onStepStart?.(step);

    const lossOwner = methods.find((method) => method.loss);
    const active = methods.reduce<readonly tf.Variable[]>(
      (variables, method) => method.activeVariables?.(variables) ?? variables,
      model.variables,
    );
    // Outside of the differentiated pass nothing is saved for a backward pass that these encoders will not have.
    const ready = idleFeatures(model, batch, active);
    let loss: Record<string, number> = {};
    let right: Record<string, number> = {};
    let outputs: Outputs<M> | undefined;
    try {
      const { grads } = tf.variableGrads(() => {
        outputs = keepOutputs(model.forward(batch.inputs, { training: true }, ready));
        const terms = lossOwner?.loss?.(step, outputs) ?? jointLoss(step, outputs);
        loss = mapValues(terms, (term) => (term as tf.Scalar).dataSync()[0] as number);
        right = countRight(batch.labels, outputs);
        return terms.total;
      }, active as tf.Variable[]);
      if (!Number.isFinite(loss['total'])) {
        throw new G2DError(
          'G2D_DIVERGED',
          `The loss is ${loss['total']} in epoch ${epoch}. Lower the learning rate (now ${optimizer.learningRate}), or look for samples that are not finite.`,
          { epoch, loss },
        );
      }
      const gradients = methods.reduce<readonly NamedGradient[]>(
        (edited, method) => method.afterBackward?.(edited, step, outputs as Outputs<M>) ?? edited,
        orderedGradients(grads, model.variables),
      );
      optimizer.applyGradients(gradients);
      return {
        samples: batch.ids.length,
        loss,
        right,
        series: Object.assign({}, ...methods.map((method) => method.stepLog?.())) as StepResult['series'],
      };
    } finally {
      tf.dispose(outputs as unknown as tf.TensorContainer);
    }
  });
}

/** Features of the modalities whose encoder has no active variable. */
function idleFeatures<M extends string>(
  model: MultimodalModel<M>,
  { inputs }: Batch<M>,
  active: readonly tf.Variable[],
): Partial<Record<M, tf.Tensor2D>> {
  const groups = model.groups();
  const busy = new Set(
    active.flatMap(({ name }) => {
      const group = groups.get(name);
      return group && group.role !== 'head' ? [group.modality] : [];
    }),
  );
  const features: Partial<Record<M, tf.Tensor2D>> = {};
  for (const modality of model.modalities.filter((name) => !busy.has(name))) {
    features[modality] = model.encode(modality, inputs[modality], { training: true });
  }
  return features;
}

/** Lets outputs outlive the pass that is differentiated, for the methods' gradient edits. Dispose them. */
function keepOutputs<M extends string>(outputs: Outputs<M>): Outputs<M> {
  const { features, logits, unimodalLogits } = outputs;
  for (const tensor of [
    logits,
    ...Object.values<tf.Tensor>({ ...features }),
    ...Object.values<tf.Tensor>({ ...unimodalLogits }),
  ]) {
    tf.keep(tensor);
  }
  return outputs;
}

const jointLoss = <M extends string>({ batch }: Step<M>, { logits }: Outputs<M>): LossTerms => {
  const total = studentLoss(batch.labels, logits);
  return { total, student: total };
};

function stepOf<M extends string>(
  epoch: number,
  model: MultimodalModel<M>,
  batch: Batch<M>,
  outputs: PerModality<M, TeacherOutputs> | undefined,
): Step<M> {
  return {
    epoch,
    model,
    batch,
    get teachers() {
      if (outputs) return outputs;
      throw new OptionError('A method asks for teachers but does not declare `teachers: "unimodal"`.', {
        option: 'teachers',
        value: undefined,
        accepted: '"unimodal"',
      });
    },
  };
}

/** How many samples of the batch each prediction gets right. */
function countRight<M extends string>(labels: tf.Tensor1D, outputs: Outputs<M>): Record<string, number> {
  const truth = labels.dataSync();
  const classes = outputs.logits.shape[1];
  const wrong = truth.find((label) => label < 0 || label >= classes);
  if (wrong !== undefined) {
    throw new OptionError(
      `A batch has the label ${wrong}, but the model has ${classes} classes, 0 to ${classes - 1}. Such a sample would train nothing, silently.`,
      { option: 'labels', value: wrong, accepted: `0 to ${classes - 1}` },
    );
  }
  return mapValues(predictedClasses(outputs), (predicted) =>
    predicted.reduce((count, id, i) => count + Number(id === truth[i]), 0),
  );
}

const mapValues = <T, U>(record: Readonly<Record<string, T>>, f: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function summarize(results: readonly StepResult[]): { loss: Record<string, number>; train: Accuracies } {
  const [first] = results;
  if (!first) {
    throw new OptionError(
      'An epoch without batches. Is the batch size larger than the dataset while the last incomplete batch is dropped?',
      { option: 'batches', value: 0, accepted: 'at least one batch' },
    );
  }
  const samples = results.reduce((sum, result) => sum + result.samples, 0);
  return {
    loss: mapKeys(first.loss, (part) => mean(results.map(({ loss }) => loss[part] as number))),
    train: mapKeys(first.right, (name) => {
      const right = results.reduce((sum, result) => sum + (result.right[name] as number), 0);
      return (100 * right) / samples;
    }),
    ...mapKeys(first.series, (name) =>
      mapKeys(first.series[name] as object, (modality) =>
        mean(results.map(({ series }) => series[name]?.[modality] as number)),
      ),
    ),
  };
}

const mapKeys = <U>(record: object, f: (key: string) => U): Record<string, U> =>
  Object.fromEntries(Object.keys(record).map((key) => [key, f(key)]));
