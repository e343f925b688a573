import type * as tf from '@tensorflow/tfjs-core';
import { isModalityName, type PerModality } from '@g2d/core';
import {
  assertKnown,
  assertOneOf,
  isPerModality,
  isSameSet,
  isUnit,
  isWhole,
  wrongOption,
} from './checks.js';
import type { ModalityOf } from './modality-of.js';
import type { Scope } from './scope.js';

/**
 * Which ρ ranks the modalities.
 *
 * `'batch'`: that of the latest `update`, so near ties may change places from batch to batch. `'epoch'`: its mean over the
 * updates of the previous epoch (over those so far in the first one), so the order holds for an epoch. `{ dataset }`: ρ
 * measured once over the training set, so it holds for the run. `{ fixed }`: an order, least confident first.
 */
export type Ranking<M extends string> =
  'batch' | 'epoch' | { readonly dataset: PerModality<M, number> } | { readonly fixed: readonly M[] };

/** Takes its modalities from elsewhere, as `NoInfer`, which older compilers do not have. */
type Known<M extends string> = [M][M extends unknown ? 0 : never];

/** Settings of `SequentialModalityPrioritization`. Each default follows the paper. */
export interface SmpOptions<M extends string> {
  /** Which variables κ touches, and whose they are; see `byPrefix`. */
  readonly modalityOf: ModalityOf<M>;
  /** τ_1 … τ_k in epochs, one for each modality. Phases before the last train one modality each. */
  readonly phaseEpochs: readonly number[];
  /** Needed where `modalityOf` is a function of your own; their order counts only for `ties: 'order'`. */
  readonly modalities?: readonly Known<M>[];
  /**
   * The trainable variables: the constructor then checks that each modality has one in the scope. Default: the first
   * `activeVariables` or `modulate` checks.
   */
  readonly variables?: readonly tf.Variable[];
  /**
   * What of a suppressed modality κ touches. `'encoder'` (default): every variable that `modalityOf` names, Eq. 8. `'conv'`:
   * of these only tensors with four axes, as the released code; normalization, biases and dense layers go on training.
   * `'encoder+head'`: also the variables that `headOf` names.
   */
  readonly scope?: Scope;
  /** For the scope `'encoder+head'`: whose head a variable is, for example `byPrefix({ audio: 'head/audio/', … })`. */
  readonly headOf?: ModalityOf<Known<M>>;
  /** What κ = 0 does to momentum and weight decay: nothing (`'zero'`, default) or stop them (`'freeze'`); see `modulateGradients`. */
  readonly onZero?: 'zero' | 'freeze';
  /**
   * `'complete'` (default): κ = 0 for those that do not train. `'partial'`: 1 − tanh(ρ_m / ρ_p), Table 6; see
   * `modulationCoefficients`. All gradients are needed then: a step costs as much as a joint one.
   */
  readonly suppression?: 'complete' | 'partial';
  /** Which ρ ranks the modalities. Default `'batch'`, as the paper. */
  readonly ranking?: Ranking<Known<M>>;
  /** `'released'` ends every phase but the last one epoch later, as the released code; see `prioritizedModalities`. Default `'paper'`. */
  readonly schedule?: 'paper' | 'released';
  /**
   * `'together'` (default): modalities exactly as confident as the prioritized one train along with it. `'order'`: the
   * earlier in `modalities` counts as less confident.
   */
  readonly ties?: 'together' | 'order';
  /**
   * What `trainingMode` answers for a suppressed modality. `'training'` (default): batch normalization uses the batch and moves
   * its running statistics, as in the released code. `'inference'`: it uses those and leaves them alone.
   */
  readonly suppressedBatchNorm?: 'training' | 'inference';
}

/** The options that are one word of a few, the default first. */
const CHOICES = {
  scope: ['encoder', 'conv', 'encoder+head'],
  onZero: ['zero', 'freeze'],
  suppression: ['complete', 'partial'],
  schedule: ['paper', 'released'],
  ties: ['together', 'order'],
  suppressedBatchNorm: ['training', 'inference'],
} as const;

type Choices = { readonly [Option in keyof typeof CHOICES]: (typeof CHOICES)[Option][number] };

/** What a ranking is given with. */
interface RankingValues<M extends string> {
  readonly dataset?: PerModality<M, number>;
  readonly fixed?: readonly M[];
}

/** All settings, with their defaults. */
export interface CompleteSmpOptions<M extends string> extends Choices, RankingValues<M> {
  readonly modalities: readonly M[];
  readonly modalityOf: ModalityOf<M>;
  readonly headOf: ModalityOf<M> | undefined;
  readonly phaseEpochs: readonly number[];
  readonly ranking: Ranking<M>;
}

/**
 * Fills in the defaults.
 *
 * @throws {OptionError} If an option is wrong by itself, does not fit another or does not exist.
 */
export function completeOptions<M extends string>(given: SmpOptions<M>): CompleteSmpOptions<M> {
  const { modalityOf, phaseEpochs, headOf, ranking = 'batch' } = given;
  assertKnown(given, {
    modalityOf,
    phaseEpochs,
    headOf,
    ranking,
    modalities: 0,
    variables: 0,
    ...CHOICES,
  });
  const modalities: readonly M[] | undefined = given.modalities ?? modalityOf?.modalities;
  if (typeof modalityOf !== 'function') throw wrongOption('modalityOf', modalityOf, 'a function');
  if (
    !modalities?.length ||
    new Set(modalities).size < modalities.length ||
    !isSameSet(modalityOf.modalities ?? modalities, modalities) ||
    !modalities.every(isModalityName)
  ) {
    throw wrongOption(
      'modalities',
      modalities,
      `each of \`modalityOf\` once, of letters, digits, ".", "_", "-"`,
    );
  }
  if (phaseEpochs?.length !== modalities.length || !phaseEpochs.every((epochs) => isWhole(epochs, 0))) {
    const expected = `a whole number for each of ${modalities}, the last for the joint phase`;
    throw wrongOption('phaseEpochs', phaseEpochs, expected);
  }
  const words: Record<string, unknown> = { ...given };
  for (const [option, accepted] of Object.entries<readonly unknown[]>(CHOICES)) {
    assertOneOf(option, (words[option] ??= accepted[0]), accepted);
  }
  const { scope } = words;
  if ((scope === 'encoder+head') !== !!headOf) {
    throw wrongOption('scope', scope, '`headOf` and "encoder+head" together');
  }
  const { dataset, fixed }: RankingValues<M> = ranking instanceof Object ? ranking : {};
  const isRanking =
    ['batch', 'epoch'].includes(ranking as string) ||
    (!fixed && isPerModality(dataset, modalities, isUnit)) ||
    (!dataset && isSameSet(fixed ?? [], modalities));
  if (!isRanking) {
    const expected = `batch, epoch, { dataset } or { fixed } for each of ${modalities}`;
    throw wrongOption('ranking', ranking, expected);
  }
  return { ...words, modalities, ranking, dataset, fixed } as unknown as CompleteSmpOptions<M>;
}
