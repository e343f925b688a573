import type * as tf from '@tensorflow/tfjs-core';
import type { Task } from '@g2d/core';
import type { Batch } from '@g2d/datasets';
import type { MultimodalModel } from '@g2d/fusion';
import { OptionError, type Optimizer, type RandomStream } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { SINGLE_PROCESS, type AllReduce } from './all-reduce.js';
import type { FrozenTeachers } from './frozen-teachers.js';
import type { Training } from './method.js';
import { createOptimizer, type OptimizerOptions } from './optimizer-options.js';
import { takeSnapshot, writeOptimizer, writeWeights, type Snapshot } from './snapshot.js';

/** Name of the optimizer of all trainable variables. */
export const MAIN_OPTIMIZER = 'main';

/** What a training is made from. */
export interface TrainingOptions<M extends string> {
  readonly model: MultimodalModel<M>;
  readonly epochs: number;
  readonly batches: (epoch: number, startBatch: number) => AsyncIterable<Batch<M>>;
  readonly batchesPerEpoch?: number | undefined;
  readonly teachers?: FrozenTeachers<M> | undefined;
  readonly task?: Task;
  readonly seed?: number;
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
  readonly optimizer;
  readonly #options: TrainingOptions<M>;
  readonly #optimizers = new Map<string, Optimizer>();
  readonly #streams = new Map<string, RandomStream>();

  constructor(options: TrainingOptions<M>, optimizer: Optimizer) {
    const { model, epochs, batchesPerEpoch, task = 'classification', seed = 0 } = options;
    this.model = model;
    this.task = task;
    this.epochs = epochs;
    this.batchesPerEpoch = batchesPerEpoch;
    this.seed = seed;
    this.allReduce = options.allReduce ?? SINGLE_PROCESS;
    this.optimizer = optimizer;
    this.#options = options;
    this.#optimizers.set(MAIN_OPTIMIZER, optimizer);
  }

  get frozenTeachers(): FrozenTeachers<M> {
    const { teachers } = this.#options;
    if (teachers) return teachers;
    throw new OptionError('A method asks for the teachers, but this run has none; pass `teachers`.', {
      option: 'teachers',
      value: undefined,
      accepted: 'frozenTeachers({ … })',
    });
  }

  random(name: string): RandomStream {
    const stream = this.#streams.get(name) ?? randomStream(deriveSeed(this.seed, name));
    this.#streams.set(name, stream);
    return stream;
  }

  batches(epoch: number): AsyncIterable<Batch<M>> {
    return this.#options.batches(epoch, 0);
  }

  createOptimizer(name: string, variables: readonly tf.Variable[], settings: OptimizerOptions): Optimizer {
    if (name === MAIN_OPTIMIZER) {
      throw new OptionError(`"${name}" is the name of the training's own optimizer. Choose another.`, {
        option: 'name',
        value: name,
        accepted: 'any other name',
      });
    }
    this.#optimizers.get(name)?.dispose();
    const optimizer = createOptimizer(variables, settings);
    this.#optimizers.set(name, optimizer);
    return optimizer;
  }

  snapshot(): Snapshot {
    return takeSnapshot(this.model, this.#optimizers);
  }

  restore({ model, optimizers }: Snapshot, modality?: M): void {
    writeWeights(this.model, model, modality);
    if (modality !== undefined) return;
    for (const [name, saved] of Object.entries(optimizers)) {
      const optimizer = this.#optimizers.get(name);
      if (optimizer) writeOptimizer(optimizer, saved, this.model);
    }
  }

  hasOptimizer(name: string): boolean {
    return this.#optimizers.has(name);
  }

  /** Where every stream is that was asked for. */
  streams(): ReadonlyMap<string, RandomStream> {
    return this.#streams;
  }

  dispose(): void {
    for (const optimizer of this.#optimizers.values()) optimizer.dispose();
  }
}
