import { checkKeys, G2DError, type RegressionOutput } from '@g2d/core';
import {
  accuracy,
  confusionMatrix,
  expectedCalibrationError,
  macroF1,
  meanAbsolutePercentageError,
  rSquared,
} from './metrics.js';
import { assertRegressionOutput } from './regression-value.js';

/** What one head of a classifier comes to; all but `loss` in percent. NaN where no sample has the modality. */
export interface ClassMetrics {
  /** Mean cross-entropy of its logits. */
  readonly loss: number;
  readonly accuracy: number;
  readonly macroF1: number;
  /** Expected calibration error, 15 bins. */
  readonly calibrationError: number;
}

/** What one head of a regression comes to. */
export interface ValueMetrics {
  /** Mean squared error of the values. */
  readonly loss: number;
  /** Percent. */
  readonly meanAbsolutePercentageError: number;
  /** 1 is perfect; NaN where all targets are equal. */
  readonly rSquared: number;
}

/** By name: `fused` (two modalities or more) and each modality's own logits. */
export type SplitMetrics = Readonly<Record<string, ClassMetrics>> | Readonly<Record<string, ValueMetrics>>;

/** Logits of one head for every sample, and which samples count. */
export interface Head {
  readonly ids: readonly string[];
  readonly labels: readonly number[];
  /** One row of logits for each sample. */
  readonly rows: readonly Float32Array[];
  /** 0 for samples without the modality. Default: all count. */
  readonly mask?: readonly number[] | undefined;
  /** For errors. */
  readonly name: string;
  /** What is not finite in a sample, by its id, as `nonFiniteInputs` says it. */
  readonly culprits?: ReadonlyMap<string, string>;
}

const HEAD = { ids: true, labels: true, rows: true, mask: true, name: true, culprits: true } as const;

/** Measures a classifier's head, in double precision. */
export function measureClasses(given: Head & { readonly classes: number }): {
  readonly metrics: ClassMetrics;
  /** Of every sample, whether it counts or not. */
  readonly predictions: readonly number[];
  readonly confusion: readonly (readonly number[])[];
} {
  const { classes, ...head } = checkKeys(given, { ...HEAD, classes: true }, 'measureClasses');
  const { labels, rows } = head;
  const predictions = rows.map(argMax);
  const counted = countedSamples(head);
  // Nothing is measured on no sample.
  const ofSome = (value: number): number => (counted.length > 0 ? value : NaN);
  const confidences = counted.map((i) =>
    Math.exp(logProbability(rows[i] as Float32Array, predictions[i] as number)),
  );
  const losses = counted.map((i) => -logProbability(rows[i] as Float32Array, labels[i] as number));
  const pick = (values: readonly number[]): number[] => counted.map((i) => values[i] as number);
  const confusion = confusionMatrix(pick(labels), pick(predictions), classes);
  return {
    predictions,
    confusion,
    metrics: {
      loss: mean(losses),
      accuracy: ofSome(accuracy(confusion)),
      macroF1: ofSome(macroF1(confusion)),
      calibrationError: ofSome(
        expectedCalibrationError(
          confidences,
          counted.map((i) => predictions[i] === labels[i]),
        ),
      ),
    },
  };
}

/** The softmax of a row of logits, in double precision: what `predictions` and the calibration go by. */
export const probabilitiesOf = (row: Float32Array): number[] =>
  Array.from(row, (_, label) => Math.exp(logProbability(row, label)));

/** Measures a regression's head. `output`: default `'sigmoid'`. */
export function measureValues(given: Head & { readonly output?: RegressionOutput | undefined }): {
  readonly metrics: ValueMetrics;
  /** Values of every sample, whether it counts or not. */
  readonly predictions: readonly number[];
} {
  const { output = 'sigmoid', ...head } = checkKeys(given, { ...HEAD, output: true }, 'measureValues');
  assertRegressionOutput(output);
  const predictions = head.rows.map(([z]) =>
    output === 'identity' ? (z as number) : 1 / (1 + Math.exp(-(z as number))),
  );
  const counted = countedSamples(head);
  const targets = counted.map((i) => head.labels[i] as number);
  const values = counted.map((i) => predictions[i] as number);
  return {
    predictions,
    metrics: {
      loss: mean(targets.map((target, i) => (target - (values[i] as number)) ** 2)),
      meanAbsolutePercentageError: counted.length > 0 ? meanAbsolutePercentageError(targets, values) : NaN,
      rSquared: rSquared(targets, values),
    },
  };
}

/** The samples that have the modality. */
function countedSamples({ ids, rows, mask, name, culprits }: Head): number[] {
  const counted = rows.flatMap((_, i) => (mask?.[i] === 0 ? [] : [i]));
  const broken = counted.find((i) => !(rows[i] as Float32Array).every(Number.isFinite));
  if (broken === undefined) return counted;
  const id = ids[broken] as string;
  const culprit = culprits?.get(id);
  const cause = culprit
    ? `${capital(culprit)}: repair the sample, or leave it out.`
    : 'All its inputs are finite: the weights have diverged. Lower the learning rate.';
  throw new G2DError(
    'G2D_DIVERGED',
    `The ${name} logits of sample "${id}" are not finite (${[...(rows[broken] as Float32Array)].slice(0, 3).join(', ')}). ${cause}`,
    { head: name, ids: [ids[broken]] },
  );
}

const capital = (text: string): string => text[0]?.toUpperCase() + text.slice(1);

/** The first of the largest. */
const argMax = (row: Float32Array): number =>
  row.reduce((best, value, i) => (value > (row[best] as number) ? i : best), 0);

/** log softmax(row)[label] */
function logProbability(row: Float32Array, label: number): number {
  const largest = row.reduce((max, value) => Math.max(max, value), -Infinity);
  const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
  return (row[label] as number) - largest - Math.log(sum);
}

/** NaN of nothing. */
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
