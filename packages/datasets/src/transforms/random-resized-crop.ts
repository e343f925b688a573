import { OptionError, type RandomStream } from '@g2d/core';
import type { Box } from './resize.js';

interface RandomResizedCropOptions {
  /** Smallest and largest part of the picture's area. Default [0.08, 1]. */
  readonly area?: readonly [number, number];
  /** Smallest and largest ratio of width to height. Default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
  /** How often a box that does not fit is drawn again. Default 10. */
  readonly attempts?: number;
}

/** The numbers of `RandomStream` that a crop is drawn from. */
export type CropRandom = Pick<RandomStream, 'uniform' | 'integer'>;

/**
 * The box of torchvision's `RandomResizedCrop`: area and shape of the crop are drawn, then its place.
 *
 * Each attempt draws u₁, u₂ ~ U(0, 1): area = (a₀ + (a₁ − a₀) u₁) H W; ratio = exp(ln r₀ + (ln r₁ − ln r₀) u₂);
 * width = √(area · ratio), height = √(area / ratio), rounded, halves to the even number. The first box that fits is put at
 * a top from 0 to H − height and a left from 0 to W − width. If none fits: the largest box in the middle whose ratio is
 * within the range.
 *
 * @param size The picture's size.
 * @param random Draws 2 numbers an attempt, then top and left.
 * @throws {OptionError} If an option is out of range.
 * @example
 * const box = randomResizedCrop(image, random);
 * const flip = random.uniform() < 0.5;
 * resize(image, { height: 224, width: 224, box, flip });
 */
export function randomResizedCrop(
  size: { readonly width: number; readonly height: number },
  random: CropRandom,
  options: RandomResizedCropOptions = {},
): Box {
  const { area, ratio, attempts } = checked(options);
  const logarithms = [Math.log(ratio[0]), Math.log(ratio[1])] as const;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const wanted = size.height * size.width * (area[0] + (area[1] - area[0]) * random.uniform());
    const drawn = Math.exp(logarithms[0] + (logarithms[1] - logarithms[0]) * random.uniform());
    const width = roundHalfToEven(Math.sqrt(wanted * drawn));
    const height = roundHalfToEven(Math.sqrt(wanted / drawn));
    if (width >= 1 && height >= 1 && width <= size.width && height <= size.height) {
      // In this order: the same stream must give the same crop in every version.
      const top = random.integer(size.height - height + 1);
      const left = random.integer(size.width - width + 1);
      return { top, left, height, width };
    }
  }
  return middle(size, ratio);
}

function middle(
  { width, height }: { readonly width: number; readonly height: number },
  [narrowest, widest]: readonly [number, number],
): Box {
  const ratio = width / height;
  const box = {
    width: ratio > widest ? Math.max(1, roundHalfToEven(height * widest)) : width,
    height: ratio < narrowest ? Math.max(1, roundHalfToEven(width / narrowest)) : height,
  };
  return { ...box, top: Math.floor((height - box.height) / 2), left: Math.floor((width - box.width) / 2) };
}

/** As Python rounds. */
function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function checked({
  area = [0.08, 1],
  ratio = [3 / 4, 4 / 3],
  attempts = 10,
}: RandomResizedCropOptions): Required<RandomResizedCropOptions> {
  if (!(area[0] > 0 && area[0] <= area[1] && area[1] <= 1)) {
    throw new OptionError(`\`area\` is [${area.join(', ')}]; it must be 0 < smallest ≤ largest ≤ 1.`, {
      option: 'area',
      value: area,
      accepted: '0 < smallest ≤ largest ≤ 1',
    });
  }
  if (!(ratio[0] > 0 && ratio[0] <= ratio[1] && Number.isFinite(ratio[1]))) {
    throw new OptionError(`\`ratio\` is [${ratio.join(', ')}]; it must be 0 < smallest ≤ largest.`, {
      option: 'ratio',
      value: ratio,
      accepted: '0 < smallest ≤ largest',
    });
  }
  if (!(Number.isInteger(attempts) && attempts >= 0)) {
    throw new OptionError(`\`attempts\` is ${attempts}; it must be a whole number of at least 0.`, {
      option: 'attempts',
      value: attempts,
      accepted: 'a whole number ≥ 0',
    });
  }
  return { area, ratio, attempts };
}
