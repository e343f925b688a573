import { G2DError, OptionError, UnknownModalityError, shown, checkKeys } from '@g2d/core';
import { randomStream, deriveSeed } from '@g2d/tensor-ops';
import type { Augmentation } from './augmentation.js';
import type { Batch } from './batch.js';
import type { MultimodalDataset } from '@g2d/core';
import { augmentationStream } from './pipeline/augmentation-stream.js';
import { batchPlan } from './pipeline/batch-plan.js';
import type { BatchReader, Readings } from './pipeline/batch-reader.js';
import type { ReadRequest } from './pipeline/read-sample.js';
import { threadReader } from './pipeline/thread-reader.js';
import { toTensors, type IdentifiedSample } from './pipeline/to-tensors.js';

/** A sample that was left out because it could not be read. */
export interface DroppedSample {
  readonly id: string;
  readonly error: unknown;
}

/** Settings of `batches`. */
export interface BatchesOptions<M extends string, K extends M = M> {
  readonly batchSize: number;
  /** The run's seed. Default 0. Order and augmentation use streams of their own, derived from it. */
  readonly seed?: number;
  /** From 1. Each epoch has another order and other augmentations. Default 1. */
  readonly epoch?: number;
  /** Draw the samples in random order. Default false: in the dataset's order. */
  readonly shuffle?: boolean;
  /** Leave out the last batch if it is not full. Default false. */
  readonly dropLast?: boolean;
  /** Skip so many batches without reading them; the others stay as they are. Default 0. */
  readonly startBatch?: number;
  /** Only every `of`-th batch of the epoch, from batch `index` on; the others are not read. Default: all. */
  readonly turns?: { readonly index: number; readonly of: number };
  /**
   * Only one of `of` equal parts of each batch, part `index`, for processes that share it; the others are not read. Whole all the same are
   * batches that cannot be divided so, or into parts of `least` samples (default 1); those of samples that can lack one of the modalities, since which do is
   * known once they are read; and those with an axis that is as long as their longest sample. Default: all.
   */
  readonly part?: { readonly index: number; readonly of: number; readonly least?: number };
  /** The modalities to read. Default: all. */
  readonly modalities?: readonly K[];
  /** `'train'`: with the augmentation that the dataset itself brings, if it brings one. Default `'test'`: without. */
  readonly transform?: 'train' | 'test';
  /** Modality → augmentation of your own, on the finished input, in this thread. Default: none. */
  readonly augment?: Partial<Readonly<Record<NoInfer<K>, Augmentation>>>;
  /** Threads that read and decode, beside this one. Default 0: in this thread. The dataset needs a `source`. */
  readonly workers?: number;
  /** How many batches are read ahead while you work with one; each takes memory. Default: 2 with workers, 0 without. */
  readonly prefetch?: number;
  /**
   * What happens when a sample cannot be read: `'fail'` (default) throws, `'skip'` makes its batch smaller, `{ retry: n }`
   * tries n times more, after 50, 100, 200 … ms, then throws.
   */
  readonly onError?: 'fail' | 'skip' | { readonly retry: number };
  /** Told of every sample that `'skip'` leaves out, just before its batch. Default: a warning of the process. */
  readonly onDrop?: (dropped: DroppedSample) => void;
}

/** Starts the threads of a pass that reads with workers. */
export type StartWorkers = <K extends string>(
  dataset: MultimodalDataset<K>,
  request: ReadRequest<K>,
  options: { readonly workers: number; readonly batchSize: number },
) => BatchReader<K>;

/** `batches`, with whatever reads in other threads. */
export async function* passOver<M extends string, K extends M = M>(
  dataset: MultimodalDataset<M>,
  startWorkers: StartWorkers,
  options: BatchesOptions<M, K>,
): AsyncGenerator<Batch<K>, void, undefined> {
  checkKeys(
    options,
    {
      batchSize: true,
      seed: true,
      epoch: true,
      shuffle: true,
      dropLast: true,
      startBatch: true,
      turns: true,
      part: true,
      modalities: true,
      transform: true,
      augment: true,
      workers: true,
      prefetch: true,
      onError: true,
      onDrop: true,
    },
    'batches',
  );
  const { batchSize, seed = 0, epoch = 1, shuffle = false, dropLast = false, startBatch = 0 } = options;
  const { transform = 'test', workers = 0, prefetch = workers > 0 ? 2 : 0 } = options;
  const { onError = 'fail', onDrop = warnOfDrop, turns = { index: 0, of: 1 }, part } = options;
  checkInteger('batchSize', batchSize, 1);
  checkInteger('epoch', epoch, 0);
  checkInteger('seed', seed, Number.MIN_SAFE_INTEGER);
  checkInteger('startBatch', startBatch, 0);
  checkInteger('turns.of', turns.of, 1);
  checkInteger('turns.index', turns.index, 0);
  if (part) {
    checkInteger('part.of', part.of, 1);
    checkInteger('part.index', part.index, 0);
    checkInteger('part.least', part.least ?? 1, 1);
  }
  checkInteger('workers', workers, 0);
  checkInteger('prefetch', prefetch, 0);
  const retries = retriesOf(onError);
  checkTransform(transform);
  const modalities = [...new Set<M | K>(options.modalities ?? dataset.modalities)] as K[];
  const augment: Partial<Readonly<Record<string, Augmentation>>> = options.augment ?? {};
  checkModalities([...modalities, ...Object.keys(augment)], dataset);

  // The dataset seen through the modalities that are read.
  const read = dataset as unknown as MultimodalDataset<K>;
  const augmented = transform === 'train' ? (dataset.augmented ?? []) : [];
  const request: ReadRequest<K> = {
    modalities,
    augmentation: augmented.length > 0 ? { seed, epoch } : undefined,
    retries,
  };
  // After the dataset's own augmentation, which has used the stream of that name, another one.
  const stream = (modality: K, id: string) =>
    (augmented as readonly string[]).includes(modality)
      ? randomStream(deriveSeed(seed, `augmentation/epoch-${epoch}/${modality}/${id}/augment`))
      : augmentationStream({ seed, epoch }, modality, id);

  // A sample that is left out in one process would be missing in its part alone.
  const shared = onError !== 'skip' && isShareable(read, modalities) ? part : undefined;
  const plan = batchPlan(dataset.size, { batchSize, seed, epoch, shuffle, dropLast, startBatch })
    .map((indices, i) => ({ place: startBatch + i, ...partOf(indices, shared) }))
    .filter(({ place }) => place % turns.of === turns.index);
  if (plan.length === 0) return;
  const reader =
    workers > 0 ? startWorkers(read, request, { workers, batchSize }) : threadReader(read, request);
  const pending: Promise<Readings<K>>[] = [];
  let asked = 0;
  const askUpTo = (depth: number): void => {
    for (; pending.length < depth && asked < plan.length; asked++) {
      const reading = reader.read((plan[asked] as (typeof plan)[number]).indices);
      // Looked at in its turn, or not at all if the loop is left.
      reading.catch(() => {});
      pending.push(reading);
    }
  };
  try {
    for (const { indices, place, own } of plan) {
      askUpTo(Math.max(1, prefetch));
      const { readings, release } = await (pending.shift() as Promise<Readings<K>>);
      const samples: IdentifiedSample<K>[] = [];
      readings.forEach((reading, row) => {
        const index = indices[row] as number;
        const id = dataset.ids[index] as string;
        if (reading.sample) samples.push({ id, ...reading.sample });
        else if (onError === 'skip') onDrop({ id, error: reading.error });
        else throw sampleError(dataset, id, index, reading.error);
      });
      const batch =
        samples.length > 0 ? toTensors(read, samples, { modalities, augment, stream }) : undefined;
      release();
      askUpTo(prefetch);
      if (batch) yield { ...batch, index: place, ...(own && { part: own }) };
    }
  } finally {
    await reader.close();
  }
}

/** Whether what a step makes of samples does not depend on who else is read. */
const isShareable = <K extends string>(
  { incomplete = [], shapes }: MultimodalDataset<K>,
  modalities: readonly K[],
): boolean =>
  modalities.every((modality) => !incomplete.includes(modality) && !shapes[modality].includes(null));

/** The samples of a batch that are read, and which part of it they are, if they are not all. */
function partOf(
  indices: readonly number[],
  part: BatchesOptions<string>['part'],
): { readonly indices: readonly number[]; readonly own?: Batch<string>['part'] } {
  if (!part) return { indices };
  const { index, of, least = 1 } = part;
  const size = indices.length / of;
  if (of === 1 || !Number.isInteger(size) || size < least) return { indices };
  return { indices: indices.slice(index * size, (index + 1) * size), own: { index, of } };
}

function sampleError(
  { name, split }: MultimodalDataset<string>,
  id: string,
  index: number,
  cause: unknown,
): G2DError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new G2DError(
    'G2D_SAMPLE',
    `Sample "${id}" of ${name} (${split}) could not be read: ${reason}${/[.!?]$/.test(reason) ? '' : '.'} ` +
      "`onError: 'skip'` leaves such samples out.",
    { id, index, dataset: name, split },
    { cause },
  );
}

function warnOfDrop({ id, error }: DroppedSample): void {
  const warning = `Sample "${id}" is left out: ${error instanceof Error ? error.message : String(error)}`;
  const { process } = globalThis as { readonly process?: Partial<NodeJS.Process> };
  if (process?.emitWarning) process.emitWarning(warning, { code: 'G2D_SAMPLE' });
  else console.warn(warning);
}

function retriesOf(onError: NonNullable<BatchesOptions<string>['onError']>): number {
  if (onError === 'fail' || onError === 'skip') return 0;
  if (typeof onError !== 'object' || onError === null) {
    throw new OptionError(`\`onError\` is ${shown(onError)}; it must be 'fail', 'skip' or { retry: n }.`, {
      option: 'onError',
      value: onError,
      accepted: "'fail', 'skip', { retry: n }",
    });
  }
  checkInteger('onError.retry', onError.retry, 1);
  return onError.retry;
}

function checkTransform(transform: string): void {
  if (transform === 'train' || transform === 'test') return;
  throw new OptionError(`\`transform\` is ${shown(transform)}; it must be 'train' or 'test'.`, {
    option: 'transform',
    value: transform,
    accepted: "'train', 'test'",
  });
}

function checkInteger(option: string, value: number, least: number): void {
  if (!(Number.isSafeInteger(value) && value >= least)) {
    throw new OptionError(`\`${option}\` is ${value}; it must be a whole number of at least ${least}.`, {
      option,
      value,
      accepted: `an integer ≥ ${least}`,
    });
  }
}

function checkModalities(names: readonly string[], dataset: MultimodalDataset<string>): void {
  for (const modality of names) {
    if (!dataset.modalities.includes(modality)) {
      throw new UnknownModalityError({
        modality,
        known: dataset.modalities,
        where: `Dataset ${dataset.name}`,
      });
    }
  }
}
