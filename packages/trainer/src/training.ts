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
  type Task,
  type Teachers,
  type Training,
} from '@g2d/core';
import {
  clipGradientNorm,
  clipGradientValue,
  createOptimizer,
  deriveSeed,
  randomStream,
  type CrossEntropyOptions,
} from '@g2d/tensor-ops';
import type { LossOptions } from './loss-options.js';
import { assertParts, partsOf } from './parts.js';
import { SINGLE_PROCESS } from './reduce.js';
import { restoreSnapshot, takeSnapshot } from './snapshot.js';

/** What a training is made from. */
export interface TrainingOptions<M extends string> {
  readonly model: Model<M>;
  readonly epochs: number;
  /** The training batches of an epoch, from batch `startBatch` on. */
  readonly batches: (epoch: number, startBatch: number) => AsyncIterable<Batch<M>>;
  /** Every training sample once, in the dataset's order and without augmentation, for methods that look at all of them. */
  readonly everySample?: ((modalities: readonly M[]) => AsyncIterable<Batch<M>>) | undefined;
  readonly batchesPerEpoch?: number | undefined;
  readonly teachers?: Teachers<M> | undefined;
  readonly task?: Task;
  /** How a classifier's errors weigh. */
  readonly loss?: LossOptions | undefined;
  /** From which streams and dropout are derived. Default 0. */
  readonly seed?: number;
  /** Default: this process alone. */
  readonly allReduce?: AllReduce;
}

/** What the steps of a training share; the hooks of methods see it as `Training`. */
export class TrainingContext<M extends string> implements Training<M> {
  readonly model;
  readonly task;
  readonly epochs;
  readonly batchesPerEpoch;
  readonly seed;
  readonly allReduce;
  readonly #options: TrainingOptions<M>;
  readonly #streams = new Map<string, RandomStream>();
  #optimizer: Optimizer;
  #settings: OptimizerSettings;
  /** Of parts of the model with learning rates of their own. */
  partFactors: Readonly<Record<string, number>> = {};
  /** Known before the first step. */
  crossEntropy: CrossEntropyOptions = {};

  constructor(options: TrainingOptions<M>, optimizer: OptimizerSettings) {
    const { model, epochs, batchesPerEpoch, task = 'classification', seed = 0 } = options;
    this.model = model;
    this.task = task;
    this.epochs = epochs;
    this.batchesPerEpoch = batchesPerEpoch;
    this.seed = seed;
    this.allReduce = options.allReduce ?? SINGLE_PROCESS;
    this.#options = options;
    this.#settings = optimizer;
    this.#optimizer = this.#create(optimizer);
  }

  get optimizer(): Optimizer {
    return this.#optimizer;
  }

  /** A new optimizer in place of the present one. */
  beginOptimizer(settings: OptimizerSettings): void {
    const before = this.#optimizer;
    this.#optimizer = this.#create(settings);
    this.#settings = settings;
    before.dispose();
  }

  /** One step of the optimizer: of clipped gradients, with the learning rates of the model's parts. */
  applyGradients(gradients: readonly NamedGradient[]): void {
    const { optimizer, partFactors, model } = this;
    const clipped = clip(gradients, this.#settings.clipping);
    if (Object.keys(partFactors).length === 0) return optimizer.applyGradients(clipped);
    const factors = new Map(
      model.parameters.map((parameter) => {
        const part = partsOf(parameter).find((name) => Object.hasOwn(partFactors, name));
        return [parameter.variable.name, part === undefined ? 1 : (partFactors[part] as number)];
      }),
    );
    // A method may have factors of its own.
    const { learningRateFactorOf } = optimizer;
    optimizer.learningRateFactorOf = (name) => learningRateFactorOf(name) * (factors.get(name) ?? 1);
    try {
      optimizer.applyGradients(clipped);
    } finally {
      optimizer.learningRateFactorOf = learningRateFactorOf;
    }
  }

  #create(settings: OptimizerSettings): Optimizer {
    const { model } = this;
    const { clipping, learningRates = {}, learningRate } = settings;
    // Says what is wrong with them before the first step.
    clip([], clipping);
    assertParts(model, Object.keys(learningRates), 'optimizer.learningRates');
    assertRates(learningRates, learningRate);
    return createOptimizer(
      model.parameters.map(({ variable }) => variable),
      settings,
    );
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

  readonly random = (name: string): RandomStream => {
    const stream = this.#streams.get(name) ?? randomStream(deriveSeed(this.seed, name));
    this.#streams.set(name, stream);
    return stream;
  };

  readonly batches = (epoch: number): AsyncIterable<Batch<M>> => this.#options.batches(epoch, 0);

  readonly everySample = (modalities: readonly M[] = this.model.modalities): AsyncIterable<Batch<M>> => {
    const { everySample } = this.#options;
    if (everySample) return everySample(modalities);
    throw new OptionError('A method asks for every sample of the training split; pass `everySample`.', {
      option: 'everySample',
      value: undefined,
      accepted: 'a function that gives batches',
    });
  };

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

function clip(
  gradients: readonly NamedGradient[],
  clipping: OptimizerSettings['clipping'],
): readonly NamedGradient[] {
  if (!clipping) return gradients;
  return clipping.norm === undefined
    ? clipGradientValue(gradients, clipping.value)
    : clipGradientNorm(gradients, clipping.norm);
}

function assertRates(rates: NonNullable<OptimizerSettings['learningRates']>, whole: number): void {
  for (const [part, rate] of Object.entries(rates)) {
    const value = typeof rate === 'number' ? rate : rate.factor;
    const option = `optimizer.learningRates.${part}`;
    const refuse = (problem: string, accepted: string): never => {
      throw new OptionError(`\`${option}\` is ${value}; ${problem}.`, { option, value, accepted });
    };
    if (!(value >= 0 && value < Infinity)) refuse('it must be a finite number of at least 0', 'a number ≥ 0');
    if (typeof rate === 'number' && rate > 0 && whole === 0)
      refuse(
        'with a `learningRate` of 0 no part has another. Give a rate to the whole, and freeze what shall not train',
        'a `learningRate` above 0',
      );
  }
}
