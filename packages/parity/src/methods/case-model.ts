import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  model,
  type LayerVariable,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { FileFormatError, perModality, type AnyFusion, type Fusion, type FusionOptions } from '@g2d/core';
import { fusions, MultimodalModel } from '@g2d/fusion';
import { tensorValues } from '../recipe.js';
import { hashed, toTorch } from '../weights.js';
import type { CaseLayer, CommonCase } from './method-case.js';

/** A tensor of a case and the variable that holds it. */
interface Held {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly scale: number;
  readonly variable: LayerVariable;
}

/** The model of a case with the case's weights. */
export interface CaseModel {
  readonly model: MultimodalModel<string>;
  readonly tensors: readonly Held[];
  dispose(): void;
}

/** Channels last. */
const sampleShape = ([, ...shape]: readonly number[]): number[] =>
  shape.length === 3 ? [shape[1] as number, shape[2] as number, shape[0] as number] : [...shape];

/** What is hashed, in our layout. */
export function caseInput({ seed, inputs }: CommonCase, tag: string, modality: string): tf.Tensor {
  const { shape, offset, scale } = inputs[modality] as CommonCase['inputs'][string];
  const size = shape.reduce((product, axis) => product * axis, 1);
  const values = tensorValues({ seed, name: `${tag}/${modality}`, scale, offset }, size);
  return tf.tidy(() => {
    const x = tf.tensor(values, [...shape]);
    return shape.length === 4 ? tf.transpose(x, [0, 2, 3, 1]) : x;
  });
}

/** One layer of a list, by the shape of its tensors. */
function applyLayer(
  x: SymbolicTensor,
  given: CaseLayer,
  shapeOf: (tensor: string) => readonly number[],
  name: string,
): SymbolicTensor {
  const out = (): number => shapeOf(`${'name' in given ? given.name : ''}.weight`)[0] as number;
  switch (given.layer) {
    case 'linear':
      return layers.dense({ name, units: out() }).apply(x) as SymbolicTensor;
    case 'conv': {
      const { kernel: kernelSize, stride: strides, padding } = given;
      const padded = padding > 0 ? layers.zeroPadding2d({ name: `${name}/pad`, padding }).apply(x) : x;
      return layers.conv2d({ name, filters: out(), kernelSize, strides }).apply(padded) as SymbolicTensor;
    }
    case 'batchnorm':
      return layers.batchNormalization({ name, momentum: 0.9, epsilon: 1e-5 }).apply(x) as SymbolicTensor;
    case 'relu':
      return layers.activation({ name, activation: 'relu' }).apply(x) as SymbolicTensor;
    case 'mean':
      return layers.globalAveragePooling2d({ name }).apply(x) as SymbolicTensor;
  }
}

/** The fusion that a case names: one of ours, by its definition. */
function fusionOf(
  given: CommonCase,
  options: FusionOptions<string>,
  shapeOf: (tensor: string) => readonly number[],
): Fusion<string> {
  const { type } = given.model.fusion;
  const known: readonly AnyFusion[] = fusions;
  const definition = known.find(({ name }) => name === type);
  if (!definition) {
    const names = known.map(({ name }) => name).join(', ');
    throw new FileFormatError(
      given.id,
      `\`model.fusion.type\` is "${type}", which the method does not bring; it can be ${names}.`,
    );
  }
  return definition.make(options, optionsOf[type]?.(shapeOf) ?? {});
}

/** What a fusion's options are in the official code of all these methods. */
const optionsOf: Readonly<
  Record<string, (shapeOf: (tensor: string) => readonly number[]) => Readonly<Record<string, unknown>>>
> = {
  sum: () => ({ unimodalBias: 'whole' }),
  gated: (shapeOf) => ({ hidden: shapeOf('fusion.out.weight')[1] }),
  'concat-mlp': (shapeOf) => ({ hidden: shapeOf('fusion.0.weight')[0] }),
};

/**
 * Builds the model of a case.
 *
 * @param fusion The method's own; default: the one that the case names.
 */
export function buildCaseModel(
  given: CommonCase,
  fusion?: (options: FusionOptions<string>) => Fusion<string>,
): CaseModel {
  const { id, seed, modalities, classes, inputs } = given;
  const { prefix, encoders: lists, tensors } = given.model;
  const rows = new Map(tensors.map(([name, shape, offset, scale]) => [name, { name, shape, offset, scale }]));
  const shapeOf = (name: string): readonly number[] => {
    const row = rows.get(name);
    if (row) return row.shape;
    throw new FileFormatError(id, `\`model.tensors\` has no ${name}, which a layer needs.`);
  };
  const held: Held[] = [];
  const hold = (names: readonly string[], variables: readonly LayerVariable[]): void =>
    names.forEach((name, i) => {
      const row = rows.get(name);
      const variable = variables[i];
      const size = (shape: readonly (number | null)[]): number =>
        shape.reduce<number>((product, axis) => product * (axis ?? 0), 1);
      if (!row || !variable || size(row.shape) !== size(variable.shape))
        throw new FileFormatError(
          id,
          `\`model.tensors\`: ${name} of the shape [${row?.shape.join(', ')}] has no place in this model.`,
        );
      held.push({ ...row, variable });
    });

  const encoders = perModality(modalities, (modality): LayersModel => {
    const { shape } = inputs[modality] as CommonCase['inputs'][string];
    const inputTensor = input({ shape: sampleShape(shape) });
    let x = inputTensor;
    const found: [string, string][] = [];
    (lists[modality] as readonly CaseLayer[]).forEach((layer, i) => {
      const name = `${modality}/${layer.layer}${i}`;
      x = applyLayer(x, layer, shapeOf, name);
      if ('name' in layer) found.push([layer.name, name]);
    });
    const encoder = model({ name: modality, inputs: inputTensor, outputs: x });
    for (const [torch, name] of found) {
      const leaves = namesOf(rows.keys(), torch);
      hold(leaves, encoder.getLayer(name).weights);
    }
    return accelerate(encoder);
  });

  const widths = perModality(modalities, (modality) => encoders[modality]?.outputs[0]?.shape[1] as number);
  const options = { widths, classes, seed: 0 };
  const built = fusion?.(options) ?? fusionOf(given, options, shapeOf);
  const caseModel = new MultimodalModel<string>({ encoders, fusion: built });

  // What is no encoder's goes into the fusion's layers: each group into the first of its shape that serves the modality it names.
  const free = [...built.layers];
  const groups = new Set([...rows.keys()].filter((name) => !name.startsWith('encoder.')).map(groupOf));
  for (const group of groups) {
    const names = namesOf(rows.keys(), group);
    const modality = modalities.find((each) => group.endsWith(`.${each}`));
    const at = free.findIndex(
      ({ layer, modality: of }) =>
        (modality === undefined || of === modality) &&
        layer.weights.length === names.length &&
        names.every((name, i) => sameShape(shapeOf(name), layer.weights[i]?.shape ?? [])),
    );
    if (at < 0)
      throw new FileFormatError(id, `\`model.tensors\`: ${names.join(', ')} have no place in this model.`);
    hold(names, (free.splice(at, 1)[0] as (typeof free)[number]).layer.weights);
  }
  const without = [...caseModel.state().keys()].length - held.length;
  if (without !== 0)
    throw new FileFormatError(
      id,
      `\`model.tensors\` has ${held.length} tensors, but the model ${held.length + without}.`,
    );

  tf.tidy(() => {
    for (const { name, shape, offset, scale, variable } of held)
      variable.write(
        tf.reshape(
          hashed({ seed, name: `${prefix}/${name}`, scale, offset }, shape),
          variable.shape as number[],
        ),
      );
  });
  return {
    model: caseModel,
    tensors: [...rows.keys()].map((name) => held.find((each) => each.name === name) as Held),
    dispose: () => {
      for (const modality of modalities) encoders[modality]?.dispose();
      for (const { layer } of built.layers) layer.dispose();
    },
  };
}

/** `fusion.audio` of `fusion.audio.weight`; a scalar is its own group. */
const groupOf = (name: string): string => name.replace(/\.(weight|bias|running_mean|running_var)$/, '');

const namesOf = (names: Iterable<string>, group: string): string[] =>
  [...names].filter((name) => groupOf(name) === group);

/** PyTorch's linear layers are `[out, in]`. */
const sameShape = (torch: readonly number[], own: readonly (number | null)[]): boolean =>
  // A number is a layer of one weight.
  (torch.length === 0 ? [1, 1] : torch.length === 2 ? [torch[1], torch[0]] : torch).join() === own.join();

/** The present values of a tensor, in PyTorch's order. */
export const valuesOf = ({ variable }: Held): Float32Array => toTorch(variable.read());
