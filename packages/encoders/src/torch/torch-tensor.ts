import type { ElementType, Fail } from '@g2d/formats';
import type { TorchType } from './torch-type.js';

/** A run of elements that tensors are views of; several tensors may share one. */
export interface TorchStorage {
  /** Of the elements, in the words of PyTorch. */
  readonly name: string;
  /** `undefined` for elements that cannot be read. */
  readonly type: ElementType | undefined;
  /** In elements. */
  readonly length: number;
  /** A float32 copy of the elements from `begin` to before `end`. */
  read(begin: number, end: number): Float32Array;
  /** The same bytes as elements of another type. */
  as(type: TorchType): TorchStorage;
}

/** A tensor whose values are not read: of a type, or in a layout, for which there is nothing here. */
export class UnreadableTensor {
  readonly shape: readonly number[];
  /** What it is, and what to do. */
  readonly problem: string;

  constructor(shape: readonly number[], problem: string) {
    this.shape = shape;
    this.problem = problem;
  }
}

/**
 * A tensor of a checkpoint: element (i, j, …) is element `offset + i·strides[0] + j·strides[1] + …` of its storage.
 *
 * Its values are not made before they are asked for: a few bytes can describe an expanded tensor of any size.
 */
export class TorchTensor {
  readonly shape: readonly number[];
  readonly #storage: TorchStorage;
  readonly #offset: number;
  readonly #strides: readonly number[];

  private constructor(
    storage: TorchStorage,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.shape = shape;
    this.#storage = storage;
    this.#offset = offset;
    this.#strides = strides;
  }

  /** A view of a storage, refused if it would reach outside. */
  static of(
    storage: TorchStorage,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
    fail: Fail,
  ): TorchTensor {
    if (shape.length !== strides.length) {
      throw fail(`damaged: a tensor has ${shape.length} sizes and ${strides.length} strides.`);
    }
    const tensor = new TorchTensor(storage, offset, shape, strides);
    const end = tensor.#end();
    // `!(… <= …)` also catches sums beyond what a number holds.
    if (!(end <= storage.length)) {
      throw fail(
        `damaged: a tensor of shape [${shape.join(', ')}], strides [${strides.join(', ')}] and offset ${offset} reads up to element ${end} of a storage that has ${storage.length}.`,
      );
    }
    return tensor;
  }

  get #size(): number {
    return this.shape.reduce((product, axis) => product * axis, 1);
  }

  /** One past the last element of the storage that is read. */
  #end(): number {
    if (this.#size === 0) return this.#offset;
    return this.shape.reduce(
      (last, size, axis) => last + (size - 1) * (this.#strides[axis] as number),
      this.#offset + 1,
    );
  }

  /** The values as float32 in C order, a fresh array. */
  values(): Float32Array {
    const size = this.#size;
    const read = this.#storage.read(this.#offset, this.#end());
    return this.#isContiguous() ? read : gather(read, size, this.shape, this.#strides);
  }

  #isContiguous(): boolean {
    let expected = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      const size = this.shape[axis] as number;
      if (size === 0) return true;
      if (size > 1 && this.#strides[axis] !== expected) return false;
      expected *= size;
    }
    return true;
  }
}

/** Walks a strided view in C order, like an odometer. */
function gather(
  read: Float32Array,
  size: number,
  shape: readonly number[],
  strides: readonly number[],
): Float32Array {
  const values = new Float32Array(size);
  const index = shape.map(() => 0);
  let from = 0;
  for (let i = 0; i < size; i++) {
    values[i] = read[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] as number;
      from += stride;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      from -= stride * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return values;
}
