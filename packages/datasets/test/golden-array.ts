import { openNpy } from '@g2d/formats/node';

// Comparison with the arrays that the reference's loaders made: expected.json and golden/*.npy of a dataset's fixtures.
import { join } from 'node:path';

export interface GoldenArray {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly std: number;
  readonly l2: number;
  readonly min: number;
  readonly max: number;
  /** Flat index, value. */
  readonly positions: readonly (readonly [number, number])[];
  /** The whole array. */
  readonly file?: string;
  /** The first 16 × 16 of the first plane of the last two axes. */
  readonly corner?: string;
  /** Every n-th entry of the last two axes. */
  readonly decimated?: { readonly file: string; readonly steps: readonly [number, number] };
}

/** An array of a fixture. */
export function goldenFile(fixtures: string, name: string): ArrayLike<number> {
  const file = openNpy(join(fixtures, name));
  try {
    return file.all();
  } finally {
    file.close();
  }
}

/** The largest difference to anything that is known of the golden array; infinite if the lengths differ. */
export function worstDifference(actual: ArrayLike<number>, golden: GoldenArray, fixtures: string): number {
  const length = golden.shape.reduce((product, axis) => product * axis, 1);
  if (actual.length !== length) return Infinity;
  const [height, width] = golden.shape.slice(-2) as [number, number];
  const values = Array.from(actual);
  const mean = values.reduce((sum, x) => sum + x, 0) / length;
  const differences = [
    Math.abs(mean - golden.mean),
    Math.abs(Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / length) - golden.std),
    Math.abs(Math.sqrt(values.reduce((sum, x) => sum + x * x, 0)) / golden.l2 - 1),
    Math.abs(values.reduce((a, b) => Math.min(a, b)) - golden.min),
    Math.abs(values.reduce((a, b) => Math.max(a, b)) - golden.max),
    ...golden.positions.map(([index, value]) => Math.abs((actual[index] as number) - value)),
  ];
  const against = (file: string, indices: readonly number[]): void => {
    const expected = goldenFile(fixtures, file);
    if (expected.length !== indices.length) throw new Error(`${file} has ${expected.length} values`);
    indices.forEach((index, i) =>
      differences.push(Math.abs((actual[index] as number) - (expected[i] as number))),
    );
  };
  if (golden.file)
    against(
      golden.file,
      Array.from({ length }, (_, i) => i),
    );
  if (golden.corner) {
    against(
      golden.corner,
      Array.from({ length: 256 }, (_, i) => Math.floor(i / 16) * width + (i % 16)),
    );
  }
  if (golden.decimated) {
    const { file, steps } = golden.decimated;
    against(file, decimatedIndices(height, width, steps));
  }
  return differences.reduce((worst, x) => (x <= worst ? worst : Number.isNaN(x) ? Infinity : x), 0);
}

/** Flat indices of every n-th entry of a plane. */
export function decimatedIndices(
  height: number,
  width: number,
  [down, across]: readonly [number, number],
): number[] {
  const indices: number[] = [];
  for (let row = 0; row < height; row += down) {
    for (let column = 0; column < width; column += across) indices.push(row * width + column);
  }
  return indices;
}

/** `[T, H, W, C]` → `[C, T, H, W]`, as the goldens are. */
export function channelsFirst(video: Float32Array, channels = 3): Float32Array {
  const pixels = video.length / channels;
  return Float32Array.from(
    video,
    (_, i) => video[(i % pixels) * channels + Math.floor(i / pixels)] as number,
  );
}
