import { OptionError, type Method } from '@g2d/core';
import { modalityPrioritization } from '@g2d/methods';
import type { TrainingState } from '@g2d/trainer';
import type { RunConfig } from './config-schema.js';

/** What a run may have otherwise from some epoch on than it began with, beside what never matters. */
export const CHANGEABLE = ['epochs', 'name', 'select'] as const;

/** What a run had before it went on with other settings. */
export type EarlierSettings = Partial<Pick<RunConfig, (typeof CHANGEABLE)[number]>>;

/** The settings that a run goes on with otherwise, as they were; nothing where it has the same. */
export const earlierSettings = (begun: RunConfig, now: RunConfig): EarlierSettings =>
  Object.fromEntries(CHANGEABLE.flatMap((key) => (begun[key] === now[key] ? [] : [[key, begun[key]]])));

/**
 * Checks that a run which goes on with another number of epochs, or selects another, ends as if it had begun so.
 *
 * @param position Where it goes on.
 * @returns What may not be meant: sentences for the user.
 * @throws {OptionError} If it would end otherwise.
 */
export function checkContinuation(
  begun: RunConfig,
  now: RunConfig,
  { epoch, batch }: TrainingState['position'],
): readonly string[] {
  assertSelection(begun, now);
  if (begun.epochs === now.epochs) return [];
  const refuse = (problem: string, accepted: string): never => {
    throw new OptionError(`"epochs" was ${begun.epochs} and now is ${now.epochs}, but ${problem}.`, {
      option: 'epochs',
      value: now.epochs,
      accepted,
    });
  };
  const reached = batch === 0 ? epoch - 1 : epoch;
  if (now.epochs < reached) refuse(`the run has reached epoch ${reached}`, `${reached} or more`);
  const { every } = now.evaluation;
  const watches = now.earlyStopping !== undefined || now.optimizer.schedule?.type === 'plateau';
  const last = begun.epochs;
  // The last epoch is evaluated in any case: in a longer run it would not have been the last.
  const isOdd = epoch > last && last % every !== 0;
  if (isOdd && watches)
    refuse(
      `epoch ${last} was evaluated because it was the last ("evaluation.every" is ${every}), and what it came to counts in the schedule or early stopping`,
      `${last}`,
    );
  return [...(isOdd ? [evaluatedNote(last)] : []), ...scheduleNotes(begun, now)];
}

/** @throws {OptionError} If a method divides the epochs into stages of its own, which would have been others. */
export function assertNoStages(methods: readonly Method<string>[], { epochs }: EarlierSettings): void {
  const staged = methods.find(({ stages }) => stages);
  if (epochs === undefined || !staged) return;
  throw new OptionError(
    `The method "${staged.name}" divides the epochs of a run into stages, and the run began with ${epochs}. With another number begin a new one with --out.`,
    { option: 'epochs', value: staged.name, accepted: `${epochs}` },
  );
}

function assertSelection({ select: before }: RunConfig, { select: now }: RunConfig): void {
  if (before === now || (before !== 'test-best' && now !== 'test-best')) return;
  throw new OptionError(
    `The run began with "select" "${before}", but now it is "${now}": the best epoch so far was kept by another split. Begin a new run with --out.`,
    { option: 'select', value: now, accepted: before === 'test-best' ? before : 'validation-best, last' },
  );
}

const evaluatedNote = (last: number): string =>
  `Epoch ${last} was evaluated because it was the last one; it is in the metrics, and can be the best, though a run with more epochs from the start would not have evaluated it.`;

/** Schedules do not stretch with the number of epochs. */
function scheduleNotes(
  begun: RunConfig,
  { epochs, optimizer: { schedule }, methodOptions }: RunConfig,
): string[] {
  const smp = methodOptions[modalityPrioritization.name] as
    { readonly phaseEpochs?: readonly number[] } | undefined;
  return [
    ...(schedule?.type === 'cosine' && epochs > schedule.epochs
      ? [
          `The cosine schedule falls over ${schedule.epochs} epochs, as the run began with: after them the learning rate stays at ${schedule.min ?? 0}.`,
        ]
      : []),
    ...(schedule?.type === 'linear' && epochs > schedule.epochs
      ? [
          `The linear schedule falls until epoch ${schedule.epochs}, as the run began with: after it the learning rate stays at what that epoch has.`,
        ]
      : []),
    ...(smp?.phaseEpochs
      ? [
          `The phases of SMP stay as they were, ${smp.phaseEpochs.join(' + ')} epochs: they are not scaled from ${begun.epochs} to ${epochs}. What comes after them is joint training.`,
        ]
      : []),
  ];
}
