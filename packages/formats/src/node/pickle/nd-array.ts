import type { NumberArray } from '../numpy-elements.js';

/** A numpy array out of a pickle. */
export class NdArray {
  #type = 'f8';
  #shape: readonly number[] = [0];
  #values: NumberArray | readonly unknown[] = new Float64Array(0);

  /** Without the byte order: `f4`, `i8`, `S19`, or `O` for an array of Python objects. */
  get dtype(): string {
    return this.#type;
  }

  get shape(): readonly number[] {
    return this.#shape;
  }

  /**
   * In C order: numbers as a typed array (bool as 0 and 1, float16 as float32, 64-bit integers as doubles), texts as
   * strings, Python objects as they are. Not to be changed: arrays of one pickle may share memory.
   */
  get values(): NumberArray | readonly unknown[] {
    return this.#values;
  }

  /** Python makes an array first and fills it in afterwards. */
  fill(dtype: string, shape: readonly number[], values: NumberArray | readonly unknown[]): void {
    this.#type = dtype;
    this.#shape = shape;
    this.#values = values;
  }
}

/** Stands in for `numpy.dtype`. */
export class NumpyType {
  /** As numpy writes it, for example `f4`; the byte order comes later. */
  readonly name: string;
  order = '|';

  constructor(name: string) {
    this.name = name;
  }

  get descr(): string {
    return /^[<>|=]/.test(this.name) ? this.name : this.order + this.name;
  }

  get isObject(): boolean {
    return /^O\d*$/.test(this.name);
  }
}
