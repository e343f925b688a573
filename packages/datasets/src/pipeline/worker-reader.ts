import type { MultimodalDataset } from '@g2d/core';
import type { BatchReader } from './batch-reader.js';
import {
  NO_ROWS_LEFT,
  rowCounter,
  SLOT_HEADER_BYTES,
  slotRow,
  type ReadRow,
  type SlotBlock,
} from './messages.js';
import type { Reading, ReadRequest } from './read-sample.js';
import { fromSent } from './sent-error.js';
import { hasFreeLength, unitLength } from './shapes.js';
import { WorkerPool } from './worker-pool.js';

/** How long a pass that is left waits for rows that are being read, in ms, before it ends the workers. */
const PATIENCE_MS = 5000;

/**
 * Reads in worker threads. Modalities of fixed shape are written straight into a batch of shared memory, the others are
 * transferred.
 *
 * @param options `batchSize`: most samples of a batch.
 */
export function workerReader<M extends string>(
  dataset: MultimodalDataset<M>,
  request: ReadRequest<M>,
  { workers, batchSize }: { readonly workers: number; readonly batchSize: number },
): BatchReader<M> {
  const { modalities } = request;
  const blocks: Partial<Record<M, SlotBlock>> = {};
  let numbers = 0;
  for (const modality of modalities) {
    const shape = dataset.shapes[modality];
    if (hasFreeLength(shape)) continue;
    const length = unitLength(shape);
    blocks[modality] = { offset: numbers, length };
    numbers += batchSize * length;
  }
  const bytes = SLOT_HEADER_BYTES + 4 * numbers;
  const pool = WorkerPool.acquire(dataset, workers);
  const inUse = new Set<SharedArrayBuffer>();
  const pending = new Set<Promise<unknown>>();

  const readingOf = (slot: SharedArrayBuffer, row: ReadRow): Reading<M> => {
    if (row.error) return { error: fromSent(row.error) };
    const { label, present, inputs } = row;
    const arrays = modalities.map((modality) => {
      const block = blocks[modality];
      return [modality, block ? slotRow(slot, block, row.row) : inputs[modality]];
    });
    return {
      sample: {
        label,
        inputs: Object.fromEntries(arrays) as Record<M, Float32Array>,
        ...(present && { present }),
      },
    };
  };

  return {
    async read(indices) {
      const slot = pool.takeSlot(bytes);
      inUse.add(slot);
      Atomics.store(rowCounter(slot), 0, 0);
      const running = pool.run({
        indices,
        ids: indices.map((index) => dataset.ids[index] as string),
        request,
        slot,
        blocks: blocks as Record<string, SlotBlock>,
      });
      pending.add(running);
      const rows = await running.finally(() => pending.delete(running));
      const readings: Reading<M>[] = [];
      for (const row of rows) readings[row.row] = readingOf(slot, row);
      return {
        readings,
        release() {
          inUse.delete(slot);
          pool.giveSlot(slot);
        },
      };
    },
    async close() {
      for (const slot of inUse) Atomics.store(rowCounter(slot), 0, NO_ROWS_LEFT);
      if (pending.size > 0) {
        let timer: NodeJS.Timeout | undefined;
        const patience = new Promise((resolve) => {
          timer = setTimeout(resolve, PATIENCE_MS);
        });
        await Promise.race([Promise.allSettled(pending), patience]);
        clearTimeout(timer);
      }
      for (const slot of inUse) pool.giveSlot(slot);
      await pool.release(dataset);
    },
  };
}
