import * as tf from '@tensorflow/tfjs-core';
import type { MultimodalModel } from '@g2d/fusion';
import type { NamedArray, Optimizer } from '@g2d/core';
import { readState, writeState } from './model-state.js';

/** Copies of everything that steps change: plain arrays, for files too. */
export interface Snapshot {
  /** Weights and running statistics, by the names of `model.state()`. */
  readonly model: Readonly<Record<string, NamedArray>>;
  /** State and learning rate of each optimizer, by its name. */
  readonly optimizers: Readonly<Record<string, OptimizerSnapshot>>;
}

interface OptimizerSnapshot {
  readonly learningRate: number;
  /** By `<variable>/<part>`, the variable as in `model.state()`. */
  readonly arrays: Readonly<Record<string, NamedArray>>;
}

/** Copies a model and its optimizers. */
export function takeSnapshot<M extends string>(
  model: MultimodalModel<M>,
  optimizers: ReadonlyMap<string, Optimizer>,
): Snapshot {
  const stable = model.stableNames();
  return {
    model: readState(model),
    optimizers: Object.fromEntries(
      Array.from(optimizers, ([name, optimizer]) => [
        name,
        { learningRate: optimizer.learningRate, arrays: readOptimizer(optimizer, stable) },
      ]),
    ),
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
  { learningRate, arrays }: OptimizerSnapshot,
  model: MultimodalModel<M>,
): void {
  const own = new Map(Array.from(model.stableNames(), ([name, stable]) => [stable, name]));
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
  model: MultimodalModel<M>,
  saved: Snapshot['model'],
  modality?: M,
): void {
  if (modality === undefined) return writeState(model, saved);
  const groups = model.groups();
  const now = readState(model);
  const own = Array.from(model.state(), ([stable, weight]) => {
    const group = groups.get((weight.read() as tf.Variable).name);
    // Running statistics are no trainable variables: they belong to the encoder whose prefix they have.
    const belongs = group ? group.modality === modality : stable.startsWith(`${modality}/`);
    return [stable, (belongs ? saved : now)[stable]] as const;
  });
  writeState(model, Object.fromEntries(own) as Snapshot['model']);
}

/** A variable's name may hold slashes; the part does not. */
function splitKey(key: string): readonly [variable: string, part: string] {
  const at = key.lastIndexOf('/');
  return [key.slice(0, at), key.slice(at + 1)];
}
