/** An array and its shape. */
export interface Shaped {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Pictures and spectrograms with their last axis, the channels, in front: `[H, W, C]` → `[C, H, W]`, `[T, H, W, C]` →
 * `[C, T, H, W]`. Sequences and rows stay as they are.
 */
export function channelsFirst({ shape, values }: Shaped): Shaped {
  if (shape.length < 3) return { shape, values };
  const channels = shape.at(-1) as number;
  const plane = values.length / channels;
  const moved = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++)
    moved[(i % channels) * plane + Math.floor(i / channels)] = values[i] as number;
  return { shape: [channels, ...shape.slice(0, -1)], values: moved };
}

/** A sample's array with the length that its free axis has. */
export function shaped(values: Float32Array, shape: readonly (number | null)[]): Shaped {
  const known = shape.reduce<number>((product, axis) => product * (axis ?? 1), 1);
  return { shape: shape.map((axis) => axis ?? values.length / known), values };
}
