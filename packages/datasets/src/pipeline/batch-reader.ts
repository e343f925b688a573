import type { Reading } from './read-sample.js';

/** Where samples are read: in this thread or in workers. */
export interface BatchReader<M extends string> {
  /** Reads samples all at once; in their order. Rejects only if nothing more can be read. */
  read(indices: readonly number[]): Promise<Readings<M>>;
  /** Gives up what has been asked for, waits until nothing is being read any more, and frees what the reader holds. */
  close(): Promise<void>;
}

/** Samples in memory that the reader needs back. */
export interface Readings<M extends string> {
  readonly readings: readonly Reading<M>[];
  /** The arrays of the samples are used for others from now on. */
  release(): void;
}
