import * as tf from '@tensorflow/tfjs-core';
import { featureDistillationLoss, logitDistillationLoss, studentLoss } from '@g2d/distill';
import { ogmCoefficients, ogmRatios } from '@g2d/methods';
import { modalityConfidence, rankModalities } from '@g2d/smp';
import { perModality, type PerModality } from '@g2d/core';
import { modalities, type LossesCase, type LossTable, type Modality } from './case.js';
import type { Results } from './compare.js';
import { norm, projection } from './numbers.js';
import type { Value } from './read-expected.js';
import { tensorValues } from './recipe.js';

/** Losses, their gradients and scores on hashed logits and features. */
export function runLosses({ seed, tables }: LossesCase): Results {
  const results = new Map<string, Value>();
  tables.forEach((table, i) => tf.tidy(() => runTable(table, { seed, index: i, results })));
  return results;
}

function runTable(
  { batch, classes, logitScale, temperatures, features, featureScale, ogmAlphas, labels }: LossTable,
  {
    seed,
    index,
    results,
  }: {
    readonly seed: number;
    readonly index: number;
    readonly results: Map<string, Value>;
  },
): void {
  const key = `tables[${index}]`;
  const hashed = (name: string, width: number, scale: number): tf.Tensor2D =>
    tf.tensor2d(tensorValues({ seed, name: `table${index}/${name}`, scale }, batch * width), [batch, width]);
  const student = hashed('student', classes, logitScale);
  const teachers: PerModality<Modality, tf.Tensor2D> = {
    audio: hashed('teacherAudio', classes, logitScale),
    visual: hashed('teacherVisual', classes, logitScale),
  };
  const truth = tf.tensor1d(labels as number[], 'int32');

  /** A loss and its gradient with respect to one tensor. */
  const term = (at: string, name: string, x: tf.Tensor2D, loss: (x: tf.Tensor2D) => tf.Scalar): void => {
    const { value, grad } = tf.valueAndGrad((x) => loss(x as tf.Tensor2D))(x);
    const gradient = grad.dataSync();
    results.set(`${at}.value`, scalar(value as tf.Scalar));
    results.set(`${at}.gradL2`, norm(gradient));
    results.set(`${at}.gradProj`, projection(gradient, { seed, name: `table${index}/${name}` }));
    results.set(`${at}.gradFirst6`, [...gradient.subarray(0, 6)]);
  };

  term(`${key}.ce`, 'student', student, (logits) => studentLoss(truth, logits));
  results.set(
    `${key}.cePerSample`,
    labels.map((_, i) =>
      scalar(studentLoss(tf.slice1d(truth, i, 1), tf.slice2d(student, [i, 0], [1, classes]))),
    ),
  );
  temperatures.forEach((temperature, j) => {
    results.set(`${key}.distill[${j}].temperature`, temperature);
    for (const modality of modalities) {
      term(`${key}.distill[${j}].${modality}`, 'student', student, (logits) =>
        logitDistillationLoss(teachers[modality], logits, { temperature }),
      );
    }
  });
  const featureTeacher = hashed('featureTeacher', features, featureScale);
  term(`${key}.feature`, 'featureStudent', hashed('featureStudent', features, featureScale), (student) =>
    featureDistillationLoss(featureTeacher, student),
  );

  const rho = perModality(modalities, (modality) => scalar(modalityConfidence(truth, teachers[modality])));
  results.set(`${key}.scoreAudio`, batch * rho.audio);
  results.set(`${key}.scoreVisual`, batch * rho.visual);
  results.set(`${key}.rhoAudio`, rho.audio);
  results.set(`${key}.rhoVisual`, rho.visual);
  results.set(`${key}.strongest`, rankModalities(rho).at(-1) as Modality);
  ogmAlphas.forEach((alpha, j) => {
    const coefficients = ogmCoefficients(rho, { alpha });
    results.set(`${key}.ogm[${j}].alpha`, alpha);
    results.set(`${key}.ogm[${j}].ratioVisual`, ogmRatios(rho).visual);
    results.set(`${key}.ogm[${j}].coeffAudio`, coefficients.audio);
    results.set(`${key}.ogm[${j}].coeffVisual`, coefficients.visual);
  });
}

const scalar = (value: tf.Scalar): number => value.dataSync()[0] as number;
