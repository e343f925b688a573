import { OptionError } from '@g2d/core';

/**
 * Which frames of a video the released G2D code's extraction keeps, at so many a second.
 *
 * rate = ⌊reported rate⌋, step = ⌊rate / perSecond⌋. Within every `rate` frames those at 0, step, 2 step, … below
 * step · perSecond are kept. So 29.97 counts as 29: one a second are frames 0, 29, 58, …
 *
 * @param reportedRate What the file says, frames a second.
 * @param frameCount How many frames were decoded.
 * @param perSecond How many are wanted.
 * @throws {OptionError} If the rate is below 1, or fewer than `perSecond`, or a number is not possible.
 * @example
 * frameNumbers(29.97, 67, 1); // [0, 29, 58]
 */
export function frameNumbers(reportedRate: number, frameCount: number, perSecond: number): number[] {
  if (!(Number.isInteger(perSecond) && perSecond >= 1)) {
    throw new OptionError(`\`perSecond\` is ${perSecond}; it must be a whole number of at least 1.`, {
      option: 'perSecond',
      value: perSecond,
      accepted: 'a whole number ≥ 1',
    });
  }
  if (!(Number.isSafeInteger(frameCount) && frameCount >= 0)) {
    throw new OptionError(`\`frameCount\` is ${frameCount}; it must be a whole number of at least 0.`, {
      option: 'frameCount',
      value: frameCount,
      accepted: 'a whole number ≥ 0',
    });
  }
  const rate = Math.floor(reportedRate);
  const step = Math.floor(rate / perSecond);
  if (!(Number.isFinite(rate) && step >= 1)) {
    throw new OptionError(
      `The video states ${reportedRate} frames a second; ${perSecond} a second cannot be taken from it. ` +
        'A rate of 0 means that the file is damaged or not a video.',
      { option: 'perSecond', value: perSecond, accepted: 'at most the whole frames a second of the video' },
    );
  }
  const numbers: number[] = [];
  for (let second = 0; second < frameCount; second += rate) {
    for (let k = 0; k < perSecond && second + k * step < frameCount; k++) numbers.push(second + k * step);
  }
  return numbers;
}

/**
 * The file of a frame in the released code's layout.
 *
 * @example
 * frameFileName(29); // '00029.jpg'
 */
export const frameFileName = (frameNumber: number): string => `${String(frameNumber).padStart(5, '0')}.jpg`;
