import type { EpochRecord, MultimodalDataset, RegressionOutput, Scores } from '@g2d/core';
import { classScores, probabilitiesOf, sigmoidsOf } from '@g2d/tensor-ops';
import {
  evaluate,
  evaluateMultiLabel,
  evaluateRegression,
  type Evaluation,
  type EvaluateOptions,
  type Predictor,
  type SplitMetrics,
} from '@g2d/trainer';
import { headline } from '@g2d/trainer/internal';
import type { RunPredictions } from '@g2d/core/run-folder';
import type { RunSummary } from './node/run-folder.js';
import type { RunConfig } from './config-schema.js';
import type { OpenedRun } from './open-run.js';
import type { Processes } from './processes/processes.js';

/** What a model comes to on one split. */
export interface SplitEvaluation extends Pick<RunSummary, 'perClass' | 'confusion'> {
  readonly metrics: SplitMetrics;
  /** Accuracy, mean absolute percentage error, or micro F1, by head. */
  readonly scores: Scores;
  readonly predictions: RunPredictions;
}

/** How samples are read, and what a regression's value is. */
type SplitOptions = EvaluateOptions & { readonly output?: RegressionOutput | undefined };

/** How a run reads the samples that it is evaluated on, and who shares the work. */
export const evaluateOptions = (
  { evaluation: { batchSize }, data: { workers, onError }, loss }: RunConfig,
  processes?: Processes,
): SplitOptions => ({
  batchSize,
  workers,
  onError,
  output: loss?.output,
  ...(processes && { allReduce: processes.allReduce }),
});

/** Of a file that is read as a whole: about 8 MB. */
const MOST_PROBABILITIES = 1_000_000;

/** The probabilities of as many heads as fit, the fused one first, with six digits. */
function probabilitiesOfAll(
  logits: Evaluation['logits'],
  { classNames, task }: MultimodalDataset<string>,
): NonNullable<RunPredictions['probabilities']> {
  const sixDigits = (p: number): number => Number(p.toExponential(5));
  let left = MOST_PROBABILITIES;
  const fitting = Object.entries(logits).filter(([, rows]) => (left -= rows.length * classNames.length) >= 0);
  const ofRow = task === 'multi-label' ? sigmoidsOf : probabilitiesOf;
  return Object.fromEntries(
    fitting.map(([head, rows]) => [head, rows.map((row) => ofRow(row).map(sixDigits))]),
  );
}

/** Evaluates a split, whatever its task is. `withProbabilities`: of each class, for a file. */
export async function evaluateSplit(
  predict: Predictor<string>,
  dataset: MultimodalDataset<string>,
  { withProbabilities = false, output, ...options }: SplitOptions & { readonly withProbabilities?: boolean },
): Promise<SplitEvaluation> {
  const { classNames } = dataset;
  if (dataset.task === 'regression') {
    const { ids, labels, predictions, metrics } = await evaluateRegression(predict, dataset, {
      ...options,
      output,
    });
    return { metrics, scores: headline(metrics), predictions: { ids, labels, classNames, predictions } };
  }
  const withRows = (logits: Evaluation['logits']) =>
    withProbabilities ? { probabilities: probabilitiesOfAll(logits, dataset) } : {};
  if (dataset.task === 'multi-label') {
    const found = await evaluateMultiLabel(predict, dataset, options);
    const { ids, labels, predictions, metrics, perClass, logits } = found;
    return {
      metrics,
      scores: headline(metrics),
      predictions: { ids, labels, classNames, predictions, ...withRows(logits) },
      perClass,
    };
  }
  const { ids, labels, predictions, metrics, confusion, logits } = await evaluate(predict, dataset, options);
  return {
    metrics,
    scores: headline(metrics),
    predictions: { ids, labels, classNames, predictions, ...withRows(logits) },
    confusion,
    perClass: Object.fromEntries(
      Object.entries(confusion).map(([head, matrix]) => [head, classScores(matrix)]),
    ),
  };
}

/** The number by which epochs are compared: of the fused head, or of the only one; larger is better. */
function selectionScore(metrics: SplitMetrics): number {
  const [head] = 'fused' in metrics ? ['fused'] : Object.keys(metrics);
  const found = metrics[head as string];
  if (!found) return -Infinity;
  if ('accuracy' in found) return found.accuracy;
  return 'microF1' in found ? found.microF1 : -found.meanAbsolutePercentageError;
}

/** The splits that are evaluated during training: those that were asked for, and the one that selects. */
export async function evaluateSplits(
  { data, plan: { config }, processes }: OpenedRun,
  predict: Predictor<string>,
): Promise<Partial<Record<'validation' | 'test', SplitMetrics>>> {
  const { select, evaluation } = config;
  const metrics: Partial<Record<'validation' | 'test', SplitMetrics>> = {};
  for (const split of ['validation', 'test'] as const) {
    const dataset: MultimodalDataset<string> | undefined = data[split];
    if (!dataset || !(evaluation.splits.includes(split) || select === `${split}-best`)) continue;
    metrics[split] = (await evaluateSplit(predict, dataset, evaluateOptions(config, processes))).metrics;
  }
  return metrics;
}

/** By what epochs are compared for the checkpoint `best`. */
export function scoreOf({ metrics }: EpochRecord, { select }: RunConfig): number | undefined {
  const split = metrics?.[select === 'test-best' ? 'test' : 'validation'];
  return split && selectionScore(split as SplitMetrics);
}
