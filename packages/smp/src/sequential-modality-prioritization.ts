import type * as tf from '@tensorflow/tfjs-core';
import {
  OptionError,
  orderedGradients,
  perModality,
  UnknownModalityError,
  type PerModality,
} from '@g2d/tensor-ops';
import type { ModalityOf } from './modality-of.js';
import { modulateGradients } from './modulate-gradients.js';
import { modulationCoefficients } from './modulation-coefficients.js';
import { prioritizedModalities } from './prioritized-modalities.js';
import { rankModalities } from './rank-modalities.js';

/**
 * What the `applyGradients` of TensorFlow.js's optimizers takes. With `suppression: 'freeze'` a frozen variable's `tensor`
 * is `null`, which those optimizers skip although their types do not say so.
 */
export type OptimizerGradients = { name: string; tensor: tf.Tensor }[];

/** Settings of `SequentialModalityPrioritization`. */
export interface SmpOptions<M extends string> {
  readonly modalities: readonly M[];
  /** Which variables κ touches, and whose they are; see `byPrefix`. */
  readonly modalityOf: ModalityOf<M>;
  /** τ_1 … τ_k in epochs, one for each modality. Phases before the last train one modality each. */
  readonly phaseEpochs: readonly number[];
  /** What κ = 0 means, see `modulateGradients`. Default `'zero'`. */
  readonly suppression?: 'zero' | 'freeze';
}

/**
 * Sequential modality prioritization: the least confident modality trains alone first, then the next, at last all.
 *
 * Call `update` before the backward pass of every step (or once an epoch), differentiate only `activeVariables`,
 * and pass the gradients through `modulate` to your optimizer.
 *
 * @example
 * const smp = new SequentialModalityPrioritization({
 *   modalities: ['audio', 'video'],
 *   modalityOf: byPrefix({ audio: 'audio/', video: 'video/' }),
 *   phaseEpochs: [150, 150],
 * });
 * smp.update({ epoch: 1, confidence: { audio: 0.9, video: 0.6 } });
 * smp.coefficients; // { audio: 0, video: 1 }
 * @see G2D, Sec. 3.2, Eq. 5 to 8
 */
export class SequentialModalityPrioritization<M extends string> {
  readonly #options: Required<SmpOptions<M>>;
  #coefficients: PerModality<M, number>;

  /** @throws {OptionError} If the phases do not fit the modalities. */
  constructor({ modalities, modalityOf, phaseEpochs, suppression = 'zero' }: SmpOptions<M>) {
    if (modalities.length === 0 || new Set(modalities).size !== modalities.length) {
      throw new OptionError(
        `\`modalities\` is [${modalities.join(', ')}]; give every modality once, at least one.`,
        {
          option: 'modalities',
          value: modalities,
          accepted: 'distinct names',
        },
      );
    }
    if (phaseEpochs.length !== modalities.length) {
      throw new OptionError(
        `\`phaseEpochs\` has ${phaseEpochs.length} entries but there are ${modalities.length} modalities (${modalities.join(', ')}). Give one phase length per modality: the last one is the joint phase.`,
        {
          option: 'phaseEpochs',
          value: phaseEpochs,
          accepted: `${modalities.length} whole numbers of at least 0`,
        },
      );
    }
    if (!phaseEpochs.every((epochs) => Number.isInteger(epochs) && epochs >= 0)) {
      throw new OptionError(
        `\`phaseEpochs\` is [${phaseEpochs.join(', ')}]; a phase is a whole number of epochs, at least 0.`,
        { option: 'phaseEpochs', value: phaseEpochs, accepted: 'whole numbers of at least 0' },
      );
    }
    this.#options = { modalities, modalityOf, phaseEpochs, suppression };
    this.#coefficients = modulationCoefficients(modalities, modalities);
  }

  /** κ of each modality in the current step; all 1 before the first `update`. */
  get coefficients(): PerModality<M, number> {
    return this.#coefficients;
  }

  /**
   * Ranks the modalities and sets κ (Eq. 6 and 7).
   *
   * @param state `epoch`: counted from 1. `confidence`: ρ of every modality, from `modalityConfidence`.
   * @throws {UnknownModalityError} If a modality has no confidence.
   * @throws {OptionError} If the epoch or a confidence is out of range.
   */
  update({
    epoch,
    confidence,
  }: {
    readonly epoch: number;
    readonly confidence: PerModality<M, number>;
  }): void {
    if (!(Number.isInteger(epoch) && epoch >= 1)) {
      throw new OptionError(
        `\`epoch\` is ${epoch}; epochs count from 1 (callbacks of TensorFlow.js count from 0: add 1).`,
        {
          option: 'epoch',
          value: epoch,
          accepted: 'a whole number ≥ 1',
        },
      );
    }
    const { modalities, phaseEpochs } = this.#options;
    for (const modality of modalities) {
      const value: number | undefined = confidence[modality];
      if (value === undefined) {
        throw new UnknownModalityError({ modality, known: Object.keys(confidence), where: '`confidence`' });
      }
      if (!(value >= 0 && value <= 1)) {
        throw new OptionError(
          `The confidence of ${modality} is ${value}; it is a mean probability in [0, 1].`,
          {
            option: 'confidence',
            value,
            accepted: 'a number in [0, 1]',
          },
        );
      }
    }
    const ranking = rankModalities(perModality(modalities, (modality) => confidence[modality]));
    this.#coefficients = modulationCoefficients(
      modalities,
      prioritizedModalities(ranking, epoch, phaseEpochs),
    );
  }

  /** κ of a variable; 1 for variables of no modality. */
  #coefficientOf = (variable: string): number => {
    const modality = this.#options.modalityOf(variable);
    return modality === undefined ? 1 : this.#coefficients[modality];
  };

  /**
   * The variables whose gradient survives this step. Pass them to `tf.variableGrads`: the tape then never computes
   * what κ = 0 would throw away, which makes a prioritized step cheaper than a joint one.
   */
  activeVariables(variables: readonly tf.Variable[]): tf.Variable[] {
    return variables.filter(({ name }) => this.#coefficientOf(name) !== 0);
  }

  /**
   * Gradients times κ (Eq. 8), one entry for every variable in the order of `variables`.
   *
   * @param grads From `tf.variableGrads`; suppressed variables may be absent.
   * @param variables Every trainable variable, always in the same order.
   * @returns A list for `optimizer.applyGradients`. Run both inside one `tf.tidy`.
   */
  modulate(grads: tf.NamedTensorMap, variables: readonly tf.Variable[]): OptimizerGradients {
    return modulateGradients(
      orderedGradients(grads, variables),
      this.#coefficientOf,
      this.#options.suppression,
      variables,
    ) as OptimizerGradients;
  }
}
