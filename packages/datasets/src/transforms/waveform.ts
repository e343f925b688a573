import { OptionError } from '@g2d/core';

/**
 * The mean of all channels.
 *
 * @param channels At least one, all of one length.
 * @returns A fresh array.
 * @throws {OptionError} If there is none, or their lengths differ.
 */
export function monoMix(channels: readonly Float32Array[]): Float32Array {
  const [first] = channels;
  if (first === undefined || channels.some(({ length }) => length !== first.length)) {
    throw new OptionError(
      `Channels of ${channels.map(({ length }) => length).join(', ') || 'no'} samples cannot be mixed; they must be at ` +
        'least one and all of one length.',
      { option: 'channels', value: channels.length, accepted: 'channels of one length' },
    );
  }
  if (channels.length === 1) return first.slice();
  return first.map((_, i) => {
    let sum = 0;
    for (const channel of channels) sum += channel[i] as number;
    return sum / channels.length;
  });
}

/** A piece of an endlessly repeated sound, in samples. */
interface RepeatedPiece {
  /** Default 0. */
  readonly start?: number;
  readonly length: number;
}

/**
 * A piece of the sound as if it were repeated for ever: sample i is x[(start + i) mod N].
 *
 * CREMA-D: three seconds of a clip repeated three times are `length: min(3 N, 66150)`. VGGSound: doubling a clip until it has
 * ten seconds and cropping five are `start` and `length: 80000`, since whole repetitions are all that doubling adds.
 *
 * @param samples N samples, at least one.
 * @returns A fresh array.
 * @throws {OptionError} If the sound is empty, or start or length is not a whole number ≥ 0.
 * @example
 * repeatedPiece(Float32Array.of(1, 2, 3), { start: 2, length: 5 }); // 3, 1, 2, 3, 1
 */
export function repeatedPiece(samples: Float32Array, { start = 0, length }: RepeatedPiece): Float32Array {
  if (samples.length === 0) {
    throw new OptionError('A sound without samples cannot be repeated.', {
      option: 'samples',
      value: 0,
      accepted: 'at least one sample',
    });
  }
  for (const [option, value] of [
    ['start', start],
    ['length', length],
  ] as const) {
    if (!(Number.isSafeInteger(value) && value >= 0)) {
      throw new OptionError(`\`${option}\` is ${value}; it must be a whole number of samples, at least 0.`, {
        option,
        value,
        accepted: 'a whole number ≥ 0',
      });
    }
  }
  const piece = new Float32Array(length);
  let from = start % samples.length;
  for (let to = 0; to < length;) {
    const part = samples.subarray(from, from + length - to);
    piece.set(part, to);
    to += part.length;
    from = 0;
  }
  return piece;
}

/** Every sample within [−1, 1], as a fresh array. */
export function clipToUnit(samples: Float32Array): Float32Array {
  const clipped = samples.slice();
  for (let i = 0; i < clipped.length; i++) {
    const value = clipped[i] as number;
    if (value > 1) clipped[i] = 1;
    else if (value < -1) clipped[i] = -1;
  }
  return clipped;
}
