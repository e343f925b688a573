import { checkKeys, OptionError, type RandomStream } from '@g2d/core';

/** Settings of `randomAffineCrop`. */
export interface RandomAffineCropOptions {
  /** Smallest and largest part of the picture's area that is kept. Default [0.3, 1]. */
  readonly area?: readonly [number, number];
  /** Largest ratio of the crop's sides, width to height and height to width. Default 4/3. */
  readonly aspect?: number;
  /** Largest rotation to either side, in degrees. Default 20. */
  readonly rotation?: number;
}

/** The five uniform numbers in [0, 1) of one crop: area, aspect ratio, position x, position y, rotation. */
export type CropUniforms = readonly [number, number, number, number, number];

/**
 * A random resized crop with a small rotation, in one bilinear resampling: an augmentation for `batches`.
 *
 * Five numbers u ~ U(0, 1) per picture: area = a₀ + (a₁ − a₀) u₁; ratio = exp((2 u₂ − 1) ln aspect);
 * s_x = min(1, √(area · ratio)), s_y = min(1, √(area / ratio)); t_x = (1 − s_x)(2 u₃ − 1), t_y = (1 − s_y)(2 u₄ − 1);
 * r = (2 u₅ − 1) · rotation. Pixel centres lie in [−1, 1]; output pixel (x, y) reads the input at
 * (s_x cos r x − s_x sin r y + t_x, s_y sin r x + s_y cos r y + t_y). Outside the picture is 0. There is no flip.
 *
 * @returns An augmentation for pictures `[H, W, C]`. Meant for square ones: the rotation is one in [−1, 1]² and would
 * shear others.
 * @throws {OptionError} If an option is out of range.
 * @example
 * batches(train, { batchSize: 64, shuffle: true, augment: { image: randomAffineCrop() } });
 */
export function randomAffineCrop(
  options: RandomAffineCropOptions = {},
): (image: Float32Array, shape: readonly number[], random: RandomStream) => Float32Array {
  checkKeys(options, { area: true, aspect: true, rotation: true }, 'randomAffineCrop');
  const ranges = checked(options);
  return (image, shape, random) => {
    // In this order: the same stream must give the same crop in every version.
    const u1 = random.uniform();
    const u2 = random.uniform();
    const u3 = random.uniform();
    const u4 = random.uniform();
    const u5 = random.uniform();
    return affineCrop(image, shape, [u1, u2, u3, u4, u5], ranges);
  };
}

function checked({
  area = [0.3, 1],
  aspect = 4 / 3,
  rotation = 20,
}: RandomAffineCropOptions): Required<RandomAffineCropOptions> {
  if (!(area[0] > 0 && area[0] <= area[1] && area[1] <= 1)) {
    throw new OptionError(
      `\`area\` is [${area.join(', ')}]; it must be two numbers, 0 < smallest ≤ largest ≤ 1.`,
      {
        option: 'area',
        value: area,
        accepted: '0 < smallest ≤ largest ≤ 1',
      },
    );
  }
  if (!(aspect >= 1 && Number.isFinite(aspect))) {
    throw new OptionError(`\`aspect\` is ${aspect}; it must be at least 1.`, {
      option: 'aspect',
      value: aspect,
      accepted: '≥ 1',
    });
  }
  if (!(rotation >= 0 && rotation <= 180)) {
    throw new OptionError(`\`rotation\` is ${rotation}; it must be 0 to 180 degrees.`, {
      option: 'rotation',
      value: rotation,
      accepted: '0 to 180',
    });
  }
  return { area, aspect, rotation };
}

/** The crop for five given numbers; see `randomAffineCrop`. */
export function affineCrop(
  image: Float32Array,
  shape: readonly number[],
  [u1, u2, u3, u4, u5]: CropUniforms,
  { area: [smallest, largest], aspect, rotation }: Required<RandomAffineCropOptions>,
): Float32Array {
  const [height = 1, width = 1, channels = 1] = shape;
  const area = smallest + (largest - smallest) * u1;
  const ratio = Math.exp((2 * u2 - 1) * Math.log(aspect));
  const scaleX = Math.min(1, Math.sqrt(area * ratio));
  const scaleY = Math.min(1, Math.sqrt(area / ratio));
  const shiftX = (1 - scaleX) * (2 * u3 - 1);
  const shiftY = (1 - scaleY) * (2 * u4 - 1);
  const angle = ((2 * u5 - 1) * rotation * Math.PI) / 180;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);

  const cropped = new Float32Array(image.length);
  let to = 0;
  for (let i = 0; i < height; i++) {
    const y = (2 * i + 1) / height - 1;
    for (let j = 0; j < width; j++, to += channels) {
      const x = (2 * j + 1) / width - 1;
      const column = ((scaleX * (cos * x - sin * y) + shiftX + 1) * width - 1) / 2;
      const row = ((scaleY * (sin * x + cos * y) + shiftY + 1) * height - 1) / 2;
      const left = Math.floor(column);
      const top = Math.floor(row);
      // Neighbours outside the picture get weight 0 and any valid address.
      const leftWeight = left >= 0 && left < width ? 1 - (column - left) : 0;
      const rightWeight = left >= -1 && left < width - 1 ? column - left : 0;
      const topWeight = top >= 0 && top < height ? 1 - (row - top) : 0;
      const bottomWeight = top >= -1 && top < height - 1 ? row - top : 0;
      const upper = topWeight > 0 ? top * width : 0;
      const lower = bottomWeight > 0 ? (top + 1) * width : 0;
      const before = leftWeight > 0 ? left : 0;
      const after = rightWeight > 0 ? left + 1 : 0;
      const topLeft = (upper + before) * channels;
      const topRight = (upper + after) * channels;
      const bottomLeft = (lower + before) * channels;
      const bottomRight = (lower + after) * channels;
      for (let c = 0; c < channels; c++) {
        cropped[to + c] =
          topWeight *
            (leftWeight * (image[topLeft + c] as number) + rightWeight * (image[topRight + c] as number)) +
          bottomWeight *
            (leftWeight * (image[bottomLeft + c] as number) +
              rightWeight * (image[bottomRight + c] as number));
      }
    }
  }
  return cropped;
}
