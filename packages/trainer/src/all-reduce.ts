/**
 * How processes that train one model together add up what they found. The loop calls it at one place for gradients, and methods
 * for the sums behind their scores, in this order: reduce, then modulate, then step. So κ is equal everywhere.
 */
export interface AllReduce {
  /** How many processes; each trains on batches of its own. */
  readonly processes: number;
  /**
   * Puts the sum over all processes into `values`, element by element. Every process calls it equally often, with as many
   * values.
   */
  sum(values: Float32Array | Float64Array): void;
}

/** One process has everything already. */
export const SINGLE_PROCESS: AllReduce = { processes: 1, sum: () => {} };
