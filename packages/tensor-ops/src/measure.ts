import { checkKeys, G2DError, isSameLabel, type RegressionOutput } from '@g2d/core';
import {
  accuracy,
  averagePrecision,
  confusionMatrix,
  expectedCalibrationError,
  labelSetScores,
  macroF1,
  meanAbsolutePercentageError,
  microF1,
  rSquared,
  type ClassScores,
} from './metrics.js';
import { assertRegressionOutput } from './regression-value.js';

/** What one head of a classifier comes to; all but `loss` and `confidence` in percent. NaN where no sample has the modality. */
export interface ClassMetrics {
  /** Mean cross-entropy of its logits. */
  readonly loss: number;
  readonly accuracy: number;
  readonly macroF1: number;
  /** Expected calibration error, 15 bins. */
  readonly calibrationError: number;
  /** ρ: the mean probability of the true class, in [0, 1] (G2D, Eq. 5). */
  readonly confidence: number;
}

/** What one head of a regression comes to. It has no confidence: that would be relative to the variance of the training targets. */
export interface ValueMetrics {
  /** Mean squared error of the values. */
  readonly loss: number;
  /** Percent. */
  readonly meanAbsolutePercentageError: number;
  /** 1 is perfect; NaN where all targets are equal. */
  readonly rSquared: number;
}

/** What one head of a multi-label task comes to; all but `loss` and `confidence` in percent. NaN where no sample has the modality. */
export interface LabelSetMetrics {
  /** Mean binary cross-entropy of its logits, over samples and classes. */
  readonly loss: number;
  /** Of all answers of all classes together, at a probability of 0.5. */
  readonly microF1: number;
  /** Mean of the F1 of every class, at 0.5; 0 for a class that is neither there nor predicted, as in scikit-learn. */
  readonly macroF1: number;
  /** Samples whose classes are all right, and no other: at 0.5. */
  readonly subsetAccuracy: number;
  /** Mean of the average precision of every class: needs no threshold; 0 for a class that no sample has, as in scikit-learn. */
  readonly meanAveragePrecision: number;
  /** ρ: the mean of `labelSetProbability`, in [0, 1]. */
  readonly confidence: number;
}

/** By name: `fused` (two modalities or more) and each modality's own logits. */
export type SplitMetrics =
  | Readonly<Record<string, ClassMetrics>>
  | Readonly<Record<string, ValueMetrics>>
  | Readonly<Record<string, LabelSetMetrics>>;

/** Logits of one head for every sample, and which samples count. */
export interface Head<L = number> {
  readonly ids: readonly string[];
  readonly labels: readonly L[];
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
      confidence: mean(losses.map((loss) => Math.exp(-loss))),
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
  const predictions = head.rows.map(([z]) => (output === 'identity' ? (z as number) : sigmoid(z as number)));
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

/** σ of every logit of a row, in double precision. */
export const sigmoidsOf = (row: Float32Array): number[] => Array.from(row, sigmoid);

/** The classes whose probability is above 0.5. */
export const predictedSet = (row: ArrayLike<number>): number[] =>
  Array.from(row, (z, id) => (z > 0 ? id : -1)).filter((id) => id !== -1);

/** Measures a head of a multi-label task, in double precision. */
export function measureLabelSets(given: Head<readonly number[]> & { readonly classes: number }): {
  readonly metrics: LabelSetMetrics;
  /** Predicted class ids of every sample, whether it counts or not. */
  readonly predictions: readonly (readonly number[])[];
  /** In the order of the classes. */
  readonly perClass: readonly ClassScores[];
} {
  const { classes, ...head } = checkKeys(given, { ...HEAD, classes: true }, 'measureLabelSets');
  const { labels, rows } = head;
  const predictions = rows.map(predictedSet);
  const counted = countedSamples(head);
  const truth = counted.map((i) => labels[i] as readonly number[]);
  const found = counted.map((i) => predictions[i] as readonly number[]);
  const perClass = labelSetScores(truth, found, classes);
  const ids = Array.from({ length: classes }, (_, id) => id);
  // Of each sample, over its classes.
  const losses = counted.map((i, at) => {
    const row = rows[i] as Float32Array;
    return mean(ids.map((id) => softplus((truth[at]?.includes(id) ? -1 : 1) * (row[id] as number))));
  });
  // Nothing is measured on no sample.
  const ofSome = (value: number): number => (counted.length > 0 ? value : NaN);
  const right = truth.filter((set, i) => isSameLabel(set, found[i] as readonly number[]));
  return {
    predictions,
    perClass,
    metrics: {
      loss: mean(losses),
      microF1: ofSome(microF1(truth, found)),
      macroF1: ofSome(mean(perClass.map(({ f1 }) => f1))),
      subsetAccuracy: ofSome((100 * right.length) / counted.length),
      meanAveragePrecision: ofSome(
        mean(
          ids.map((id) =>
            averagePrecision(
              truth.map((set) => set.includes(id)),
              counted.map((i) => (rows[i] as Float32Array)[id] as number),
            ),
          ),
        ),
      ),
      confidence: mean(losses.map((loss) => Math.exp(-loss))),
    },
  };
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** log(1 + e^x) = −log σ(−x) */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** The samples that have the modality. */
function countedSamples({ ids, rows, mask, name, culprits }: Head<unknown>): number[] {
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
