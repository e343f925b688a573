import * as tf from '@tensorflow/tfjs-core';
import { batches, type Batch, type MultimodalDataset } from '@g2d/datasets';
import type { MultimodalModel, Outputs } from '@g2d/fusion';
import {
  accuracy,
  confusionMatrix,
  meanAbsolutePercentageError,
  OptionError,
  rSquared,
  type PerModality,
} from '@g2d/tensor-ops';
import { encoderInputs } from './encoder-inputs.js';
import type { Scores } from './method.js';
import { predictedClasses, predictedValues } from './predictions.js';

/** Predictions of a model on a split. Those of a modality are about the samples that have it; `ids` are all. */
interface Predictions {
  readonly ids: readonly string[];
  /** Class ids, or targets. */
  readonly labels: readonly number[];
  /** Predicted class ids or values, as many as `ids`: `fused` (two modalities or more) and each modality's own. */
  readonly predictions: Readonly<Record<string, readonly number[]>>;
}

/** What follows from the predictions of classes. */
export interface Evaluation extends Predictions {
  /** Percent: `fused` (two modalities or more) and each modality's own logits. */
  readonly accuracy: Scores;
  /** `confusion[name][true][predicted]`, counts. */
  readonly confusion: Readonly<Record<string, readonly (readonly number[])[]>>;
}

/** What follows from the predictions of a regression, by the same names. */
export interface RegressionEvaluation extends Predictions {
  /** Mean absolute percentage error, in percent. */
  readonly meanAbsolutePercentageError: Scores;
  readonly rSquared: Scores;
}

/** Anything that gives logits for a batch: a model in inference mode, or teachers averaged. */
export type Predictor<M extends string> = (
  batch: Omit<Batch<M>, 'labels'>,
) => Pick<Outputs<M>, 'logits' | 'unimodalLogits'>;

/** A model's forward pass with running statistics. */
export const inferenceOf =
  <M extends string>(model: MultimodalModel<M>): Predictor<M> =>
  (batch) =>
    model.forward(encoderInputs(model, batch), { training: false }, { present: batch.present });

/**
 * Evaluates a classifier on every sample of a dataset, in its order, without augmentation.
 *
 * @param predict For example `inferenceOf(model)`. It may use some of the dataset's modalities only.
 * @param options `batchSize`: default 250; it changes speed and memory only.
 * @throws {OptionError} If the dataset is one of a regression.
 */
export async function evaluate<A extends string, M extends A>(
  predict: Predictor<M>,
  dataset: MultimodalDataset<A>,
  options: { readonly batchSize?: number } = {},
): Promise<Evaluation> {
  assertTask(dataset, 'classification', 'evaluateRegression');
  const { masks, ...found } = await predictAll(predict, dataset, options, predictedClasses);
  const confusion = mapValues(found.predictions, (predicted, name) =>
    confusionMatrix(
      presentOf(found.labels, masks[name]),
      presentOf(predicted, masks[name]),
      dataset.classNames.length,
    ),
  );
  return { ...found, accuracy: mapValues(confusion, accuracy), confusion };
}

/**
 * Evaluates a regression in the same way.
 *
 * @throws {OptionError} If the dataset is one of classes, or a target is 0 (a percentage of it is not defined).
 * @see G2D, Sec. 4.1 (MIS-ME)
 */
export async function evaluateRegression<A extends string, M extends A>(
  predict: Predictor<M>,
  dataset: MultimodalDataset<A>,
  options: { readonly batchSize?: number } = {},
): Promise<RegressionEvaluation> {
  assertTask(dataset, 'regression', 'evaluate');
  const { masks, ...found } = await predictAll(predict, dataset, options, predictedValues);
  const score = (metric: (targets: readonly number[], predictions: readonly number[]) => number) =>
    mapValues(found.predictions, (predicted, name) =>
      metric(presentOf(found.labels, masks[name]), presentOf(predicted, masks[name])),
    );
  return {
    ...found,
    meanAbsolutePercentageError: score(meanAbsolutePercentageError),
    rSquared: score(rSquared),
  };
}

function assertTask(
  { name, task }: MultimodalDataset<string>,
  expected: MultimodalDataset<string>['task'],
  other: string,
): void {
  if (task === expected) return;
  throw new OptionError(`${name} is a ${task} dataset. Use \`${other}\`.`, {
    option: 'dataset',
    value: task,
    accepted: expected,
  });
}

async function predictAll<A extends string, M extends A>(
  predict: Predictor<M>,
  dataset: MultimodalDataset<A>,
  { batchSize = 250 }: { readonly batchSize?: number },
  read: (outputs: ReturnType<Predictor<M>>) => Record<string, Iterable<number>>,
): Promise<Predictions & { readonly masks: Readonly<Record<string, readonly number[]>> }> {
  const ids: string[] = [];
  const labels: number[] = [];
  const predictions: Record<string, number[]> = {};
  const masks: Record<string, number[]> = {};
  for await (const batch of batches(dataset, { batchSize })) {
    ids.push(...batch.ids);
    labels.push(...batch.labels.dataSync());
    tf.tidy(() => {
      const predicted = read(predict(batch));
      for (const [name, values] of Object.entries(predicted)) (predictions[name] ??= []).push(...values);
    });
    for (const [name, mask] of Object.entries<tf.Tensor1D>({ ...batch.present }))
      (masks[name] ??= []).push(...mask.dataSync());
    tf.dispose(batch);
    await tf.nextFrame();
  }
  return { ids, labels, predictions, masks };
}

/** The values of samples that have a modality. */
const presentOf = (values: readonly number[], mask: readonly number[] | undefined): readonly number[] =>
  mask ? values.filter((_, i) => mask[i] !== 0) : values;

const mapValues = <T, U>(
  record: PerModality<string, T>,
  f: (value: T, name: string) => U,
): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));
