import * as tf from '@tensorflow/tfjs-core';
import type { Model, NamedArray, Optimizer, Snapshot } from '@g2d/core';
import { mapValues } from './map-values.js';
import { readState, writeState } from './model-state.js';

/** Copies a model and its optimizers. */
export function takeSnapshot<M extends string>(
  model: Model<M>,
  optimizers: Readonly<Record<string, Optimizer>>,
): Snapshot {
  const stable = new Map(model.parameters.map(({ variable, name }) => [variable.name, name]));
  return {
    model: readState(model),
    optimizers: mapValues(optimizers, (optimizer) => ({
      learningRate: optimizer.learningRate,
      arrays: readOptimizer(optimizer, stable),
    })),
  };
}

function readOptimizer(
  optimizer: Optimizer,
  stable: ReadonlyMap<string, string>,
): Record<string, NamedArray> {
  const state = optimizer.getState();
  const arrays = Object.entries<tf.Tensor>(state).map(([key, tensor]) => {
    const [variable, part] = splitKey(key);
    const values = Float32Array.from(tensor.dataSync());
    return [`${stable.get(variable) ?? variable}/${part}`, { shape: tensor.shape, values }] as const;
  });
  tf.dispose(state);
  return Object.fromEntries(arrays);
}

/** Puts an optimizer's part of a snapshot back. */
export function writeOptimizer<M extends string>(
  optimizer: Optimizer,
  { learningRate, arrays }: Snapshot['optimizers'][string],
  model: Model<M>,
): void {
  const own = new Map(model.parameters.map(({ variable, name }) => [name, variable.name]));
  tf.tidy(() => {
    optimizer.setState(
      Object.fromEntries(
        Object.entries(arrays).map(([key, { shape, values }]) => {
          const [variable, part] = splitKey(key);
          return [`${own.get(variable) ?? variable}/${part}`, tf.tensor(values, [...shape])];
        }),
      ),
    );
  });
  optimizer.learningRate = learningRate;
}

/** Puts the weights of one modality's encoder and head back, or of the whole model. */
export function writeWeights<M extends string>(
  model: Model<M>,
  saved: Snapshot['model'],
  modality?: M,
): void {
  if (modality === undefined) return writeState(model, saved);
  const owners = new Map(model.parameters.map(({ name, modality: owner }) => [name, owner]));
  const now = readState(model);
  const own = [...model.state().keys()].map((name) => {
    // Running statistics are no parameters: they belong to the encoder whose prefix they have.
    const belongs = owners.has(name) ? owners.get(name) === modality : name.startsWith(`${modality}/`);
    return [name, (belongs ? saved : now)[name]] as const;
  });
  writeState(model, Object.fromEntries(own) as Snapshot['model']);
}

/** A variable's name may hold slashes; the part does not. */
function splitKey(key: string): readonly [variable: string, part: string] {
  const at = key.lastIndexOf('/');
  return [key.slice(0, at), key.slice(at + 1)];
}
