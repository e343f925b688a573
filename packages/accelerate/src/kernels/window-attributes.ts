/** Stride and padding of a window, vertical and horizontal. */
export interface WindowAttributes {
  /** Step of the window. */
  readonly strides: readonly [number, number];
  /** Zeros added on both sides. */
  readonly padding: readonly [number, number];
}
