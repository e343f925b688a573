import * as tf from '@tensorflow/tfjs-core';
import type {
  Batch,
  EpochRecord,
  Gradients,
  Logits,
  Method,
  OptimizerSettings,
  RandomStream,
  Step,
} from '@g2d/core';
import {
  predictorOf,
  probeOf,
  RunningMethods,
  Stages,
  TrainingContext,
  trainStep,
  withStep,
} from '@g2d/trainer/internal';
import type { TrainingOptions } from '@g2d/trainer';

/** What a step of ours left. */
interface Found {
  readonly losses: Readonly<Record<string, number>>;
  readonly outputs: Logits<string>;
  readonly step: Step<string> & {
    readonly series: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
}

/** What one update of the optimizer got, before and after the edits of the method. */
interface Update<G> {
  readonly before: G;
  readonly after: G;
  /** What the method had put into its state by then. */
  readonly state: unknown;
}

/** A training that cases go through. */
export interface TrainerRunOptions<G> extends Omit<TrainingOptions<string>, 'batches'> {
  readonly method: Method<string>;
  readonly optimizer: OptimizerSettings;
  /** Batches of an epoch that the method asks for outside of its steps. */
  readonly batches?: TrainingOptions<string>['batches'] | undefined;
  /** In place of the run's streams. */
  readonly random?: ((name: string) => RandomStream) | undefined;
  /** What is remembered of the gradients of an update. */
  readonly read: (gradients: Gradients<string>) => G;
}

async function* none(): AsyncGenerator<Batch<string>> {}

/** A training of ours, step by step, with the methods, hooks and optimizer that everybody trains with. */
export class TrainerRun<G> {
  readonly training: TrainingContext<string>;
  readonly stages: Stages<string>;
  /** Of the last step: what each of its updates got. */
  updates: Update<G>[] = [];
  readonly #running: RunningMethods<string>;
  #state: unknown;
  #epoch = 0;

  constructor({ method, optimizer, read, batches = none, random, ...options }: TrainerRunOptions<G>) {
    const { init } = method;
    let before: G;
    const methods: Method<string>[] = [
      { name: 'before', edit: (gradients) => ((before = read(gradients)), gradients) },
      { ...method, ...(init && { init: async (training) => (this.#state = await init(training)) }) },
      {
        name: 'after',
        edit: (gradients) => {
          const { [method.name]: state } = this.#running.save();
          this.updates.push({ before, after: read(gradients), state });
          return gradients;
        },
      },
    ];
    const { model, epochs } = options;
    this.stages = new Stages({ methods, epochs, modalities: model.modalities, optimizer });
    this.training = new TrainingContext<string>(
      { ...options, batches, epochs: this.stages.epochs },
      this.stages.optimizer(1).settings,
    );
    this.#running = new RunningMethods<string>(methods);
    this.training.probe = probeOf(this.training);
    if (random) this.training.random = random;
  }

  /** The method's own state, as it is now. */
  get state(): unknown {
    return this.#state;
  }

  /** Calls the method's `init`. */
  begin(): Promise<void> {
    return this.#running.start(this.training);
  }

  /** Hooks and optimizer of an epoch, from 1. The learning rate goes on, as in the loop. */
  enter(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#running.enter(this.stages.hooks(epoch));
    if (this.stages.beginsAnew(epoch)) this.training.beginOptimizer(this.stages.optimizer(epoch).settings);
    this.training.optimizer.learningRate = this.stages.learningRate(
      epoch,
      this.training.optimizer.learningRate,
    );
    this.#epoch = epoch;
  }

  /**
   * One step of ours.
   *
   * @param place `epoch` from 1; the batch is disposed.
   * @param read What is taken from it while its tensors are there.
   * @param first What is computed before the step.
   */
  async step<T>(
    place: { readonly batch: Batch<string>; readonly epoch: number; readonly batchIndex: number },
    read: (found: Found) => T,
    first?: (step: Step<string>) => void,
  ): Promise<T> {
    await tf.nextFrame();
    this.enter(place.epoch);
    this.updates = [];
    try {
      return withStep(this.training, this.#running, place, (step) => {
        first?.(step);
        const { losses, outputs } = trainStep(step, this.#running);
        return read({ losses, outputs, step });
      });
    } finally {
      tf.dispose(place.batch);
      this.#running.followAll();
    }
  }

  /** A step's services without a step, for what is computed on a batch; it is disposed. */
  look<T>(batch: Batch<string>, read: (step: Step<string>) => T): T {
    try {
      return withStep(this.training, this.#running, { batch, epoch: 1, batchIndex: 0 }, read);
    } finally {
      tf.dispose(batch);
    }
  }

  /** What the method predicts with; inside of a tidy. */
  predictions(batch: Batch<string>): Logits<string> {
    return predictorOf(this.training, this.#running)(batch);
  }

  /** The method's hook after an epoch. @returns Whether it ends the training. */
  async afterEpoch(record: Partial<EpochRecord> & { readonly epoch: number }): Promise<boolean> {
    const { learningRate } = this.training.optimizer;
    const full = { seconds: 0, loss: {}, train: {}, learningRate, ...record };
    return (await this.#running.epoch(full, this.training)) !== undefined;
  }

  dispose(): void {
    this.#running.dispose();
    this.training.dispose();
  }
}
