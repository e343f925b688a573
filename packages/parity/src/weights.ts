import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { ModelRecipe } from './case.js';
import { tensorValues, type Recipe } from './recipe.js';
import type { TorchTensor } from './torch-tensors.js';

/**
 * Axes of PyTorch's tensor in the order in which TensorFlow.js has them: convolutions `[out, in, h, w]` are kept as
 * `[h, w, in, out]`, linear layers `[out, in]` as `[in, out]`.
 */
const axesOf = (rank: number): number[] =>
  rank === 4 ? [2, 3, 1, 0] : rank === 2 ? [1, 0] : rank === 1 ? [0] : [];

const inverse = (axes: readonly number[]): number[] => axes.map((_, axis) => axes.indexOf(axis));

/** Where the modules of a PyTorch model are in ours: the beginning of a tensor's name to that of a layer's. */
export type ModuleNames = Readonly<Record<string, string>>;

/** Name of the variable that holds a tensor: `audio_net.bn1.weight` is `audio/bn1/gamma`. */
function variableName({ name, shape }: TorchTensor, modules: ModuleNames): string {
  const [module, layer] = Object.entries(modules).find(([module]) => name.startsWith(`${module}.`)) ?? [
    '',
    '',
  ];
  const path = name.slice(module.length + 1).split('.');
  const leaf = path.pop() as string;
  const normalization = path.length > 0 && shape.length === 1;
  const names: Readonly<Record<string, string>> = {
    weight: normalization ? 'gamma' : 'kernel',
    bias: normalization ? 'beta' : 'bias',
    running_mean: 'moving_mean',
    running_var: 'moving_variance',
  };
  return [layer, ...path, names[leaf]].join('/');
}

/** Where a layer is applied to every frame, its wrapper's name is a part of the variable's. */
const FRAMES = '/frames/';

/** A model's variables by their PyTorch names, their values in PyTorch's layout. */
export class TorchWeights {
  readonly #recipe: ModelRecipe;
  readonly #variables: ReadonlyMap<string, LayerVariable>;
  /** By the variables' own names. */
  readonly #tensors: ReadonlyMap<string, TorchTensor>;

  /**
   * @param state Every variable, running statistics too, by its name.
   * @throws {Error} If tensors and variables do not correspond one to one.
   */
  constructor(recipe: ModelRecipe, state: ReadonlyMap<string, LayerVariable>, modules: ModuleNames) {
    this.#recipe = recipe;
    const variables = new Map([...state].map(([name, variable]) => [name.replace(FRAMES, '/'), variable]));
    this.#variables = new Map(
      recipe.tensors.map((tensor) => {
        const variable = variables.get(variableName(tensor, modules));
        if (!variable)
          throw new Error(`The model has no ${variableName(tensor, modules)} for ${tensor.name}.`);
        return [tensor.name, variable];
      }),
    );
    this.#tensors = new Map(
      recipe.tensors.map((tensor) => [this.#variable(tensor.name).originalName, tensor]),
    );
    if (new Set(this.#variables.values()).size !== state.size) {
      throw new Error(
        `The case has ${recipe.tensors.length} tensors for the ${state.size} variables of the model.`,
      );
    }
  }

  /** The values that the case gives to every tensor. */
  initialize(seed: number): void {
    const { prefix, tensors } = this.#recipe;
    tf.tidy(() => {
      for (const { name, shape, offset, scale } of tensors) {
        this.#variable(name).write(hashed({ seed, name: `${prefix}/${name}`, scale, offset }, shape));
      }
    });
  }

  /** Name of the variable in this process, as gradients have it. */
  variableOf(name: string): string {
    return (this.#variable(name).read() as tf.Variable).name;
  }

  /** The current values of a tensor. */
  values(name: string): Float32Array {
    return toTorch(this.#variable(name).read());
  }

  /**
   * The noise that a case adds to a gradient.
   *
   * @param variable The variable's name in `state`.
   */
  noise(
    variable: string,
    {
      seed,
      step,
      scale = 1,
    }: { readonly seed: number; readonly step: number; readonly scale?: number | undefined },
  ): tf.Tensor {
    const { name, shape } = this.#tensors.get(variable) as TorchTensor;
    return tf.tidy(() => hashed({ seed, name: `noise${step}/${name}`, scale }, shape));
  }

  #variable(name: string): LayerVariable {
    return this.#variables.get(name) as LayerVariable;
  }
}

/** A hashed tensor in our layout; inside of a tidy. */
export function hashed(recipe: Recipe, shape: readonly number[]): tf.Tensor {
  const size = shape.reduce((product, axis) => product * axis, 1);
  return tf.transpose(tf.tensor(tensorValues(recipe, size), [...shape]), axesOf(shape.length));
}

/** A weight's values, or those of its gradient, in PyTorch's order. */
export function toTorch(tensor: tf.Tensor): Float32Array {
  // Not in a tidy: it would look for tensors among millions of numbers.
  const transposed = tf.transpose(tensor, inverse(axesOf(tensor.rank)));
  const values = transposed.dataSync() as Float32Array;
  transposed.dispose();
  return values;
}
