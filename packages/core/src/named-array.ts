/** An array and its shape, in C order. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
