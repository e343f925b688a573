import { OptionError, shown } from '@g2d/core';

/** Shape of an image or spectrogram: `[H, W, C]`. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** Shape of several frames: `[T, H, W, C]`, where T may be `null`: as many as a batch has. */
export type FramesShape = readonly [frames: number | null, height: number, width: number, channels: number];

/**
 * Throws unless `inputShape` has one of the forms, for example `[H, W, C]` or `[T, H, W, C]`: positive integers, and
 * `null` only for T.
 */
export function assertInputShape(
  encoder: string,
  inputShape: readonly (number | null)[],
  ...forms: readonly string[]
): void {
  const fits = (form: string): boolean => {
    const axes = form.slice(1, -1).split(', ');
    return (
      Array.isArray(inputShape) &&
      axes.length === inputShape.length &&
      axes.every((axis, i) => isPositiveInteger(inputShape[i]) || (axis === 'T' && inputShape[i] === null))
    );
  };
  if (forms.some(fits)) return;
  const accepted = `${forms.join(' or ')}, each a positive integer${forms.some((form) => form.includes('T')) ? ' (or null for T)' : ''}`;
  throw new OptionError(
    `\`inputShape\` of ${encoder} is ${shown(inputShape)}; expected ${accepted}. Give the shape of one sample, without the batch, channels last.`,
    { option: 'inputShape', value: inputShape, accepted },
  );
}

/** Throws unless an option is a positive integer. */
export function assertPositiveInteger(option: string, value: number): void {
  if (isPositiveInteger(value)) return;
  throw new OptionError(`\`${option}\` is ${value}; expected a positive integer.`, {
    option,
    value,
    accepted: 'a positive integer',
  });
}

const isPositiveInteger = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
