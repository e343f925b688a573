import { FileFormatError, OptionError, shown } from '@g2d/core';
import { checkWhole } from '../clips/options.js';
import type { Split } from '@g2d/core';
import { splitByFraction } from '../splits.js';
import type { IemocapOptions } from './options.js';

/** How a validation split is taken from the training split. */
type HoldOut = Pick<IemocapOptions, 'fold' | 'validation' | 'seed'>;

/** `Ses01F_impro01_M000`, `Ses01F_script01_1_M000`, `Ses05M_impro08a_M020`. */
const NAME = /^Ses0[1-5][A-Za-z0-9]*_[A-Za-z0-9_]+$/;
export const SESSIONS = 5;

/**
 * Names go into paths and name data of other files: only what looks like an utterance of IEMOCAP is let through.
 *
 * @param path Where the name was read.
 * @throws {FileFormatError} If it does not.
 */
export function checkUtterances(names: readonly string[], path: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (!NAME.test(name)) {
      throw new FileFormatError(
        path,
        `${shown(name.slice(0, 100))} is no utterance of IEMOCAP; expected a name such as Ses01F_impro01_F000.`,
      );
    }
    if (seen.has(name)) throw new FileFormatError(path, `lists ${name} twice.`, { id: name });
    seen.add(name);
  }
}

/** 1 to 5; each has two speakers of its own. */
export const sessionOf = (utterance: string): number => Number(utterance[4]);

/** `Ses01F_impro01_M000` → `Ses01F_impro01`. */
export const dialogueOf = (utterance: string): string => utterance.slice(0, utterance.lastIndexOf('_'));

/**
 * The utterances of a split when one session tests: nobody who speaks there is heard in training.
 *
 * @param utterances In the order that is kept.
 * @throws {OptionError} If a split is asked for that there is not.
 */
export function bySession(
  utterances: readonly string[],
  split: Split,
  { fold = SESSIONS, validation = 'session', seed = 0 }: HoldOut,
): readonly string[] {
  checkWhole('fold', fold, 1, SESSIONS);
  if (split === 'test') return utterances.filter((name) => sessionOf(name) === fold);
  const rest = utterances.filter((name) => sessionOf(name) !== fold);
  if (validation === 'session') {
    const before = fold === 1 ? SESSIONS : fold - 1;
    return rest.filter((name) => (sessionOf(name) === before) === (split === 'validation'));
  }
  return heldOut(rest, split, { share: validation, seed, groupOf: dialogueOf });
}

/** One of the two splits into which `utterances` are divided: a random share for validation, the others. */
export function heldOut(
  utterances: readonly string[],
  split: 'train' | 'validation',
  {
    share,
    seed,
    groupOf,
  }: { readonly share: number; readonly seed: number; readonly groupOf: (name: string) => string },
): readonly string[] {
  if (share === 0) {
    if (split === 'train') return utterances;
    throw new OptionError(
      'There is no validation split: `validation` is 0, or `official` is set. Open "test", or leave them out.',
      {
        option: 'split',
        value: split,
        accepted: 'train, test; or a `validation` above 0',
      },
    );
  }
  return splitByFraction(utterances, { fractions: { train: 1 - share, validation: share }, seed, groupOf })[
    split
  ];
}

/** @throws {OptionError} If they are not what is documented. */
export function checkHoldOut({ fold, validation }: HoldOut, official: boolean): void {
  if (fold !== undefined) checkWhole('fold', fold, 1, SESSIONS);
  if (validation === undefined) return;
  if (official && validation !== 0) {
    throw new OptionError(
      '`official` has no validation split, as its authors have none; `validation` asks for one. Leave out one of the two.',
      { option: 'validation', value: validation, accepted: '0 with `official`' },
    );
  }
}

/** What is not finite is refused: it would spoil the training unnoticed. */
export function assertFinite(values: ArrayLike<number>, path: string, utterance: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new FileFormatError(
      path,
      `${utterance} holds ${values[i]} at position ${i}: it would spoil the training unnoticed. Make the features again.`,
      { id: utterance, position: i },
    );
  }
}
