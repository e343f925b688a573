import * as tf from '@tensorflow/tfjs-core';

/** An attribute of a TensorFlow operation. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What tfjs-node's backend offers beside the standard interface: TensorFlow operations by name. */
interface TensorFlowBackend {
  readonly binding: Readonly<Record<string, number>>;
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

/** The TensorFlow backend. Call it only inside kernels of that backend. */
export const tensorflow = (): TensorFlowBackend => tf.backend() as unknown as TensorFlowBackend;

const constant = (name: string): number => tensorflow().binding[name] as number;

/** Attributes by their types, named as in TensorFlow's operation definitions. */
export const attribute = {
  float32Type: (name = 'T'): Attribute => ({
    name,
    type: constant('TF_ATTR_TYPE'),
    value: constant('TF_FLOAT'),
  }),
  string: (name: string, value: string): Attribute => ({ name, type: constant('TF_ATTR_STRING'), value }),
  float: (name: string, value: number): Attribute => ({ name, type: constant('TF_ATTR_FLOAT'), value }),
  integers: (name: string, value: readonly number[]): Attribute => ({
    name,
    type: constant('TF_ATTR_INT'),
    value,
  }),
  boolean: (name: string, value: boolean): Attribute => ({ name, type: constant('TF_ATTR_BOOL'), value }),
};
