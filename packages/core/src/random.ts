/**
 * A seeded stream of random numbers: the same on every machine, backend and version. `randomStream` of `@g2d/tensor-ops` makes one.
 */
export interface RandomStream {
  /** Uniform in [0, 1), 32 bits of resolution. */
  uniform(): number;
  /** Uniform integer in [0, `bound`). */
  integer(bound: number): number;
  /** Standard normal. */
  normal(): number;
  /** A random permutation of 0 … `length` − 1. */
  permutation(length: number): Uint32Array;
  /** Where the stream is: what to save so that a resumed run draws the numbers that would have followed. */
  getState(): RandomState;
  /**
   * Goes on from a saved place.
   *
   * @throws {OptionError} If it is not one.
   */
  setState(state: RandomState): void;
}

/** Four words of 32 bits, not all 0. Plain numbers, for JSON. */
export type RandomState = readonly [number, number, number, number];
