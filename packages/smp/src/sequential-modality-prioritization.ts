import type * as tf from '@tensorflow/tfjs-core';
import { perModality, type PerModality } from '@g2d/core';
import { assertKnown, assertOneOf, isUnit, isWhole, wrongOption } from './checks.js';
import { addToTotals, meanOfTotals, noTotals } from './epoch-totals.js';
import { modulateGradients } from './modulate-gradients.js';
import { modulationCoefficients } from './modulation-coefficients.js';
import { prioritizedModalities } from './prioritized-modalities.js';
import { rankModalities } from './rank-modalities.js';
import { assertScope, scopedModality } from './scope.js';
import { completeOptions, type CompleteSmpOptions, type SmpOptions } from './smp-options.js';
import { assertState, type SmpState } from './smp-state.js';

/**
 * What the `applyGradients` of TensorFlow.js's optimizers takes. With `onZero: 'freeze'` a frozen variable's `tensor` is
 * `null`, which those optimizers skip although their types do not say so.
 */
export type OptimizerGradients = { name: string; tensor: tf.Tensor }[];

/** What is known of the current step. */
export interface SmpUpdate<M extends string> {
  /** Counted from 1. */
  readonly epoch: number;
  /**
   * ρ of every modality on the batch, from `modalityConfidence`; `null` for one that no sample of the batch has. With the
   * ranking `{ dataset }` or `{ fixed }` it may be left out, except for partial suppression in a fixed order.
   */
  readonly confidence?: PerModality<M, number | null>;
  /** For the ranking `'epoch'`: how many samples ρ is the mean of, of all modalities or of each. Default 1: batches count alike. */
  readonly samples?: number | PerModality<M, number>;
}

/**
 * Sequential modality prioritization: the least confident modality trains alone first, then the next, at last all.
 *
 * Call `update` before the backward pass of every step (or once an epoch), differentiate only `activeVariables`,
 * and pass the gradients through `modulate` to your optimizer.
 *
 * A modality that no sample of the batch has is not ranked: phase j prioritizes the j-th of the others, or their last. In a
 * prioritized phase its κ is 0, in the joint phase 1. A batch that has no modality at all suppresses none.
 *
 * @example
 * const smp = new SequentialModalityPrioritization({
 *   modalityOf: byPrefix({ audio: 'audio/', video: 'video/' }),
 *   phaseEpochs: [150, 150],
 * });
 * smp.update({ epoch: 1, confidence: { audio: 0.9, video: 0.6 } });
 * smp.coefficients; // { audio: 0, video: 1 }
 * @see G2D, Sec. 3.2, Eq. 5 to 8
 */
export class SequentialModalityPrioritization<M extends string> {
  readonly #options: CompleteSmpOptions<M>;
  #state: SmpState<M>;
  #scopeIsChecked: boolean | undefined;
  /** Whether it was said that there is no `update`. */
  #isTold: boolean | undefined;

  /**
   * @throws {OptionError} If an option is wrong, or does not fit the others or the `variables`, or `modalityOf` answers with another modality.
   */
  constructor(options: SmpOptions<M>) {
    this.#options = completeOptions(options);
    const { modalities } = this.#options;
    const coefficients = modulationCoefficients(modalities, modalities);
    const none = noTotals(modalities);
    this.#state = { version: 1, epoch: 0, coefficients, previous: none, current: none };
    if (options.variables) this.#checkScope(options.variables);
  }

  /** κ of each modality in the current step; all 1 before the first `update`. */
  get coefficients(): PerModality<M, number> {
    return this.#state.coefficients;
  }

  /** As given. */
  get suppressedBatchNorm(): 'training' | 'inference' {
    return this.#options.suppressedBatchNorm;
  }

  /**
   * Ranks the modalities and sets κ (Eq. 6 and 7).
   *
   * @throws {OptionError} If the epoch or a confidence is out of range or missing, or something else is given.
   */
  update(state: SmpUpdate<M>): void {
    const { epoch, confidence, samples = 1 } = state;
    assertKnown(state, { epoch, confidence, samples });
    const { modalities, ranking, dataset, fixed, phaseEpochs, schedule, ties, suppression } = this.#options;
    const samplesOf = (modality: M): number => (typeof samples === 'number' ? samples : samples[modality]);
    if (!isWhole(epoch, 1)) {
      throw wrongOption('epoch', epoch, 'whole numbers from 1: in callbacks add 1');
    }
    const isNeeded = confidence || (!dataset && (!fixed || suppression === 'partial'));
    for (const modality of isNeeded ? modalities : []) {
      assertConfidence(modality, confidence?.[modality], samplesOf(modality));
    }
    let { previous, current } = this.#state;
    if (epoch !== this.#state.epoch) [previous, current] = [current, noTotals(modalities)];
    if (ranking === 'epoch' && confidence) current = addToTotals(current, confidence, samplesOf);
    const scores = perModality(modalities, (modality) => {
      const rho = confidence?.[modality];
      if (rho === null) return null;
      if (ranking === 'epoch') return meanOfTotals(previous[modality], current[modality]);
      return dataset?.[modality] ?? fixed?.indexOf(modality) ?? rho ?? null;
    });
    const ranked = rankModalities(scores);
    const tied = ties === 'together' && { confidence: scores };
    const prioritized = prioritizedModalities(ranked, epoch, phaseEpochs, { schedule, ...tied });
    const coefficients = modulationCoefficients(
      modalities,
      // All that are ranked: the joint phase, where those that are not ranked train too, or nobody is ranked.
      prioritized === ranked ? modalities : prioritized,
      suppression === 'partial' ? (fixed ? confidence : scores) : undefined,
    );
    this.#state = { version: 1, epoch, coefficients, previous, current };
  }

  /**
   * The variables whose gradient survives this step. Pass them to `tf.variableGrads`: the tape then never computes
   * what κ = 0 would throw away, which makes a prioritized step cheaper than a joint one.
   *
   * @throws {OptionError} In the first call, unless the options had `variables`: if a modality has none in the scope.
   */
  activeVariables(variables: readonly tf.Variable[]): tf.Variable[] {
    this.#checkScope(variables);
    return variables.filter((variable) => this.#coefficientOf(variable) !== 0);
  }

  /**
   * Gradients times κ (Eq. 8), one entry for every variable in the order of `variables`.
   *
   * @param grads From `tf.variableGrads`; suppressed variables may be absent.
   * @param variables Every trainable variable, always in the same order.
   * @returns A list for `optimizer.applyGradients`. Run both inside one `tf.tidy`.
   * @throws {OptionError} As `activeVariables`. Without any `update` before, it says once that all modalities train.
   */
  modulate(grads: tf.NamedTensorMap, variables: readonly tf.Variable[]): OptimizerGradients {
    this.#checkScope(variables);
    if (!this.#state.epoch && !this.#isTold) {
      this.#isTold = true;
      console.warn('@g2d/smp: without `update` every modality trains.');
    }
    const { onZero } = this.#options;
    return modulateGradients(grads, variables, this.#coefficientOf, onZero) as OptimizerGradients;
  }

  /**
   * How to run a modality's encoder in this step: `encoder.apply(x, { training: smp.trainingMode('audio') })`. False for a
   * suppressed modality with `suppressedBatchNorm: 'inference'`, else true.
   *
   * @throws {OptionError} If there is no such modality.
   */
  trainingMode(modality: M): boolean {
    assertOneOf('modality', modality, this.#options.modalities);
    return this.suppressedBatchNorm === 'training' || this.coefficients[modality] !== 0;
  }

  /** What to save with a checkpoint, as plain data for `JSON.stringify`. The options are not in it. */
  getState(): SmpState<M> {
    return structuredClone(this.#state);
  }

  /**
   * Goes on from a saved state, also in the middle of an epoch.
   *
   * @throws {OptionError} If it is not whole, or of other modalities or another version.
   */
  setState(state: SmpState<M>): void {
    assertState(state, this.#options.modalities);
    this.#state = structuredClone(state);
  }

  /** κ of a variable; 1 for variables of no modality. */
  #coefficientOf = (variable: tf.Variable): number => {
    const modality = scopedModality(variable, this.#options);
    return modality === undefined ? 1 : this.#state.coefficients[modality];
  };

  #checkScope(variables: readonly tf.Variable[]): void {
    if (!this.#scopeIsChecked) assertScope(variables, this.#options);
    this.#scopeIsChecked = true;
  }
}

function assertConfidence(modality: string, rho: number | null | undefined, samples: number): void {
  if (rho === null) return;
  if (!isUnit(rho)) {
    const expected = 'a number in [0, 1], or null if no sample has it';
    throw wrongOption(`confidence.${modality}`, rho, expected);
  }
  if (!(samples > 0 && samples < Infinity)) throw wrongOption('samples', samples, 'a number above 0');
}
