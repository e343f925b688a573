import * as tf from '@tensorflow/tfjs-core';
import { batches, type MultimodalDataset } from '@g2d/datasets';
import type { MultimodalModel, Outputs } from '@g2d/fusion';
import { accuracy, confusionMatrix, type PerModality } from '@g2d/tensor-ops';
import { predictedClasses } from './predicted-classes.js';
import type { Accuracies } from './train.js';

/** Predictions of a model on a split, and what follows from them. */
export interface Evaluation {
  /** Percent: `fused` (two modalities or more) and each modality's own logits. */
  readonly accuracy: Accuracies;
  /** `confusion[name][true][predicted]`, counts. */
  readonly confusion: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly ids: readonly string[];
  readonly labels: readonly number[];
  /** Predicted class ids, as many as `ids`. */
  readonly predictions: Readonly<Record<string, readonly number[]>>;
}

/** Anything that gives logits for a batch of inputs: a model in inference mode, or teachers averaged. */
export type Predictor<M extends string> = (inputs: PerModality<M, tf.Tensor>) => Outputs<M>;

/** A model's forward pass with running statistics. */
export const inferenceOf =
  <M extends string>(model: MultimodalModel<M>): Predictor<M> =>
  (inputs) =>
    model.forward(inputs, { training: false });

/**
 * Evaluates on every sample of a dataset, in its order, without augmentation.
 *
 * @param predict For example `inferenceOf(model)`. It may use some of the dataset's modalities only.
 * @param options `batchSize`: default 250; it changes speed and memory only.
 */
export async function evaluate<A extends string, M extends A>(
  predict: Predictor<M>,
  dataset: MultimodalDataset<A>,
  { batchSize = 250 }: { readonly batchSize?: number } = {},
): Promise<Evaluation> {
  const ids: string[] = [];
  const labels: number[] = [];
  const predictions: Record<string, number[]> = {};
  for await (const batch of batches(dataset, { batchSize })) {
    ids.push(...batch.ids);
    labels.push(...batch.labels.dataSync());
    const predicted = tf.tidy(() => predictedClasses(predict(batch.inputs)));
    for (const [name, classes] of Object.entries(predicted)) (predictions[name] ??= []).push(...classes);
    tf.dispose(batch);
    await tf.nextFrame();
  }
  const confusion = Object.fromEntries(
    Object.entries(predictions).map(([name, predicted]) => [
      name,
      confusionMatrix(labels, predicted, dataset.classNames.length),
    ]),
  );
  return {
    accuracy: Object.fromEntries(Object.entries(confusion).map(([name, matrix]) => [name, accuracy(matrix)])),
    confusion,
    ids,
    labels,
    predictions,
  };
}
