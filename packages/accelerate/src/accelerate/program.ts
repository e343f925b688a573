import * as tf from '@tensorflow/tfjs-core';
import type { SymbolicTensor, Tensor } from '../layers-types.js';
import { boundary } from '../kernels/reshape.js';

/** One operation of a compiled model: values in by id, values out by id. */
export interface Step {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Whether the operations may be TensorFlow.js's own, whose gradients are not known to us. */
  readonly foreign: boolean;
  /** Tensors that the step keeps as long as the program lives. */
  readonly constants?: readonly Tensor[];
  /** Leaves the inputs alone; what it makes beside its outputs is its own to dispose. */
  run(values: Tensor[], training: boolean): Tensor[];
}

/** A model as a list of steps. */
export interface Program {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly steps: readonly Step[];
  /** How many steps read a value. */
  readonly uses: ReadonlyMap<number, number>;
  /** Tensors to dispose with the program. */
  readonly constants: readonly Tensor[];
}

const ids = (tensors: readonly SymbolicTensor[]): number[] => tensors.map(({ id }) => id);

/** Puts steps together for a model with these inputs and outputs. */
export function program(
  model: { readonly inputs: readonly SymbolicTensor[]; readonly outputs: readonly SymbolicTensor[] },
  steps: readonly Step[],
): Program {
  const uses = new Map<number, number>();
  for (const id of steps.flatMap(({ inputs }) => inputs)) uses.set(id, (uses.get(id) ?? 0) + 1);
  return {
    inputs: ids(model.inputs),
    outputs: ids(model.outputs),
    steps,
    uses,
    constants: steps.flatMap(({ constants = [] }) => constants),
  };
}

/**
 * Runs a program. Each value is disposed after its last reader; where a tape is recording, it holds handles of its own
 * for what the gradients need.
 *
 * @returns The outputs, in the model's order; they are the caller's, the inputs stay.
 */
export function runProgram(
  { inputs, outputs, steps, uses }: Program,
  given: readonly Tensor[],
  training: boolean,
  fast: boolean,
): Tensor[] {
  const values = new Map(inputs.map((id, i) => [id, given[i] as Tensor]));
  const left = new Map(uses);
  const permanent = new Set([...inputs, ...outputs]);
  // A gradient function that is not ours may give one tensor as the gradient of several values, and ours free what
  // they have used: between the two there is a handle for each value.
  for (const step of steps) {
    const operands = step.inputs.map((id) => values.get(id) as Tensor);
    const guards = step.foreign && fast ? operands.map(boundary) : operands;
    const results = step.run(guards, training);
    if (guards !== operands) tf.dispose(guards);
    step.outputs.forEach((id, i) => values.set(id, results[i] as Tensor));
    for (const id of step.inputs) {
      left.set(id, (left.get(id) as number) - 1);
      if (left.get(id) === 0 && !permanent.has(id)) (values.get(id) as Tensor).dispose();
    }
  }
  // Handles of their own: an output may be an input, which is the caller's.
  return outputs.map((id) => {
    const value = values.get(id) as Tensor;
    return fast ? boundary(value) : tf.clone(value);
  });
}
