import {
  OptionError,
  type AllReduce,
  type Batch,
  type Model,
  type NamedGradient,
  type Optimizer,
  type OptimizerSettings,
  type RandomStream,
  type Snapshot,
  type SplitFeatures,
  type Task,
  type Teachers,
  type Training,
} from '@g2d/core';
import type * as tf from '@tensorflow/tfjs-core';
import { createOptimizer, deriveSeed, randomStream, stepOptimizer } from '@g2d/tensor-ops';
import { chosenSamples, withoutWithheld } from './chosen-samples.js';
import type { CrossEntropyOf, LossOptions } from './loss-options.js';
import { PassCounter } from './pass-counts.js';
import { SINGLE_PROCESS, sumTensors } from './reduce.js';
import { restoreSnapshot, takeSnapshot } from './snapshot.js';
import { splitFeatures } from './split-features.js';

/** What a training is made from. */
export interface TrainingOptions<M extends string> {
  readonly model: Model<M>;
  readonly epochs: number;
  /** The training batches of an epoch, from batch `startBatch` on. */
  readonly batches: (epoch: number, startBatch: number) => AsyncIterable<Batch<M>>;
  /**
   * Every training sample once, in the dataset's order and without augmentation, for methods that look at all of them.
   *
   * @param ids Those that are wanted. What else comes is left out, but has cost the reading.
   */
  readonly everySample?:
    ((modalities: readonly M[], ids?: readonly string[]) => AsyncIterable<Batch<M>>) | undefined;
  /** Every sample of the validation split once, in the same way, for methods that look at the features of all of them. */
  readonly everyValidationSample?: ((modalities: readonly M[]) => AsyncIterable<Batch<M>>) | undefined;
  readonly batchesPerEpoch?: number | undefined;
  readonly teachers?: Teachers<M> | undefined;
  readonly task?: Task;
  readonly loss?: LossOptions | undefined;
  /** From which streams and dropout are derived. Default 0. */
  readonly seed?: number;
  /** Default: this process alone. */
  readonly allReduce?: AllReduce;
  /**
   * By what batch normalization normalizes where several processes share a batch: each by its own rows, or all by those of all, which costs three
   * small sums for each layer. The latter on the `tensorflow` backend, in accelerated models. Default `'local'`.
   */
  readonly batchNorm?: 'local' | 'synchronized' | undefined;
}

/** What the steps of a training share; the hooks of methods see it as `Training`. */
export class TrainingContext<M extends string> implements Training<M> {
  readonly model;
  readonly task;
  readonly output;
  readonly epochs;
  readonly batchesPerEpoch;
  readonly seed;
  readonly allReduce;
  /** Of processes whose batch normalization is synchronized. */
  readonly sharedStatistics: ((tensors: readonly tf.Tensor[]) => tf.Tensor[]) | undefined;
  /** Since the last step. */
  readonly passes = new PassCounter();
  readonly #options: TrainingOptions<M>;
  readonly #streams = new Map<string, RandomStream>();
  #optimizer: Optimizer;
  #settings: OptimizerSettings;
  /** Of parts of the model with learning rates of their own. */
  partFactors: Readonly<Record<string, number>> = {};
  /** Known before the first step. */
  crossEntropyOf: CrossEntropyOf = () => ({});
  /** Samples that no step trains on. */
  withheld: () => ReadonlySet<string> = () => new Set();

  constructor(options: TrainingOptions<M>, optimizer: OptimizerSettings) {
    const { model, epochs, batchesPerEpoch, task = 'classification', seed = 0 } = options;
    this.model = model;
    this.task = task;
    this.output = options.loss?.output ?? 'sigmoid';
    this.epochs = epochs;
    this.batchesPerEpoch = batchesPerEpoch;
    this.seed = seed;
    const allReduce = options.allReduce ?? SINGLE_PROCESS;
    this.allReduce = allReduce;
    const isShared = options.batchNorm === 'synchronized' && allReduce.rank !== undefined;
    this.sharedStatistics = isShared ? (tensors) => sumTensors(allReduce, tensors) : undefined;
    this.#options = options;
    this.#settings = optimizer;
    this.#optimizer = createOptimizer(model, optimizer);
  }

  get optimizer(): Optimizer {
    return this.#optimizer;
  }

  /** A new optimizer in place of the present one. */
  beginOptimizer(settings: OptimizerSettings): void {
    const before = this.#optimizer;
    this.#optimizer = createOptimizer(this.model, settings);
    this.#settings = settings;
    before.dispose();
  }

  /** One step of the optimizer: of clipped gradients, with the learning rates of the model's parts. */
  applyGradients(gradients: readonly NamedGradient[]): void {
    const { optimizer, partFactors: factors, model } = this;
    stepOptimizer(optimizer, gradients, { clipping: this.#settings.clipping, factors, model });
  }

  get teachers(): Teachers<M> {
    const { teachers } = this.#options;
    if (teachers) return teachers;
    throw new OptionError('A method asks for the teachers, but this run has none; pass `teachers`.', {
      option: 'teachers',
      value: undefined,
      accepted: 'frozenTeachers({ … })',
    });
  }

  random = (name: string): RandomStream => {
    const stream = this.#streams.get(name) ?? randomStream(deriveSeed(this.seed, name));
    this.#streams.set(name, stream);
    return stream;
  };

  readonly batches = (epoch: number, without: readonly string[] = []): AsyncIterable<Batch<M>> => {
    const withheld = new Set([...this.withheld(), ...without]);
    const all = this.#options.batches(epoch, 0);
    return this.#counted(withheld.size === 0 ? all : withoutWithheld(all, withheld), this.model.modalities);
  };

  readonly everySample = (modalities: readonly M[] = this.model.modalities): AsyncIterable<Batch<M>> =>
    this.#samples(modalities);

  readonly samples = (ids: readonly string[]): Promise<Batch<M>> => {
    const { modalities } = this.model;
    return chosenSamples(this.#samples(modalities, ids), ids, modalities);
  };

  /** Given by whoever makes steps, which are made of a training. */
  probe: Training<M>['probe'] = () => {
    throw new Error('`probe` is given before methods begin.');
  };

  #samples(modalities: readonly M[], ids?: readonly string[]): AsyncIterable<Batch<M>> {
    const { everySample } = this.#options;
    if (everySample) return this.#counted(everySample(modalities, ids), modalities);
    throw new OptionError('A method asks for every sample of the training split; pass `everySample`.', {
      option: 'everySample',
      value: undefined,
      accepted: 'a function that gives batches',
    });
  }

  readonly features = async (split: 'train' | 'validation'): Promise<Record<M, SplitFeatures>> => {
    const { everyValidationSample } = this.#options;
    if (split === 'train') return splitFeatures(this.model, this.everySample());
    if (everyValidationSample) {
      const { modalities } = this.model;
      return splitFeatures(this.model, this.#counted(everyValidationSample(modalities), modalities));
    }
    throw new OptionError(
      'A method asks for the features of the validation split; pass `everyValidationSample`.',
      {
        option: 'everyValidationSample',
        value: undefined,
        accepted: 'a function that gives batches',
      },
    );
  };

  /** Batches that a method reads beside the steps: it reads inputs to run encoders on them. */
  async *#counted(batches: AsyncIterable<Batch<M>>, modalities: readonly M[]): AsyncGenerator<Batch<M>> {
    for await (const batch of batches) {
      this.passes.add('forward', modalities);
      yield batch;
    }
  }

  readonly snapshot = (): Snapshot => takeSnapshot(this.model, this.optimizer);

  readonly restore = (snapshot: Snapshot, modality?: M): void =>
    restoreSnapshot(snapshot, this.model, this.optimizer, modality);

  /** Where every stream is that was asked for. */
  streams(): ReadonlyMap<string, RandomStream> {
    return this.#streams;
  }

  dispose(): void {
    this.#optimizer.dispose();
  }
}
