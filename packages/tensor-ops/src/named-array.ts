/** A named array: float32 values in C order and their shape. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
