import { PNG } from 'pngjs';

/** A picture with one value per pixel, row by row. */
export interface GrayImage {
  readonly width: number;
  readonly height: number;
  /** `width · height` numbers of any range; the smallest and the largest get the ends of the colour scale. */
  readonly values: ArrayLike<number>;
  /** Where the first row is drawn. Default `top`; `bottom` for spectrograms whose row 0 is the lowest frequency. */
  readonly origin?: 'top' | 'bottom';
  /**
   * `gray`: black to white (default). `diverging`: blue below zero, white at zero, red above, both sides scaled
   * by the largest absolute value. `magma-like`: black through purple to cream.
   */
  readonly colors?: 'gray' | 'diverging' | 'magma-like';
}

type Color = readonly [number, number, number];

const SCALES: Readonly<Record<NonNullable<GrayImage['colors']>, readonly Color[]>> = {
  gray: [
    [0, 0, 0],
    [255, 255, 255],
  ],
  diverging: [
    [5, 48, 97],
    [67, 147, 195],
    [247, 247, 247],
    [214, 96, 77],
    [103, 0, 31],
  ],
  'magma-like': [
    [0, 0, 4],
    [81, 18, 124],
    [183, 55, 121],
    [252, 137, 97],
    [252, 253, 191],
  ],
};

/** Encodes an image as a PNG, one pixel per value. Values that are not finite get the lowest colour. */
export function encodePng(image: GrayImage): Buffer {
  const { width, height, values, origin = 'top', colors = 'gray' } = image;
  if (values.length !== width * height) {
    throw new RangeError(
      `An image of ${width} × ${height} needs ${width * height} values; \`values\` has ${values.length}.`,
    );
  }
  const [low, high] = range(values, colors);
  const scale = SCALES[colors];
  const png = new PNG({ width, height });
  for (let row = 0; row < height; row++) {
    const from = (origin === 'top' ? row : height - 1 - row) * width;
    for (let column = 0; column < width; column++) {
      const share = ((values[from + column] ?? Number.NaN) - low) / (high - low || 1);
      png.data.set([...colorAt(scale, share), 255], (row * width + column) * 4);
    }
  }
  return PNG.sync.write(png, { colorType: colors === 'gray' ? 0 : 2 });
}

/** The image as a `data:` address. */
export function pngUri(image: GrayImage): string {
  return `data:image/png;base64,${encodePng(image).toString('base64')}`;
}

function range(values: ArrayLike<number>, colors: GrayImage['colors']): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  if (colors !== 'diverging') return [low, high];
  // Zero has to be the neutral colour, so both sides share one scale.
  const largest = Math.max(Math.abs(low), Math.abs(high));
  return [-largest, largest];
}

function colorAt(scale: readonly Color[], share: number): Color {
  const position = (Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0) * (scale.length - 1);
  const index = Math.min(Math.floor(position), scale.length - 2);
  const [from, to] = [scale[index] as Color, scale[index + 1] as Color];
  const mix = (channel: 0 | 1 | 2): number =>
    Math.round(from[channel] + (to[channel] - from[channel]) * (position - index));
  return [mix(0), mix(1), mix(2)];
}
