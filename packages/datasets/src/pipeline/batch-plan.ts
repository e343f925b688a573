import { deriveSeed, randomStream } from '@g2d/tensor-ops';

/** Which samples make which batch. */
interface BatchPlanOptions {
  readonly batchSize: number;
  readonly seed: number;
  readonly epoch: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  /** How many batches at the beginning are left out. */
  readonly startBatch: number;
}

/** The samples of each batch of a pass, by index. The order comes from the stream `order/epoch-N` of the seed. */
export function batchPlan(
  size: number,
  { batchSize, seed, epoch, shuffle, dropLast, startBatch }: BatchPlanOptions,
): readonly (readonly number[])[] {
  const order = shuffle
    ? randomStream(deriveSeed(seed, `order/epoch-${epoch}`)).permutation(size)
    : Uint32Array.from({ length: size }, (_, i) => i);
  const last = dropLast ? size - (size % batchSize) : size;
  const plan: number[][] = [];
  for (let start = startBatch * batchSize; start < last; start += batchSize) {
    plan.push(Array.from(order.subarray(start, Math.min(start + batchSize, last))));
  }
  return plan;
}
