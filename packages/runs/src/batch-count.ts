import type { RunConfig } from './config-schema.js';

/** How many batches an epoch of so many samples has. */
export const batchCount = (size: number, { batchSize, data: { dropLast } }: RunConfig): number =>
  dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize);
