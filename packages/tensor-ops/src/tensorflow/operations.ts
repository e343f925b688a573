import * as tf from '@tensorflow/tfjs-core';

/** An attribute of a TensorFlow operation. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What tfjs-node's backend offers beside the standard interface: TensorFlow operations by name. */
export interface TensorFlowBackend {
  readonly binding: {
    executeOp(
      operation: string,
      attributes: readonly Attribute[],
      inputs: readonly number[],
      outputs: number,
    ): { readonly id: number; readonly shape: number[]; readonly dtype: number }[];
    createTensor(shape: readonly number[], dtype: number, values: Float32Array): number;
    deleteTensor(id: number): void;
  } & Readonly<Record<string, unknown>>;
  readonly isUsingGpuDevice: boolean;
  readonly tensorMap: {
    get(dataId: object): { id: number; values: unknown };
    set(
      dataId: object,
      data: { id: number; shape: readonly number[]; dtype: number; values: null; refCount: number },
    ): void;
  };
  getInputTensorIds(inputs: readonly tf.Tensor[]): number[];
  refCount(dataId: object): number;
  executeSingleOutput(
    operation: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.Tensor[],
  ): tf.Tensor;
  executeMultipleOutputs(
    operation: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
}

/** Name of the backend that tfjs-node registers. */
export const TENSORFLOW = 'tensorflow';

/** The TensorFlow backend, whether it is the one in use or not. Call it only where it has been in use. */
export const tensorflow = (): TensorFlowBackend => tf.findBackend(TENSORFLOW) as unknown as TensorFlowBackend;

const constant = (name: string): number => tensorflow().binding[name] as number;

/** Attributes by their types, named as in TensorFlow's operation definitions. */
export const attribute = {
  float32Type: (name = 'T'): Attribute => ({
    name,
    type: constant('TF_ATTR_TYPE'),
    value: constant('TF_FLOAT'),
  }),
  int32Type: (name: string): Attribute => ({
    name,
    type: constant('TF_ATTR_TYPE'),
    value: constant('TF_INT32'),
  }),
  type: (name: string, value: number): Attribute => ({ name, type: constant('TF_ATTR_TYPE'), value }),
  string: (name: string, value: string): Attribute => ({ name, type: constant('TF_ATTR_STRING'), value }),
  float: (name: string, value: number): Attribute => ({ name, type: constant('TF_ATTR_FLOAT'), value }),
  integer: (name: string, value: number): Attribute => ({ name, type: constant('TF_ATTR_INT'), value }),
  integers: (name: string, value: readonly number[]): Attribute => ({
    name,
    type: constant('TF_ATTR_INT'),
    value,
  }),
  shape: (name: string, value: readonly number[]): Attribute => ({
    name,
    type: constant('TF_ATTR_SHAPE'),
    value,
  }),
  boolean: (name: string, value: boolean): Attribute => ({ name, type: constant('TF_ATTR_BOOL'), value }),
};

/** Runs one TensorFlow operation with one output. */
export const execute = (
  operation: string,
  attributes: readonly Attribute[],
  inputs: readonly tf.Tensor[],
): tf.Tensor => tensorflow().executeSingleOutput(operation, attributes, inputs);

/** Selects a kernel that TensorFlow registers for its graph rewriter only; in eager mode it has to be asked for. */
export const oneDnnLabel = (): Attribute => attribute.string('_kernel', 'MklNameChangeOp');

const tried = new Map<string, boolean>();

/**
 * Whether an operation runs that is not part of TensorFlow's public interface: one of the hidden oneDNN operations, in
 * x86-64 builds unless switched off, or one of ours that `@g2d/native` brings. Each is tried once on a few numbers before it
 * is used, and on the CPU only.
 */
export function hasOperation(operation: string, attempt: () => unknown): boolean {
  let works = tried.get(operation);
  if (works === undefined) {
    works = !tensorflow().isUsingGpuDevice && succeeds(attempt);
    tried.set(operation, works);
  }
  return works;
}

function succeeds(attempt: () => unknown): boolean {
  const { engine } = tf;
  engine().startScope('attempt');
  try {
    attempt();
    return true;
  } catch {
    return false;
  } finally {
    engine().endScope();
  }
}
