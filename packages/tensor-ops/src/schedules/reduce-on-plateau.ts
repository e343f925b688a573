import { checkKeys, OptionError } from '@g2d/core';
import { assertOptions } from '../optimizers/options.js';

/** When a learning rate falls because a number gets no better. The names and defaults are PyTorch's. */
export interface PlateauOptions {
  /** Whether smaller or larger numbers are better. Default `'min'`. */
  readonly mode?: 'min' | 'max';
  /** The rate falls after more than so many numbers that were no better. Default 10. */
  readonly patience?: number;
  /** By how much a number must be better than the best one to count. Default 1e-4. */
  readonly threshold?: number;
  /** `'rel'` (default): by a part of the best one. `'abs'`: by the threshold itself. */
  readonly thresholdMode?: 'rel' | 'abs';
  /** After a fall so many numbers do not count as bad. Default 0. */
  readonly cooldown?: number;
}

/** What was seen so far; plain data, for checkpoints. */
export interface PlateauState {
  /** `null` before the first number. */
  readonly best: number | null;
  /** Numbers since that were no better. */
  readonly bad: number;
  /** Numbers that will not count as bad. */
  readonly cooldown: number;
  /** How often the rate has fallen. */
  readonly reductions: number;
}

/** Before the first number. */
export const NO_PLATEAU: PlateauState = { best: null, bad: 0, cooldown: 0, reductions: 0 };

/**
 * The state after one more number. PyTorch's `ReduceLROnPlateau`.
 *
 * @param state `NO_PLATEAU` in the beginning.
 * @param value For example the loss on the validation split; NaN is no better.
 * @throws {OptionError} If an option is not accepted.
 * @example
 * let state = NO_PLATEAU;
 * for (const loss of [3, 2, 2, 2]) state = watchPlateau(state, loss, { patience: 1 });
 * reducedRate(0.1, state.reductions); // 0.01
 */
export function watchPlateau(state: PlateauState, value: number, options: PlateauOptions = {}): PlateauState {
  const {
    mode = 'min',
    patience = 10,
    threshold = 1e-4,
    thresholdMode = 'rel',
    cooldown = 0,
  } = checkKeys(
    options,
    { mode: true, patience: true, threshold: true, thresholdMode: true, cooldown: true },
    'watchPlateau',
  );
  assertOptions({ patience, threshold, cooldown });
  assertWord('mode', mode, ['min', 'max']);
  assertWord('thresholdMode', thresholdMode, ['rel', 'abs']);
  const better = isBetter(value, state.best, { mode, threshold, thresholdMode });
  const bad = better || state.cooldown > 0 ? 0 : state.bad + 1;
  const falls = bad > patience;
  return {
    best: better ? value : state.best,
    bad: falls ? 0 : bad,
    cooldown: falls ? cooldown : Math.max(0, state.cooldown - 1),
    reductions: state.reductions + Number(falls),
  };
}

function assertWord(option: string, value: string, words: readonly string[]): void {
  if (words.includes(value)) return;
  const accepted = words.map((word) => `"${word}"`).join(' or ');
  throw new OptionError(`\`${option}\` is "${value}"; it must be ${accepted}.`, { option, value, accepted });
}

function isBetter(
  value: number,
  best: number | null,
  { mode, threshold, thresholdMode }: Required<Pick<PlateauOptions, 'mode' | 'threshold' | 'thresholdMode'>>,
): boolean {
  if (best === null) return !Number.isNaN(value);
  const sign = mode === 'min' ? -1 : 1;
  const wanted = thresholdMode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold;
  return mode === 'min' ? value < wanted : value > wanted;
}

/** A fall by less changes nothing. PyTorch's `eps`. */
const SMALLEST_FALL = 1e-8;

/**
 * A learning rate that has fallen so many times.
 *
 * lr ← max(lr · factor, min), unless that is less than 10⁻⁸ below lr
 *
 * @param base The rate before the first fall.
 * @param options `factor`: below 1, default 0.1; `min`: default 0.
 * @throws {OptionError} If an option is not accepted.
 */
export function reducedRate(
  base: number,
  reductions: number,
  options: { readonly factor?: number; readonly min?: number } = {},
): number {
  const { factor = 0.1, min = 0 } = checkKeys(options, { factor: true, min: true }, 'reducedRate');
  assertOptions({ min });
  assertOptions({ factor }, 1);
  let rate = base;
  for (let i = 0; i < reductions; i++) {
    const next = Math.max(rate * factor, min);
    if (rate - next > SMALLEST_FALL) rate = next;
  }
  return rate;
}
