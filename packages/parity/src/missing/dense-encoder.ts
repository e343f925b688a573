import { input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';

/** The encoder of vectors in GCNet's cases: dense layers with a ReLU between them, called `<name>/0` and so on. */
export function denseEncoder(name: string, width: number, units: readonly number[]): LayersModel {
  const vector = input({ shape: [width] });
  const outputs = units.reduce(
    (x, size, i) =>
      layers
        .dense({
          name: `${name}/${i}`,
          units: size,
          ...(i < units.length - 1 && { activation: 'relu' as const }),
        })
        .apply(x) as SymbolicTensor,
    vector,
  );
  return accelerate(model({ name, inputs: vector, outputs }));
}
