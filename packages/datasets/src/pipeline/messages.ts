import type { DatasetSource, Label, Sample } from '@g2d/core';
import type { ReadRequest } from './read-sample.js';
import type { SentError } from './sent-error.js';

/** What a worker knows from its start. */
export interface WorkerData {
  readonly g2dDatasetWorker: true;
  readonly source: DatasetSource;
}

/** Where the rows of a modality of fixed shape lie in a slot: row i starts at `offset + i · length`, in numbers. */
export interface SlotBlock {
  readonly offset: number;
  readonly length: number;
}

/** One batch to read. All workers of a pool get it, and each takes the next row until none is left. */
export interface ReadTask {
  readonly id: number;
  readonly indices: readonly number[];
  /** Their ids, to see that the worker's dataset is the same. */
  readonly ids: readonly string[];
  readonly request: ReadRequest<string>;
  /** Shared memory: a counter of the rows taken, then the blocks. */
  readonly slot: SharedArrayBuffer;
  /** Modalities of fixed shape; the others come with the answer. */
  readonly blocks: Readonly<Record<string, SlotBlock>>;
}

/** A row that one worker read. */
export type ReadRow =
  | {
      readonly row: number;
      readonly label: Label;
      readonly present: Sample<string>['present'] | undefined;
      /** The modalities of free length. */
      readonly inputs: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
      readonly error?: undefined;
    }
  | { readonly row: number; readonly error: SentError };

/** A worker's part of a batch, or why it cannot read at all. */
export type WorkerAnswer =
  | { readonly id: number; readonly rows: readonly ReadRow[]; readonly fatal?: undefined }
  | { readonly id: number; readonly fatal: SentError };

/** Bytes before the first block: the counter, with room so that nothing shares its cache line. */
export const SLOT_HEADER_BYTES = 64;

/** A counter of this value has no rows left, whatever the batch. */
export const NO_ROWS_LEFT = 2 ** 30;

export const rowCounter = (slot: SharedArrayBuffer): Int32Array => new Int32Array(slot, 0, 1);

export const slotRow = (slot: SharedArrayBuffer, { offset, length }: SlotBlock, row: number): Float32Array =>
  new Float32Array(slot, SLOT_HEADER_BYTES + 4 * (offset + row * length), length);
