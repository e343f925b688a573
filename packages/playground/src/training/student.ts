// One training of the method that was chosen, told epoch by epoch.
import * as tf from '@tensorflow/tfjs-core';
import { isComponent, type AnyMethod, type EpochRecord, type StackDefinition } from '@g2d/core';
import { batches, someSamples, type SmallAvMnistSplit } from '@g2d/datasets';
import { methods as definitions } from '@g2d/methods';
import {
  evaluate,
  frozenTeachers,
  teacherConfidence,
  teacherEnsemble,
  train,
  type Evaluation,
  type TrainingState,
} from '@g2d/trainer';
import type { CatalogMethod } from '../catalog.js';
import {
  HEADS,
  type ByHead,
  type ByModality,
  type EpochReport,
  type Predictions,
  type TeacherReport,
} from '../protocol.js';
import { methodOptions, type Settings } from '../settings.js';
import { buildModel } from './model.js';
import { MODALITIES, type Modality } from './names.js';
import { batchesPerEpoch, optimizerFor, trainingBatches } from './recipe.js';
import type { TeacherModels } from './teachers.js';

export type Splits = Readonly<Record<'train' | 'validation' | 'test', SmallAvMnistSplit>>;

/** Test pairs that are looked at after each epoch; all of them after the last. */
export const LOOKED_AT = 500;

/** What somebody follows a training by. */
export interface Watch {
  /** After each step, awaited. `'stop'` ends the training. */
  readonly step: (place: { epoch: number; step: number; steps: number }) => Promise<'stop' | void>;
  readonly epoch: (report: EpochReport, predictions: Predictions, state: TrainingState) => void;
}

/**
 * Trains to the end, or until it is told to stop.
 *
 * @param options `resume`: the state after an epoch, to go on from.
 * @returns Accuracies of all test pairs; `undefined` if it was stopped.
 */
export async function trainStudent({
  settings,
  method,
  splits,
  teachers,
  resume,
  watch,
}: {
  readonly settings: Settings;
  readonly method: CatalogMethod;
  readonly splits: Splits;
  readonly teachers: TeacherModels | undefined;
  readonly resume: TrainingState | undefined;
  readonly watch: Watch;
}): Promise<ByHead<number> | undefined> {
  const { epochs, seed } = settings;
  const methods = methodsOf(settings, method);
  const model = buildModel({ modalities: MODALITIES, seed, methods, widths: method.widths });
  const frozen = teachers && method.teachers ? frozenTeachers<Modality>(teachers) : undefined;
  const steps = batchesPerEpoch(splits.train);
  const shown = lookedAt(splits.test);
  const every = (split: SmallAvMnistSplit) => (modalities: readonly Modality[]) =>
    batches(split, { batchSize: 250, modalities });
  let place = { epoch: resume?.position.epoch ?? 1, step: 0, steps };
  let evaluation: Evaluation | undefined;
  try {
    const { status, predict } = await train<Modality>({
      model,
      methods,
      epochs,
      seed,
      optimizer: optimizerFor(epochs),
      batchesPerEpoch: steps,
      batches: trainingBatches(splits.train, MODALITIES, seed),
      everySample: every(splits.train),
      everyValidationSample: every(splits.validation),
      ...(frozen && { teachers: frozen }),
      resume,
      evaluate: async (_, predict) => {
        evaluation = await evaluate(predict, shown);
        const validation = method.validation ? await evaluate(predict, splits.validation) : undefined;
        return { test: evaluation.metrics, ...(validation && { validation: validation.metrics }) };
      },
      afterStep: () => {
        place = { ...place, step: place.step + 1 };
        return watch.step(place);
      },
      onEpoch: (record, capture) => {
        place = { epoch: record.epoch + 1, step: 0, steps };
        watch.epoch(reportOf(record), predictionsOf(evaluation as Evaluation), capture());
      },
    });
    if (status === 'stopped') return undefined;
    return (await evaluate(predict, splits.test)).accuracy as ByHead<number>;
  } finally {
    frozen?.dispose();
    for (const weight of model.state().values()) weight.dispose();
  }
}

function methodsOf(settings: Settings, method: CatalogMethod) {
  const options = methodOptions(settings, method);
  return method.parts.map((name) => {
    const definition = definitions
      .flatMap((one: AnyMethod | StackDefinition) => (isComponent(one, 'stack') ? [] : [one as AnyMethod]))
      .find((one) => one.name === name) as AnyMethod;
    return definition.make<Modality>(options[name] ?? {}, { where: 'the settings', prefix: name });
  });
}

function reportOf(record: EpochRecord): EpochReport {
  const { epoch, seconds, loss, train: trained, test, coefficients, confidence } = record;
  const byModality = (series: unknown): ByModality<number> | undefined =>
    series === undefined ? undefined : (series as ByModality<number>);
  const kappa = byModality(coefficients);
  const rho = byModality(confidence);
  return {
    epoch,
    seconds,
    accuracy: test as ByHead<number>,
    train: trained as ByHead<number>,
    loss: loss['student'] ?? loss['total'] ?? NaN,
    ...(kappa && { coefficients: kappa }),
    ...(rho && { confidence: rho }),
  };
}

function predictionsOf({ labels, logits }: Evaluation): Predictions {
  const probabilities = (rows: readonly Float32Array[]): Float32Array =>
    tf.tidy(() =>
      tf
        .softmax(tf.tensor2d(rows.map((row) => [...row])))
        .dataSync<'float32'>()
        .slice(),
    );
  return {
    labels: Uint8Array.from(labels),
    probabilities: Object.fromEntries(
      HEADS.map((head) => [head, probabilities(logits[head] ?? [])]),
    ) as unknown as ByHead<Float32Array>,
  };
}

const lookedAt = (test: SmallAvMnistSplit) =>
  someSamples(
    test,
    Array.from({ length: Math.min(LOOKED_AT, test.size) }, (_, i) => i),
  );

/** What the teachers come to on the same test pairs, and how sure they are of the training pairs. */
export async function reportTeachers(models: TeacherModels, { train, test }: Splits): Promise<TeacherReport> {
  const teachers = frozenTeachers<Modality>(models);
  try {
    const { fused, ...accuracy } = (await evaluate(teacherEnsemble(teachers), lookedAt(test)))
      .accuracy as ByHead<number>;
    return { accuracy, mean: fused, confidence: await teacherConfidence(teachers, train) };
  } finally {
    teachers.dispose();
  }
}
