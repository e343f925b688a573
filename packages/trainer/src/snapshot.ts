import * as tf from '@tensorflow/tfjs-core';
import type { Model, NamedArray, Optimizer, Snapshot } from '@g2d/core';
import { readState, writeState } from './model-state.js';

/** Name of the training's optimizer in checkpoints. */
const MAIN = 'main';

/** Copies a model and its optimizer. */
export function takeSnapshot<M extends string>(model: Model<M>, optimizer: Optimizer): Snapshot {
  const stable = new Map(model.parameters.map(({ variable, name }) => [variable.name, name]));
  const state = optimizer.getState();
  const arrays = Object.entries<tf.Tensor>(state).map(([key, tensor]): [string, NamedArray] => [
    renamed(key, stable),
    { shape: tensor.shape, values: Float32Array.from(tensor.dataSync()) },
  ]);
  tf.dispose(state);
  const { learningRate } = optimizer;
  return {
    model: readState(model),
    optimizers: { [MAIN]: { learningRate, arrays: Object.fromEntries(arrays) } },
  };
}

/** Puts a copy back: all of it, or with a modality the weights of its encoder and head alone. */
export function restoreSnapshot<M extends string>(
  { model: saved, optimizers: { [MAIN]: state } }: Snapshot,
  model: Model<M>,
  optimizer: Optimizer,
  modality?: M,
): void {
  if (modality !== undefined) {
    const owners = new Map(model.parameters.map(({ name, modality: owner }) => [name, owner]));
    const own = Object.entries(saved).filter(([name]) =>
      // Running statistics are no parameters: they belong to the encoder whose prefix they have.
      owners.has(name) ? owners.get(name) === modality : name.startsWith(`${modality}/`),
    );
    return writeState(model, { ...readState(model), ...Object.fromEntries(own) });
  }
  writeState(model, saved);
  if (!state) return;
  const names = new Map(model.parameters.map(({ variable, name }) => [name, variable.name]));
  tf.tidy(() => {
    const tensors = Object.entries(state.arrays).map(([key, { shape, values }]): [string, tf.Tensor] => [
      renamed(key, names),
      tf.tensor(values, [...shape]),
    ]);
    optimizer.setState(Object.fromEntries(tensors));
  });
  optimizer.learningRate = state.learningRate;
}

/** `<variable>/<part>` with another name of the variable, which may hold slashes; the part does not. */
function renamed(key: string, names: ReadonlyMap<string, string>): string {
  const at = key.lastIndexOf('/');
  const variable = key.slice(0, at);
  return `${names.get(variable) ?? variable}/${key.slice(at + 1)}`;
}
