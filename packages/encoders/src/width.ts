import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { z } from 'zod';

/** The option of encoders whose features can be made as wide as those of another. */
export const widthOption = z
  .number()
  .int()
  .min(1)
  .optional()
  .describe(
    'a linear layer takes the features to this width, for methods whose modalities share a head; default: none',
  );

/** Features as they are, or from a linear layer `<name>/width` behind them. */
export const withWidth = (
  features: SymbolicTensor,
  { name, width }: { readonly name: string; readonly width?: number | undefined },
): SymbolicTensor =>
  width === undefined
    ? features
    : (layers.dense({ name: `${name}/width`, units: width }).apply(features) as SymbolicTensor);
