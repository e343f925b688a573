import { OptionError } from '@g2d/core';

/** What the pictures and sounds look like; the defaults are the set of the experiment. */
export interface Degradation {
  /** How many principal components of a picture are kept. */
  readonly imageComponents: number;
  /** Of the recordings, in decibels. */
  readonly signalToNoise: number;
}
export const DEGRADATION: Degradation = { imageComponents: 8, signalToNoise: -5 };

/** Beyond these a set has nothing left of one modality, or components that are told apart by noise alone. */
export const MOST_DEGRADED: Degradation = { imageComponents: 1, signalToNoise: -40 };
export const LEAST_DEGRADED: Degradation = { imageComponents: 32, signalToNoise: 40 };

/** @throws {OptionError} If a value is out of range. */
export function checkDegradation(degradation: Degradation): void {
  const { imageComponents } = degradation;
  if (!Number.isInteger(imageComponents)) refuse('imageComponents', imageComponents, 'a whole number');
  for (const option of ['imageComponents', 'signalToNoise'] as const) {
    const value = degradation[option];
    const [least, most] = [MOST_DEGRADED[option], LEAST_DEGRADED[option]];
    if (!(value >= least && value <= most)) refuse(option, value, `from ${least} to ${most}`);
  }
}

function refuse(option: string, value: number, accepted: string): never {
  throw new OptionError(`\`${option}\` is ${value}; it must be ${accepted}.`, { option, value, accepted });
}
