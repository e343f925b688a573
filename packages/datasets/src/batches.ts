import {
  deriveSeed,
  OptionError,
  randomStream,
  UnknownModalityError,
  type RandomStream,
} from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { MultimodalDataset, Sample } from './dataset.js';

/**
 * What one training step sees. Whoever gets it disposes it: `tf.dispose(batch)` frees every tensor in it.
 *
 * A type, not an interface, and `ids` not readonly, since `tf.dispose` would not accept it otherwise.
 */
export type Batch<M extends string> = {
  /** One tensor per modality, float32 `[B, …shape]`, channels last. */
  readonly inputs: Readonly<Record<M, tf.Tensor>>;
  /** True class ids, int32 `[B]`. */
  readonly labels: tf.Tensor1D;
  /** The samples' stable ids, `[B]`. */
  readonly ids: string[];
};

/**
 * Changes one input at random, for training. It may change `input` in place and return it.
 *
 * @param input One sample of a modality, flat, of `shape`.
 * @param random Its own stream: the same (seed, epoch, modality, sample) always gets the same numbers.
 */
export type Augmentation = (
  input: Float32Array,
  shape: readonly number[],
  random: RandomStream,
) => Float32Array;

export interface BatchesOptions<M extends string> {
  readonly batchSize: number;
  /** The run's seed. Default 0. Order and augmentation use streams of their own, derived from it. */
  readonly seed?: number;
  /** From 1. Each epoch has another order and other augmentations. Default 1. */
  readonly epoch?: number;
  /** Draw the samples in random order. Default false: in the dataset's order. */
  readonly shuffle?: boolean;
  /** Leave out the last batch if it is not full. Default false. */
  readonly dropLast?: boolean;
  /** Modality → augmentation. Default: none. */
  readonly augment?: Partial<Readonly<Record<M, Augmentation>>>;
}

/**
 * One pass over a dataset in batches of tensors.
 *
 * A batch's tensors are made just before it is handed over, so that a loop left early leaves nothing behind but the
 * batch it holds. The order comes from the stream `order/epoch-N` of the seed, and each augmented sample from a stream
 * of its own, so neither depends on the method, the batch size or the other modalities.
 *
 * @throws {OptionError} If an option has an impossible value.
 * @example
 * for await (const batch of batches(train, { batchSize: 64, seed: 0, epoch: 1, shuffle: true })) {
 *   console.log(batch.ids.length);
 *   tf.dispose(batch);
 * }
 * @see G2D, App. A.4
 */
export async function* batches<M extends string>(
  dataset: MultimodalDataset<M>,
  options: BatchesOptions<M>,
): AsyncGenerator<Batch<M>, void, undefined> {
  const { batchSize, seed = 0, epoch = 1, shuffle = false, dropLast = false } = options;
  const augment: Partial<Readonly<Record<string, Augmentation>>> = options.augment ?? {};
  checkInteger('batchSize', batchSize, 1);
  checkInteger('epoch', epoch, 0);
  checkInteger('seed', seed, Number.MIN_SAFE_INTEGER);
  checkModalities(Object.keys(augment), dataset);

  const order = shuffle
    ? randomStream(deriveSeed(seed, `order/epoch-${epoch}`)).permutation(dataset.size)
    : Uint32Array.from({ length: dataset.size }, (_, i) => i);
  const last = dropLast ? dataset.size - (dataset.size % batchSize) : dataset.size;

  for (let start = 0; start < last; start += batchSize) {
    const indices = Array.from(order.subarray(start, Math.min(start + batchSize, last)));
    const samples = await Promise.all(indices.map((index) => dataset.sample(index)));
    const arrays = dataset.modalities.map((modality) =>
      stack(samples, modality, dataset.shapes[modality], augment[modality], (id) =>
        randomStream(deriveSeed(seed, `augmentation/epoch-${epoch}/${modality}/${id}`)),
      ),
    );
    // tidy: if one tensor cannot be made, the earlier ones do not stay behind.
    yield tf.tidy(() => ({
      inputs: Object.fromEntries(
        dataset.modalities.map((modality, i) => [
          modality,
          tf.tensor(arrays[i] as Float32Array, [samples.length, ...dataset.shapes[modality]]),
        ]),
      ) as Record<M, tf.Tensor>,
      labels: tf.tensor1d(
        Int32Array.from(samples, (sample) => sample.label),
        'int32',
      ),
      ids: samples.map((sample) => sample.id),
    }));
  }
}

function stack<M extends string>(
  samples: readonly Sample<M>[],
  modality: M,
  shape: readonly number[],
  augment: Augmentation | undefined,
  stream: (id: string) => RandomStream,
): Float32Array {
  const length = shape.reduce((product, axis) => product * axis, 1);
  const stacked = new Float32Array(samples.length * length);
  samples.forEach((sample, i) => {
    const input = sample.inputs[modality];
    const values = augment === undefined ? input : augment(input, shape, stream(sample.id));
    if (values.length !== length) {
      throw new OptionError(
        `The augmentation of "${modality}" made ${values.length} values of ${input.length}; it must keep the shape ` +
          `[${shape.join(', ')}].`,
        { option: 'augment', value: values.length, accepted: `${length} values` },
      );
    }
    stacked.set(values, i * length);
  });
  return stacked;
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
