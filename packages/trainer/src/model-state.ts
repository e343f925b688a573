import * as tf from '@tensorflow/tfjs-core';
import { OptionError, ShapeError, type Model, type NamedArray } from '@g2d/core';

/** A copy of a model's weights and running statistics, by their stable names. */
export function readState<M extends string>(model: Model<M>): Record<string, NamedArray> {
  return Object.fromEntries(
    Array.from(model.state(), ([name, weight]) => {
      const tensor = weight.read();
      return [name, { shape: tensor.shape, values: Float32Array.from(tensor.dataSync()) }];
    }),
  );
}

/**
 * Puts a copy back.
 *
 * @throws {OptionError} If names are missing or left over.
 * @throws {ShapeError} If a shape differs. Nothing is changed in either case.
 */
export function writeState<M extends string>(
  model: Model<M>,
  state: Readonly<Record<string, NamedArray>>,
): void {
  const weights = model.state();
  const missing = [...weights.keys()].filter((name) => !Object.hasOwn(state, name));
  const unknown = Object.keys(state).filter((name) => !weights.has(name));
  if (missing.length + unknown.length > 0) {
    throw new OptionError(
      `The saved weights are of another model: missing ${missing.join(', ') || 'none'}; not in this model ${unknown.join(', ') || 'none'}.`,
      { option: 'state', value: Object.keys(state), accepted: [...weights.keys()].join(', ') },
    );
  }
  for (const [name, weight] of weights) {
    const { shape } = state[name] as NamedArray;
    const expected = weight.shape as number[];
    if (shape.join() !== expected.join()) {
      throw new ShapeError({ argument: name, expected: `[${expected.join(', ')}]`, actual: shape });
    }
  }
  tf.tidy(() => {
    for (const [name, weight] of weights) {
      const { shape, values } = state[name] as NamedArray;
      weight.write(tf.tensor(values, [...shape]));
    }
  });
}

/** Frees a model's weights and running statistics. The model cannot be used any more. */
export function disposeState<M extends string>(model: Model<M>): void {
  for (const weight of model.state().values()) weight.dispose();
}
