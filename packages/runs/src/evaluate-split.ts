import type { MultimodalDataset, Scores } from '@g2d/core';
import { classScores } from '@g2d/tensor-ops';
import {
  evaluate,
  evaluateRegression,
  type EvaluateOptions,
  type Predictor,
  type SplitMetrics,
} from '@g2d/trainer';
import { headline } from '@g2d/trainer/internal';
import type { RunPredictions } from '@g2d/core/run-folder';
import type { RunSummary } from './node/run-folder.js';
import type { RunConfig } from './config-schema.js';

/** What a model comes to on one split. */
export interface SplitEvaluation extends Pick<RunSummary, 'perClass' | 'confusion'> {
  readonly metrics: SplitMetrics;
  /** Accuracy, or mean absolute percentage error, by head. */
  readonly scores: Scores;
  readonly predictions: RunPredictions;
}

/** How a run reads the samples that it is evaluated on. */
export const evaluateOptions = ({
  evaluation: { batchSize },
  data: { workers, onError },
}: RunConfig): EvaluateOptions => ({ batchSize, workers, onError });

/** Evaluates a split, whatever its task is. */
export async function evaluateSplit(
  predict: Predictor<string>,
  dataset: MultimodalDataset<string>,
  options: EvaluateOptions,
): Promise<SplitEvaluation> {
  const { classNames } = dataset;
  if (dataset.task === 'regression') {
    const { ids, labels, predictions, metrics } = await evaluateRegression(predict, dataset, options);
    return { metrics, scores: headline(metrics), predictions: { ids, labels, classNames, predictions } };
  }
  const { ids, labels, predictions, metrics, confusion } = await evaluate(predict, dataset, options);
  return {
    metrics,
    scores: headline(metrics),
    predictions: { ids, labels, classNames, predictions },
    confusion,
    perClass: Object.fromEntries(
      Object.entries(confusion).map(([head, matrix]) => [head, classScores(matrix)]),
    ),
  };
}

/** The number by which epochs are compared: of the fused head, or of the only one; larger is better. */
export function selectionScore(metrics: SplitMetrics): number {
  const [head] = 'fused' in metrics ? ['fused'] : Object.keys(metrics);
  const found = metrics[head as string];
  if (!found) return -Infinity;
  return 'accuracy' in found ? found.accuracy : -found.meanAbsolutePercentageError;
}
