import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** No value of a network comes near it, and in float32 a value of the size of one that is added to it is lost. */
const NEVER_THE_LARGEST = 1e9;

/** `[B, T]` → `[B, T, 1]`. */
export const maskColumn = (real: SymbolicTensor, name: string): SymbolicTensor =>
  layers
    .reshape({ name: `${name}/column`, targetShape: [real.shape[1] ?? -1, 1] })
    .apply(real) as SymbolicTensor;

/**
 * `[B, T, D]` → `[B, D]`, the largest of T.
 *
 * @param real `[B, T, 1]`, 1 for steps that count and 0 for others; each sample needs one. Default: all count.
 */
export function maxOverTime(x: SymbolicTensor, name: string, real?: SymbolicTensor): SymbolicTensor {
  if (!real) return layers.globalMaxPooling1d({ name }).apply(x) as SymbolicTensor;
  const lowered = layers
    .rescaling({ name: `${name}/lowered`, scale: NEVER_THE_LARGEST, offset: -NEVER_THE_LARGEST })
    .apply(real) as SymbolicTensor;
  const counted = layers.add({ name: `${name}/counted` }).apply([x, lowered]);
  return layers.globalMaxPooling1d({ name }).apply(counted) as SymbolicTensor;
}
