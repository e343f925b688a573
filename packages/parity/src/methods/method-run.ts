import * as tf from '@tensorflow/tfjs-core';
import {
  perModality,
  type Batch,
  type EpochRecord,
  type Fusion,
  type FusionOptions,
  type Gradients,
  type Logits,
  type Method,
  type OptimizerSettings,
  type Outputs,
  type RandomStream,
  type Step,
  type Teachers,
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
import { difference, dot, norm, projection, sum } from '../numbers.js';
import { tensorValues } from '../recipe.js';
import { isRunningStatistic } from '../torch-tensors.js';
import { toTorch } from '../weights.js';
import { buildCaseModel, caseInput, valuesOf, type CaseModel } from './case-model.js';
import type { CommonCase, Tree } from './method-case.js';

/** What an optimizer got, or would have got, by the case's names of tensors; without those that it skips. */
export type GradientValues = ReadonlyMap<string, Float32Array>;

/** Where a training step stands in a case. */
interface TrainEntry {
  readonly batch: string;
  readonly step: number;
  readonly learningRate: number;
}

/** What a step of ours left. */
interface Found {
  readonly losses: Readonly<Record<string, number>>;
  readonly outputs: Logits<string>;
  readonly step: Step<string> & {
    readonly series: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
}

/** What one update of the optimizer got, before and after the edits of the method. */
interface Update {
  readonly before: GradientValues;
  readonly after: GradientValues;
  /** What the method had put into its state by then. */
  readonly state: unknown;
}

export interface RunSettings {
  /** As the training is configured. */
  readonly epochs: number;
  readonly optimizer?: Partial<OptimizerSettings>;
  readonly batchesPerEpoch?: number;
  readonly teachers?: Teachers<string>;
  /** Batches of an epoch that the method asks for outside of its steps. */
  readonly batches?: (epoch: number) => AsyncIterable<Batch<string>>;
  readonly everySample?: () => AsyncIterable<Batch<string>>;
  /** In place of the run's streams. */
  readonly random?: (name: string) => RandomStream;
  readonly fusion?: (options: FusionOptions<string>) => Fusion<string>;
}

async function* none(): AsyncGenerator<Batch<string>> {}

/** The rows of a matrix, the entries of a list. */
export const numbers = (tensor: tf.Tensor): Tree => tensor.arraySync() as Tree;

/** A training of ours that goes through the steps of a case one by one, with the model, methods and optimizer that everybody trains with. */
export class MethodRun {
  readonly given: CommonCase;
  readonly training: TrainingContext<string>;
  readonly stages: Stages<string>;
  /** Of the last step: what each of its updates got. */
  updates: Update[] = [];
  readonly #case: CaseModel;
  readonly #running: RunningMethods<string>;
  readonly #start: ReadonlyMap<string, Float32Array>;
  #state: unknown;
  #epoch = 0;

  constructor(given: CommonCase, method: Method<string>, settings: RunSettings) {
    this.given = given;
    const { modalities, optimizer } = given;
    const { epochs, batches = none, random, ...others } = settings;
    this.#case = buildCaseModel(given, settings.fusion ?? method.fusion?.bind(method));
    this.#start = new Map(this.#case.tensors.map((held) => [held.name, valuesOf(held)]));
    const { init } = method;
    let before: GradientValues = new Map();
    const methods: Method<string>[] = [
      { name: 'before', edit: (gradients) => ((before = this.values(gradients)), gradients) },
      { ...method, ...(init && { init: async (training) => (this.#state = await init(training)) }) },
      {
        name: 'after',
        edit: (gradients) => {
          const { [method.name]: state } = this.#running.save();
          this.updates.push({ before, after: this.values(gradients), state });
          return gradients;
        },
      },
    ];
    const { learningRate, momentum, weightDecay } = optimizer;
    const sgd = { learningRate, momentum, weightDecay, ...settings.optimizer } as OptimizerSettings;
    this.stages = new Stages({ methods, epochs, modalities, optimizer: sgd });
    this.training = new TrainingContext<string>(
      { model: this.#case.model, epochs: this.stages.epochs, batches, ...others },
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

  get model() {
    return this.#case.model;
  }

  /** Calls the method's `init`. */
  begin(): Promise<void> {
    return this.#running.start(this.training);
  }

  /** The present values of a tensor of the case. */
  valuesOf(name: string): Float32Array {
    const held = this.#case.tensors.find((each) => each.name === name);
    if (!held) throw new Error(`The case ${this.given.id} has no tensor ${name}.`);
    return valuesOf(held);
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
   * @param epoch From 1.
   * @param read What is taken from it while its tensors are there.
   * @param first What is computed before the step.
   */
  async train<T>(
    { batch: tag, step: batchIndex }: TrainEntry,
    epoch: number,
    read: (found: Found) => T,
    first?: (step: Step<string>) => void,
  ): Promise<T> {
    await tf.nextFrame();
    this.enter(epoch);
    this.updates = [];
    const batch = this.batch(tag);
    try {
      return withStep(this.training, this.#running, { epoch, batchIndex, batch }, (step) => {
        first?.(step);
        const { losses, outputs } = trainStep(step, this.#running);
        return read({ losses, outputs, step });
      });
    } finally {
      tf.dispose(batch);
      this.#running.followAll();
    }
  }

  /** What the method predicts with, on a batch. */
  predict<T>(tag: string, read: (logits: Logits<string>, labels: tf.Tensor1D) => T): T {
    return tf.tidy(() => {
      const batch = this.batch(tag);
      return read(predictorOf(this.training, this.#running)(batch), batch.labels) as never;
    }) as T;
  }

  /** The model alone on a batch, in inference mode. */
  outputs<T>(tag: string, read: (outputs: Outputs<string>, labels: tf.Tensor1D) => T): T {
    return tf.tidy(() => {
      const { inputs, labels } = this.batch(tag);
      return read(this.model.forward({ inputs }, { training: false }), labels) as never;
    }) as T;
  }

  /** The method's hook after an epoch. @returns Whether it ends the training. */
  async afterEpoch(record: Partial<EpochRecord> & { readonly epoch: number }): Promise<boolean> {
    const { learningRate } = this.training.optimizer;
    const full = { seconds: 0, loss: {}, train: {}, learningRate, ...record };
    return (await this.#running.epoch(full, this.training)) !== undefined;
  }

  batch(tag: string): Batch<string> {
    const { modalities, batches } = this.given;
    const labels = batches[tag];
    if (!labels) throw new Error(`The case ${this.given.id} has no batch ${tag}.`);
    return tf.tidy(() => ({
      inputs: perModality(modalities, (modality) => caseInput(this.given, tag, modality)),
      labels: tf.tensor1d(labels, 'int32'),
      ids: labels.map((_, i) => `${tag}/${i}`),
    })) as Batch<string>;
  }

  /** Gradients by the case's names, where there are some. */
  values(gradients: Gradients<string>): GradientValues {
    const byVariable = new Map(gradients.map(({ name, tensor }) => [name, tensor]));
    return new Map(
      this.#case.tensors.flatMap(({ name, variable }) => {
        const tensor = byVariable.get((variable.read() as tf.Variable).name);
        return tensor ? [[name, toTorch(tensor)] as const] : [];
      }),
    );
  }

  /** The table of what an update got. */
  gradients(values: GradientValues): Tree {
    const rows = [...values].map(([name, gradient]) => [
      name,
      [norm(gradient), this.#project(name, gradient)],
    ]);
    return { columns: ['gradL2', 'gradProj'], rows: Object.fromEntries(rows) as Tree };
  }

  /** L2 norm of a group, such as `encoder.audio`; `null` if nothing in it has a gradient. */
  norm(values: GradientValues, group: string): number | null {
    const own = [...values].filter(([name]) => name === group || name.startsWith(`${group}.`));
    return own.length === 0 ? null : norm(own.map(([, gradient]) => norm(gradient)));
  }

  norms(values: GradientValues, groups: readonly string[]): Tree {
    return Object.fromEntries(groups.map((group) => [group, this.norm(values, group)]));
  }

  /** `encoder.<modality>` of each. */
  get encoderGroups(): readonly string[] {
    return this.given.modalities.map((modality) => `encoder.${modality}`);
  }

  /** Parameters, momentum and running statistics as they are now. */
  end(): Tree {
    const { tensors } = this.#case;
    const state = this.training.optimizer.getState();
    const table = (
      columns: readonly string[],
      row: (
        name: string,
        values: Float32Array,
        held: CaseModel['tensors'][number],
      ) => readonly number[] | undefined,
    ): Tree => ({
      columns,
      rows: Object.fromEntries(
        tensors.flatMap((held) => {
          const found = row(held.name, valuesOf(held), held);
          return found ? [[held.name, found]] : [];
        }),
      ),
    });
    const parameters = table(['sum', 'l2', 'deltaL2', 'deltaProj'], (name, values) => {
      if (isRunningStatistic(name)) return undefined;
      const change = difference(values, this.#start.get(name) as Float32Array);
      return [sum(values), norm(values), norm(change), this.#project(name, change)];
    });
    const momentum = table(['momentumL2', 'momentumProj'], (name, _, { variable }) => {
      const velocity = state[`${(variable.read() as tf.Variable).name}/velocity`];
      if (isRunningStatistic(name) || !velocity) return undefined;
      const values = toTorch(velocity);
      return [norm(values), this.#project(name, values)];
    });
    tf.dispose(state);
    const buffers = tensors.some(({ name }) => isRunningStatistic(name))
      ? table(['l2', 'proj'], (name, values) =>
          isRunningStatistic(name) ? [norm(values), this.#project(name, values)] : undefined,
        )
      : undefined;
    return { parameters, momentum, buffers };
  }

  dispose(): void {
    this.#running.dispose();
    this.training.dispose();
    this.#case.dispose();
  }

  #project(name: string, values: ArrayLike<number>): number {
    return projection(values, { seed: this.given.seed, name: `${this.given.model.prefix}/${name}` });
  }
}

/** Runs a case, whose `use` calls `begin` first, adds what a training leaves at its end, and frees everything. */
export async function withRun(
  given: CommonCase,
  method: Method<string>,
  settings: RunSettings,
  use: (run: MethodRun) => Promise<{ readonly [key: string]: Tree }>,
): Promise<Tree> {
  const run = new MethodRun(given, method, settings);
  try {
    const found = await use(run);
    return { ...found, ...(run.end() as object) };
  } finally {
    run.dispose();
  }
}

/** Σ f ⊙ r over batch and width, r a hashed direction. */
export function projectedFeatures({ seed }: CommonCase, modality: string, features: tf.Tensor2D): number {
  const values = features.dataSync();
  const direction = tensorValues({ seed, name: `proj/feature/${modality}` }, values.length);
  return dot(values, direction);
}

/** Fused logits and each modality's. */
export const logitsTree = ({ logits, unimodalLogits }: Logits<string>): { readonly [key: string]: Tree } => ({
  fused: numbers(logits),
  ...Object.fromEntries(
    Object.entries<tf.Tensor>(unimodalLogits).map(([modality, own]) => [modality, numbers(own)]),
  ),
});

/** The class with the largest logit of each row. */
export const predictions = (logits: tf.Tensor): Tree => numbers(tf.argMax(logits, 1));
