import type { MultimodalDataset } from '@g2d/core';
import type { BatchReader, Readings } from './batch-reader.js';
import { readSample, type ReadRequest } from './read-sample.js';

/** Reads in this thread: what a dataset waits for (files, decoding in libuv's threads) overlaps. */
export function threadReader<M extends string>(
  dataset: MultimodalDataset<M>,
  request: ReadRequest<M>,
): BatchReader<M> {
  const pending = new Set<Promise<Readings<M>>>();
  const readAll = async (indices: readonly number[]): Promise<Readings<M>> => ({
    readings: await Promise.all(indices.map((index) => readSample(dataset, index, request))),
    release() {},
  });
  return {
    async read(indices) {
      const reading = readAll(indices);
      pending.add(reading);
      try {
        return await reading;
      } finally {
        pending.delete(reading);
      }
    },
    async close() {
      await Promise.all(pending);
    },
  };
}
