import type { View } from '@g2d/core';
import { pictureUri } from './png.js';
import type { Shaped } from './channels-first.js';

/** More numbers than these are not read one by one. */
const MOST_IN_TABLE = 64;

/** A picture inside the page. */
interface Picture {
  readonly uri: string;
  readonly width: number;
  readonly height: number;
}

/** What most loaders scale colours with. */
const IMAGENET = { kind: 'pixels', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** The view of an array: its own, unless that is one of pictures and the array, by an option of the dataset, is none. */
export function viewOf(shape: readonly number[], own?: View): View {
  const ofPictures = own !== undefined && ['pixels', 'picture', 'spectrogram'].includes(own.kind);
  if (own && !(ofPictures && shape.length < 3)) return own;
  if (shape.length === 1) {
    return (shape[0] as number) <= MOST_IN_TABLE ? { kind: 'features', names: [] } : { kind: 'bars' };
  }
  if (shape.length === 2) return { kind: 'sequence' };
  return shape.at(-1) === 3 ? IMAGENET : { kind: 'spectrogram' };
}

/** The pictures of an array: one for each frame; none for a row of numbers. */
export function picturesOf(view: View, { shape, values }: Shaped): readonly Picture[] {
  if (view.kind === 'features') return [];
  if (view.kind === 'bars') return [barPicture(values)];
  if (view.kind === 'sequence') return [sequencePicture(shape as readonly [number, number], values)];
  const [height, width, channels] = shape.slice(-3) as [number, number, number];
  const length = height * width * channels;
  return Array.from({ length: values.length / length }, (_, frame) => {
    const piece = values.subarray(frame * length, (frame + 1) * length);
    const colors =
      view.kind === 'pixels' && channels === 3 ? unscaled(piece, view) : gray(piece, channels, view);
    const rows = view.kind === 'spectrogram' ? upsideDown(colors, width, height) : colors;
    return { uri: pictureUri({ width, height, rgb: rows }), width, height };
  });
}

function unscaled(
  values: Float32Array,
  { mean, std }: Extract<View, { readonly kind: 'pixels' }>,
): Uint8ClampedArray {
  return Uint8ClampedArray.from(
    values,
    (value, i) => 255 * (value * (std[i % 3] as number) + (mean[i % 3] as number)),
  );
}

/** The first channel from its lowest to its highest value, black to white or, for sound, black over purple to cream. */
function gray(values: Float32Array, channels: number, { kind }: View): Uint8ClampedArray {
  const plane = values.filter((_, i) => i % channels === 0);
  return colored(scaled(plane), kind === 'spectrogram' ? SOUND : GRAY);
}

function sequencePicture([steps, features]: readonly [number, number], values: Float32Array): Picture {
  const shares = new Float32Array(values.length);
  for (let feature = 0; feature < features; feature++) {
    const row = scaled(values.filter((_, i) => i % features === feature));
    shares.set(row, feature * steps);
  }
  return {
    uri: pictureUri({ width: steps, height: features, rgb: colored(shares, GRAY) }),
    width: steps,
    height: features,
  };
}

const BAR_HEIGHT = 160;

/** A column for each number, from the row of 0 up or down to it; 0 is in the picture whatever the numbers are. */
function barPicture(values: Float32Array): Picture {
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  const low = values.reduce((least, value) => Math.min(least, value), 0);
  const row = (value: number): number => Math.round(((high - value) / (high - low || 1)) * (BAR_HEIGHT - 1));
  const width = values.length;
  const rgb = new Uint8ClampedArray(3 * width * BAR_HEIGHT).fill(255);
  values.forEach((value, x) => {
    const [from, to] = [row(Math.max(value, 0)), row(Math.min(value, 0))];
    for (let y = from; y <= to; y++) rgb.set(BAR, 3 * (y * width + x));
  });
  return { uri: pictureUri({ width, height: BAR_HEIGHT, rgb }), width, height: BAR_HEIGHT };
}

/** To [0, 1]. */
function scaled(values: Float32Array): Float32Array {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  return values.map((value) => (value - low) / (high - low || 1));
}

type Color = readonly [number, number, number];
const BAR: Color = [81, 18, 124];
const GRAY: readonly Color[] = [
  [0, 0, 0],
  [255, 255, 255],
];
const SOUND: readonly Color[] = [
  [0, 0, 4],
  [81, 18, 124],
  [183, 55, 121],
  [252, 137, 97],
  [252, 253, 191],
];

function colored(shares: Float32Array, scale: readonly Color[]): Uint8ClampedArray {
  const rgb = new Uint8ClampedArray(3 * shares.length);
  shares.forEach((share, i) => {
    const position = share * (scale.length - 1);
    const from = Math.min(Math.floor(position), scale.length - 2);
    const [low, high] = [scale[from], scale[from + 1]] as [Color, Color];
    for (let c = 0; c < 3; c++) {
      rgb[3 * i + c] = (low[c] as number) + ((high[c] as number) - (low[c] as number)) * (position - from);
    }
  });
  return rgb;
}

function upsideDown(rgb: Uint8ClampedArray, width: number, height: number): Uint8ClampedArray {
  const turned = new Uint8ClampedArray(rgb.length);
  for (let row = 0; row < height; row++) {
    turned.set(rgb.subarray(3 * width * row, 3 * width * (row + 1)), 3 * width * (height - 1 - row));
  }
  return turned;
}
