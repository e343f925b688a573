import type * as tf from '@tensorflow/tfjs-core';
import { featureDistillationLoss, logitDistillationLoss, studentLoss } from '@g2d/distill';
import { modalityConfidence, rankModalities } from '@g2d/smp';
import type { Gradient, Gradients, Outputs, PerModality, TeacherOutputs } from '@g2d/core';
import { ogmCoefficients } from '@g2d/methods';
import { modalities, type Modality, type OgmSettings } from './case.js';
import { difference, norm, squaredNorm } from './numbers.js';
import { convolutionGroups, parameterGroups } from './outline.js';
import type { Value } from './read-expected.js';

/** Takes one quantity of a step, by its name in `expected.json`. */
export type Recorder = (name: string, value: Value) => void;

const CALLED: PerModality<Modality, string> = { audio: 'Audio', visual: 'Visual' };

export const scalar = (value: tf.Scalar): number => value.dataSync()[0] as number;

/** The rows of a matrix. */
function rowsOf(matrix: tf.Tensor2D): number[][] {
  const [count, width] = matrix.shape;
  const values = matrix.dataSync();
  return Array.from({ length: count }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
}

/** Logits and their cross-entropies. */
export function recordLogits(
  record: Recorder,
  labels: tf.Tensor1D,
  { logits, unimodalLogits }: Outputs<Modality>,
): void {
  record('lossCe', scalar(studentLoss(labels, logits)));
  record('logitsFused', rowsOf(logits));
  for (const modality of modalities) {
    record(`lossUnimodal${CALLED[modality]}`, scalar(studentLoss(labels, unimodalLogits[modality])));
    record(`logits${CALLED[modality]}`, rowsOf(unimodalLogits[modality]));
  }
}

/** Features, and the sums of the probabilities of the true classes. */
export function recordFeatures(
  record: Recorder,
  labels: tf.Tensor1D,
  { features, unimodalLogits }: Outputs<Modality>,
): void {
  for (const modality of modalities) {
    record(`featureL2${CALLED[modality]}`, rowsOf(features[modality]).map(norm));
    const score = labels.size * scalar(modalityConfidence(labels, unimodalLogits[modality]));
    record(`score${CALLED[modality]}`, score);
  }
}

/** The parts of the loss of G2D, without their weights. */
export function recordDistillation(
  record: Recorder,
  { logits, features }: Outputs<Modality>,
  teachers: PerModality<Modality, TeacherOutputs>,
  temperature: number,
): void {
  for (const modality of modalities) {
    const teacher = teachers[modality];
    const logitLoss = logitDistillationLoss(teacher.logits, logits, { temperature });
    record(`lossLogit${CALLED[modality]}`, scalar(logitLoss));
    const featureLoss = featureDistillationLoss(teacher.features, features[modality]);
    record(`lossFeature${CALLED[modality]}`, scalar(featureLoss));
  }
}

export function recordTeacherLogits(record: Recorder, teachers: PerModality<Modality, TeacherOutputs>): void {
  for (const modality of modalities)
    record(`teacherLogits${CALLED[modality]}`, rowsOf(teachers[modality].logits));
}

/** What the methods logged in a step. */
export type Series = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** One series; the methods that are run here have it. */
const logged = (series: Series, name: string): PerModality<Modality, number> =>
  series[name] as PerModality<Modality, number>;

/** What sequential modality prioritization decided in a step. */
export function recordPriority(record: Recorder, series: Series, batch: number): void {
  const [confidence, coefficients] = [logged(series, 'confidence'), logged(series, 'coefficients')];
  const suppressed = modalities.find((modality) => coefficients[modality] === 0);
  record('inWindow', suppressed !== undefined);
  record('suppressed', suppressed ?? 'none');
  record('strongest', rankModalities(confidence).at(-1) as Modality);
  for (const modality of modalities) {
    record(`rho${CALLED[modality]}`, confidence[modality]);
    record(`teacherScore${CALLED[modality]}`, batch * confidence[modality]);
  }
}

/** What gradient modulation decided in a step. Outside of its window the factors are those it would have applied. */
export function recordModulation(record: Recorder, series: Series, { alpha }: OgmSettings): void {
  const coefficients = ogmCoefficients(logged(series, 'scores'), { alpha });
  record('ratioVisual', logged(series, 'ratios').visual);
  for (const modality of modalities) record(`coeff${CALLED[modality]}`, coefficients[modality]);
}

/** L2 norms of the gradients of each group of parameters, before and after the methods edited them. */
export function recordGradientNorms(
  record: Recorder,
  before: Gradients<Modality>,
  after: Gradients<Modality>,
): void {
  // Most gradients are the same tensors before and after.
  const squares = new Map<tf.Tensor, number>();
  const squareOf = (tensor: tf.Tensor | null): number => {
    if (!tensor) return 0;
    const square = squares.get(tensor) ?? squaredNorm(tensor.dataSync());
    squares.set(tensor, square);
    return square;
  };
  for (const [key, gradients] of Object.entries({ gradNormBefore: before, gradNormAfter: after })) {
    const sums = new Map(parameterGroups.map((group) => [group, 0]));
    for (const gradient of gradients) {
      const group = groupOf(gradient);
      const sum = sums.get(group);
      if (sum === undefined)
        throw new Error(`${gradient.name} is in the group ${group}, which is not compared.`);
      sums.set(group, sum + squareOf(gradient.tensor));
    }
    for (const [group, square] of sums) record(`${key}.${group}`, Math.sqrt(square));
  }
}

/** L2 norms of what was added to the scaled gradients: g̃ − κ g. */
export function recordNoiseNorms(
  record: Recorder,
  {
    before,
    after,
    coefficients,
  }: {
    readonly before: Gradients<Modality>;
    readonly after: Gradients<Modality>;
    readonly coefficients: PerModality<Modality, number>;
  },
): void {
  const squares = new Map(convolutionGroups.map((group) => [group, 0]));
  before.forEach((gradient, i) => {
    const group = groupOf(gradient);
    const { tensor } = gradient;
    const edited = after[i]?.tensor;
    const sum = squares.get(group);
    if (sum === undefined || !tensor || !edited) return;
    const coefficient = coefficients[group.startsWith('audio') ? 'audio' : 'visual'];
    const added = difference(edited.dataSync(), tensor.dataSync(), coefficient);
    squares.set(group, sum + squaredNorm(added));
  });
  for (const [group, square] of squares) record(`noiseNorm.${group}`, Math.sqrt(square));
}

/** `audio.conv`, `visual.norm`, `fusion` and so on. */
function groupOf({ parameter: { modality, role } }: Gradient<Modality>): string {
  return role === 'head' || role === 'shared' ? 'fusion' : `${modality}.${role}`;
}
