import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import type { MultimodalModel } from '@g2d/fusion';
import { TORCH, type Layout, type Place } from './held-tensors.js';
import type { HashedModel } from './missing-case.js';

const TABLE = 'meteorological_feature_extractor';

/** The image network of a case: flatten, linear, ReLU. */
export function misMeImage(shape: readonly number[], units: number): LayersModel {
  const pixels = input({ shape: [...shape] });
  const flat = layers.flatten({ name: 'image/flat' }).apply(pixels);
  const outputs = layers.dense({ name: 'image/1', units, activation: 'relu' }).apply(flat) as SymbolicTensor;
  return accelerate(model({ name: 'image', inputs: pixels, outputs }));
}

/** The table network: linear, batch normalization and ReLU by turns, numbered as in the sequence of the case; dropout is off. */
export function misMeTable(columns: number, { tensors }: HashedModel): LayersModel {
  const row = input({ shape: [columns] });
  const modules = tensors.filter(([name]) => name.startsWith(`${TABLE}.`) && name.endsWith('.weight'));
  let x: SymbolicTensor = row;
  for (const [name, shape] of modules) {
    const path = `table/${name.split('.')[1]}`;
    if (shape.length === 2) {
      x = layers.dense({ name: path, units: shape[0] as number }).apply(x) as SymbolicTensor;
      continue;
    }
    const normal = layers.batchNormalization({ name: path, momentum: 0.9, epsilon: 1e-5 }).apply(x);
    x = layers.activation({ name: `${path}/relu`, activation: 'relu' }).apply(normal) as SymbolicTensor;
  }
  return accelerate(model({ name: 'table', inputs: row, outputs: x }));
}

/** A number, which ours has as `[1, 1]`. */
const SCALAR: Layout = { toOurs: (x) => tf.reshape(x, [1, 1]), toCase: (x) => tf.reshape(x, []) };

const NETWORKS: Readonly<Record<string, string>> = {
  'image_extractor.body': 'image/',
  [TABLE]: 'table/',
  concat_batch_norm: 'fusion/norm',
  combined_predictor: 'fusion/',
  meteo_predictor: 'head/table',
  image_predictor: 'head/image/',
};

const NORMALIZATION: Readonly<Record<string, string>> = {
  weight: 'gamma',
  bias: 'beta',
  running_mean: 'moving_mean',
  running_var: 'moving_variance',
};

/** Where a tensor of a MIS-ME case is in a model of ours. */
export function misMePlaces(
  built: Pick<MultimodalModel<string>, 'state'>,
  { tensors }: HashedModel,
): (name: string) => Place | undefined {
  const shapes = new Map(tensors.map(([name, shape]) => [name, shape]));
  const weights = built.state();
  const found = (path: string, layout: Layout): Place | undefined => {
    const weight = weights.get(path);
    return weight && { weight, layout };
  };
  return (name) => {
    if (name === 'beta') return found('head/image/scalar/kernel', SCALAR);
    if (name === 'alpha')
      return found('head/table/scalar/kernel', SCALAR) ?? found('fusion/scalar/kernel', SCALAR);
    const [, network, index, leaf] = /^(.+?)\.(?:(\d+)\.)?(\w+)$/.exec(name) as unknown as string[];
    const own = `${NETWORKS[network as string]}${index ?? ''}`;
    const kernel = shapes.get(name.replace(/\w+$/, 'weight'));
    const part = kernel?.length === 1 ? NORMALIZATION[leaf as string] : leaf === 'weight' ? 'kernel' : leaf;
    return found(`${own}/${part}`, TORCH);
  };
}
