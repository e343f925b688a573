import * as tf from '@tensorflow/tfjs-core';
import type { BatchesOptions } from '@g2d/datasets';
import {
  checkKeys,
  OptionError,
  type AllReduce,
  type Logits,
  type Model,
  type MultimodalDataset,
  type PerModality,
  type RegressionOutput,
  type Scores,
  type Task,
  type Unlabelled,
} from '@g2d/core';
import {
  measureClasses,
  measureLabelSets,
  measureValues,
  predictedSet,
  readTogether,
  type ClassMetrics,
  type ClassScores,
  type LabelSetMetrics,
  type SplitMetrics,
  type ValueMetrics,
  valuesOf,
} from '@g2d/tensor-ops';
import { gatherParts, type PredictedPart } from './gather-parts.js';
import { mapValues } from './map-values.js';
import { nonFiniteInputs } from './non-finite-inputs.js';
import { readBatches } from './read-batches.js';

/** Predictions of a model on a split. Those of a modality are about the samples that have it; `ids` are all. */
interface Predictions<L = number> {
  readonly ids: readonly string[];
  /** Class ids, targets, or the ids of each sample's classes. */
  readonly labels: readonly L[];
  /** Predicted ones, as many as `ids`: `fused` (two modalities or more) and each modality's own. */
  readonly predictions: Readonly<Record<string, readonly L[]>>;
}

/** What follows from the predictions of classes. */
export interface Evaluation extends Predictions {
  readonly metrics: Readonly<Record<string, ClassMetrics>>;
  /** Percent: `fused` (two modalities or more) and each modality's own logits. */
  readonly accuracy: Scores;
  /** `confusion[name][true][predicted]`, counts. */
  readonly confusion: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** `logits[name][i][c]`: of each sample and class, whether the sample has the modality or not. */
  readonly logits: Readonly<Record<string, readonly Float32Array[]>>;
}

/** What follows from the predictions of a regression, by the same names. */
export interface RegressionEvaluation extends Predictions {
  readonly metrics: Readonly<Record<string, ValueMetrics>>;
  /** Mean absolute percentage error, in percent. */
  readonly meanAbsolutePercentageError: Scores;
  readonly rSquared: Scores;
}

/** What follows from the predictions of sets of classes, by the same names. */
export interface MultiLabelEvaluation extends Predictions<readonly number[]> {
  readonly metrics: Readonly<Record<string, LabelSetMetrics>>;
  /** Percent: F1 of all answers of all classes together, at a probability of 0.5. */
  readonly microF1: Scores;
  /** By head, in the order of the classes, at 0.5. */
  readonly perClass: Readonly<Record<string, readonly ClassScores[]>>;
  /** `logits[name][i][c]`: of each sample and class, whether the sample has the modality or not. */
  readonly logits: Readonly<Record<string, readonly Float32Array[]>>;
}

/** Anything that gives logits for a batch: a model in inference mode, or teachers averaged. */
export type Predictor<M extends string> = (batch: Unlabelled<M>) => Logits<M>;

/** A model's forward pass with running statistics. */
export const inferenceOf =
  <M extends string>(model: Model<M>): Predictor<M> =>
  (batch) =>
    model.forward(batch, { training: false });

/** How the samples are read; it changes speed and memory only. */
export interface EvaluateOptions {
  /** Default 250. */
  readonly batchSize?: number;
  /** As in `batches`. Default 0. */
  readonly workers?: number;
  /** As in `batches`. Default `'fail'`; with `'skip'` samples that cannot be read do not count. */
  readonly onError?: NonNullable<BatchesOptions<string>['onError']>;
  /**
   * Processes that take turns with the batches, each told its `rank`; every one gets the results of all. All of them call it. Default: this
   * one alone.
   */
  readonly allReduce?: AllReduce;
}

/** The keys of `EvaluateOptions`. */
const OPTIONS = { batchSize: true, workers: true, onError: true, allReduce: true } as const;

/**
 * Evaluates a classifier on every sample of a dataset, in its order, without augmentation.
 *
 * @param predict For example `inferenceOf(model)`. It may use some of the dataset's modalities only.
 * @throws {OptionError} If the dataset is one of another task.
 * @throws {G2DError} With code `G2D_DIVERGED` if a logit is not finite.
 */
export async function evaluate<A extends string, M extends A>(
  predict: Predictor<M>,
  dataset: MultimodalDataset<A>,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkKeys(options, OPTIONS, 'evaluate');
  assertTask(dataset, 'classification');
  const { ids, labels, logits, masks, culprits } = await predictAll(predict, dataset, options);
  const measured = mapValues(logits, (rows, name) =>
    measureClasses({
      ids,
      labels,
      rows,
      mask: masks[name],
      name,
      culprits,
      classes: dataset.classNames.length,
    }),
  );
  return {
    ids,
    labels,
    predictions: mapValues(measured, ({ predictions }) => predictions),
    metrics: mapValues(measured, ({ metrics }) => metrics),
    accuracy: mapValues(measured, ({ metrics }) => metrics.accuracy),
    confusion: mapValues(measured, ({ confusion }) => confusion),
    logits,
  };
}

/**
 * Evaluates a regression in the same way.
 *
 * @param given `output`: as it was trained; default `'sigmoid'`.
 * @throws {OptionError} If the dataset is one of another task, or a target is 0 (a percentage of it is not defined).
 * @throws {G2DError} As `evaluate`.
 * @see G2D, Sec. 4.1 (MIS-ME)
 */
export async function evaluateRegression<A extends string, M extends A>(
  predict: Predictor<M>,
  dataset: MultimodalDataset<A>,
  given: EvaluateOptions & { readonly output?: RegressionOutput | undefined } = {},
): Promise<RegressionEvaluation> {
  const { output, ...options } = checkKeys(given, { ...OPTIONS, output: true }, 'evaluateRegression');
  assertTask(dataset, 'regression');
  const { ids, labels, logits, masks, culprits } = await predictAll(predict, dataset, options);
  const measured = mapValues(logits, (rows, name) =>
    measureValues({ ids, labels, rows, mask: masks[name], name, culprits, output }),
  );
  return {
    ids,
    labels,
    predictions: mapValues(measured, ({ predictions }) => predictions),
    metrics: mapValues(measured, ({ metrics }) => metrics),
    meanAbsolutePercentageError: mapValues(measured, ({ metrics }) => metrics.meanAbsolutePercentageError),
    rSquared: mapValues(measured, ({ metrics }) => metrics.rSquared),
  };
}

/**
 * Evaluates a multi-label task in the same way.
 *
 * @throws {OptionError} If the dataset is one of another task.
 * @throws {G2DError} As `evaluate`.
 */
export async function evaluateMultiLabel<A extends string, M extends A>(
  predict: Predictor<M>,
  dataset: MultimodalDataset<A>,
  options: EvaluateOptions = {},
): Promise<MultiLabelEvaluation> {
  checkKeys(options, OPTIONS, 'evaluateMultiLabel');
  assertTask(dataset, 'multi-label');
  const { ids, labels: hot, logits, masks, culprits } = await predictAll(predict, dataset, options);
  const classes = dataset.classNames.length;
  const labels = ids.map((_, i) => predictedSet(hot.slice(i * classes, (i + 1) * classes)));
  const measured = mapValues(logits, (rows, name) =>
    measureLabelSets({ ids, labels, rows, mask: masks[name], name, culprits, classes }),
  );
  return {
    ids,
    labels,
    predictions: mapValues(measured, ({ predictions }) => predictions),
    metrics: mapValues(measured, ({ metrics }) => metrics),
    microF1: mapValues(measured, ({ metrics }) => metrics.microF1),
    perClass: mapValues(measured, ({ perClass }) => perClass),
    logits,
  };
}

/** The number of each head that a log shows first, in percent: accuracy, mean absolute percentage error, or micro F1. */
export const headline = (metrics: SplitMetrics): Scores =>
  mapValues<string, ClassMetrics | ValueMetrics | LabelSetMetrics, number>(metrics, (found) => {
    if ('accuracy' in found) return found.accuracy;
    return 'microF1' in found ? found.microF1 : found.meanAbsolutePercentageError;
  });

/** `headline` of every split. */
export const headlines = (
  metrics: Readonly<Partial<Record<'validation' | 'test', SplitMetrics>>>,
): Partial<Record<'validation' | 'test', Scores>> => mapValues(metrics, headline);

/** What evaluates each task. */
const EVALUATES: Readonly<Record<Task, string>> = {
  classification: 'evaluate',
  regression: 'evaluateRegression',
  'multi-label': 'evaluateMultiLabel',
};

function assertTask({ name, task }: MultimodalDataset<string>, expected: Task): void {
  if (task === expected) return;
  throw new OptionError(`${name} is a ${task} dataset. Use \`${EVALUATES[task]}\`.`, {
    option: 'dataset',
    value: task,
    accepted: expected,
  });
}

async function predictAll<A extends string, M extends A>(
  predict: Predictor<M>,
  dataset: MultimodalDataset<A>,
  { allReduce, ...options }: EvaluateOptions,
) {
  const turns = { index: allReduce?.rank ?? 0, of: allReduce?.rank === undefined ? 1 : allReduce.processes };
  const own = await predictParts(predict, dataset, { ...options, turns });
  const parts = allReduce && turns.of > 1 ? gatherParts(allReduce, own) : own;
  const logits: Record<string, Float32Array[]> = {};
  const masks: Record<string, number[]> = {};
  for (const part of parts) {
    for (const [head, rows] of Object.entries(part.logits)) (logits[head] ??= []).push(...rows);
    for (const [modality, mask] of Object.entries(part.masks)) (masks[modality] ??= []).push(...mask);
  }
  return {
    ids: parts.flatMap(({ ids }) => ids),
    labels: parts.flatMap(({ labels }) => labels),
    logits,
    masks,
    culprits: new Map(parts.flatMap((part) => part.culprits)),
  };
}

/** The predictions of this process, batch by batch. */
async function predictParts<A extends string, M extends A>(
  predict: Predictor<M>,
  dataset: MultimodalDataset<A>,
  {
    batchSize = 250,
    workers = 0,
    onError = 'fail',
    turns,
  }: Omit<EvaluateOptions, 'allReduce'> & Required<Pick<BatchesOptions<A>, 'turns'>>,
): Promise<PredictedPart[]> {
  const parts: PredictedPart[] = [];
  for await (const batch of readBatches(dataset, { batchSize, workers, onError, turns })) {
    try {
      const logits: Record<string, Float32Array[]> = {};
      const culprits = new Map<string, string>();
      tf.tidy(() => {
        const outputs = predict(batch);
        const found = Object.entries(heads(outputs));
        const values = readTogether(found.map(([, head]) => head));
        for (const [k, [name, head]] of found.entries()) {
          const [rows, width] = head.shape;
          const flat = values[k] as Float32Array;
          if (!flat.every(Number.isFinite))
            for (const [id, where] of nonFiniteInputs(batch, Object.keys(outputs.unimodalLogits) as M[]))
              culprits.set(id, where);
          logits[name] = Array.from({ length: rows }, (_, i) => flat.slice(i * width, (i + 1) * width));
        }
      });
      const masks = mapValues({ ...batch.present }, (mask) => [...valuesOf(mask as tf.Tensor1D)]);
      const labels = [...valuesOf(batch.labels)];
      parts.push({ ids: batch.ids, labels, logits, masks, culprits: [...culprits] });
    } finally {
      tf.dispose(batch);
    }
    await tf.nextFrame();
  }
  return parts;
}

/** Every head's logits `[B, C]`. With one modality `fused` is the same as its own and left out. */
function heads<M extends string>({
  logits,
  unimodalLogits,
}: ReturnType<Predictor<M>>): Record<string, tf.Tensor2D> {
  const own: PerModality<string, tf.Tensor2D> = unimodalLogits;
  return Object.keys(own).length > 1 ? { fused: logits, ...own } : { ...own };
}
