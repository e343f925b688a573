import { attribute, type Attribute, type TensorFlowBackend } from '../tensorflow/operations.js';

// TensorFlow's name for variables that have none (`ResourceHandle::ANONYMOUS_NAME`), so that two copies of this package
// in one process cannot meet in one name.
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/** A float32 variable of TensorFlow's own. Tensors are given and taken by TensorFlow's numbers for them. */
export class ResourceVariable {
  readonly handle: number;
  readonly #backend: TensorFlowBackend;
  readonly #type = attribute.float32Type('dtype');

  constructor(backend: TensorFlowBackend, shape: readonly number[]) {
    this.#backend = backend;
    const name = [attribute.string('container', ''), attribute.string('shared_name', ANONYMOUS)];
    this.handle = this.#execute('VarHandleOp', [...name, this.#type, attribute.shape('shape', shape)], []);
  }

  /** Takes the value of a tensor, and shares its buffer until one of the two changes. */
  assign(tensor: number): void {
    this.run('AssignVariableOp', [this.#type, attribute.boolean('validate_shape', false)], [tensor]);
  }

  /** Zeros, in the shape of a tensor. */
  assignZeros(like: number): void {
    const zeros = this.#execute('ZerosLike', [attribute.float32Type()], [like]);
    this.assign(zeros);
    this.#backend.binding.deleteTensor(zeros);
  }

  /** A tensor that shares the buffer; delete it. */
  read(): number {
    return this.#execute('ReadVariableOp', [this.#type], [this.handle]);
  }

  /** An operation without a result whose first input is this variable. */
  run(operation: string, attributes: readonly Attribute[], inputs: readonly number[]): void {
    this.#backend.binding.executeOp(operation, attributes, [this.handle, ...inputs], 0);
  }

  dispose(): void {
    // Newer TensorFlow frees the value together with the last handle, older needs to be told.
    this.run('DestroyResourceOp', [attribute.boolean('ignore_lookup_error', true)], []);
    this.#backend.binding.deleteTensor(this.handle);
  }

  #execute(operation: string, attributes: readonly Attribute[], inputs: readonly number[]): number {
    const [output] = this.#backend.binding.executeOp(operation, attributes, inputs, 1);
    return (output as { readonly id: number }).id;
  }
}
