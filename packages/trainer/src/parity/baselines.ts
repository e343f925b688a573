import type * as tf from '@tensorflow/tfjs-core';
import type { PerModality } from '@g2d/tensor-ops';
import { importBaselines } from '../import-baselines.js';
import type { Method } from '../method.js';
import type { Modality } from './case.js';

interface OgmOptions {
  readonly alpha: number;
  /** Counted from 1. */
  readonly epochs: readonly [first: number, last: number];
  readonly scope: 'conv';
}

type NoiseSource = (variable: string, shape: readonly number[]) => tf.Tensor;

type Scores = PerModality<Modality, number>;

/** What parity cases need of `@g2d/baselines`, which is built on this package and so is not a dependency of it. */
export interface Baselines {
  ogm(options: OgmOptions): Method<Modality>;
  ogmGe(options: OgmOptions & { readonly seed: number; readonly noise: NoiseSource }): Method<Modality>;
  ogmRatios(scores: Scores): Scores;
  ogmCoefficients(scores: Scores, options: { readonly alpha: number }): Scores;
}

/** @throws {OptionError} If the package is not installed. */
export const loadBaselines = (): Promise<Baselines> => importBaselines('This parity case needs');
