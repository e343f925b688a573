import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

// TensorFlow.js pads and crops images only: a sequence `[B, T, D]` is one of the width 1 here.

const asImage = (x: SymbolicTensor, name: string): SymbolicTensor =>
  layers
    .reshape({ name: `${name}/image`, targetShape: [x.shape[1] ?? -1, 1, x.shape[2] as number] })
    .apply(x) as SymbolicTensor;

const asSequence = (x: SymbolicTensor, name: string): SymbolicTensor =>
  layers
    .reshape({ name: `${name}/sequence`, targetShape: [x.shape[1] ?? -1, x.shape[3] as number] })
    .apply(x) as SymbolicTensor;

/** A sequence with so many steps of zeros before and behind it. */
export const paddedSteps = (
  x: SymbolicTensor,
  name: string,
  [before, behind]: readonly [number, number],
): SymbolicTensor =>
  asSequence(
    layers
      .zeroPadding2d({
        name,
        padding: [
          [before, behind],
          [0, 0],
        ],
      })
      .apply(asImage(x, name)) as SymbolicTensor,
    name,
  );

/** A sequence without its last steps. */
export const withoutLastSteps = (x: SymbolicTensor, name: string, count: number): SymbolicTensor =>
  asSequence(
    layers
      .cropping2D({
        name,
        cropping: [
          [0, count],
          [0, 0],
        ],
      })
      .apply(asImage(x, name)) as SymbolicTensor,
    name,
  );

/**
 * `[B, T, 1]`, 1 or 0 for each step → the same for each window of some steps that begins with it: 1 for those whose steps are all real, and for the first.
 */
export function fullWindows(real: SymbolicTensor, name: string, height: number): SymbolicTensor {
  const scaled = (x: SymbolicTensor, part: string, scale: number, offset = 0): SymbolicTensor =>
    layers.rescaling({ name: `${name}/${part}`, scale, offset }).apply(x) as SymbolicTensor;
  const padded = height > 1 ? paddedSteps(real, `${name}/windows/pad`, [0, height - 1]) : real;
  // The least of some numbers is minus the largest of their negatives.
  const negative = layers
    .maxPooling1d({ name: `${name}/windows/max`, poolSize: height, strides: 1, padding: 'valid' })
    .apply(scaled(padded, 'windows/negative', -1)) as SymbolicTensor;
  const full = scaled(negative, 'windows/full', -1);
  const others = withoutLastSteps(
    paddedSteps(scaled(real, 'windows/ones', 0, 1), `${name}/windows/shift`, [1, 0]),
    `${name}/windows/shifted`,
    1,
  );
  const first = scaled(others, 'windows/first', -1, 1);
  return layers.maximum({ name: `${name}/windows` }).apply([full, first]) as SymbolicTensor;
}
