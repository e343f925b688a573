import * as tf from '@tensorflow/tfjs-core';
import {
  perModality,
  type Batch,
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
import { difference, dot, norm, projection, sum } from '../numbers.js';
import { tensorValues } from '../recipe.js';
import { isRunningStatistic } from '../torch-tensors.js';
import { TrainerRun } from '../trainer-run.js';
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

/** The rows of a matrix, the entries of a list. */
export const numbers = (tensor: tf.Tensor): Tree => tensor.arraySync() as Tree;

/** A training of ours that goes through the steps of a case one by one, with the model, methods and optimizer that everybody trains with. */
export class MethodRun extends TrainerRun<GradientValues> {
  readonly given: CommonCase;
  readonly #case: CaseModel;
  readonly #start: ReadonlyMap<string, Float32Array>;

  constructor(given: CommonCase, method: Method<string>, settings: RunSettings) {
    const { fusion, optimizer, ...others } = settings;
    const built = buildCaseModel(given, fusion ?? method.fusion?.bind(method));
    const { learningRate, momentum, weightDecay } = given.optimizer;
    super({
      ...others,
      method,
      model: built.model,
      optimizer: { learningRate, momentum, weightDecay, ...optimizer } as OptimizerSettings,
      read: (gradients) => gradientsOf(built, gradients),
    });
    this.given = given;
    this.#case = built;
    this.#start = new Map(built.tensors.map((held) => [held.name, valuesOf(held)]));
  }

  get model() {
    return this.#case.model;
  }

  /** The present values of a tensor of the case. */
  valuesOf(name: string): Float32Array {
    const held = this.#case.tensors.find((each) => each.name === name);
    if (!held) throw new Error(`The case ${this.given.id} has no tensor ${name}.`);
    return valuesOf(held);
  }

  /**
   * One step of ours.
   *
   * @param epoch From 1.
   * @param read What is taken from it while its tensors are there.
   * @param first What is computed before the step.
   */
  train<T>(
    { batch, step: batchIndex }: TrainEntry,
    epoch: number,
    read: Parameters<typeof this.step<T>>[1],
    first?: (step: Step<string>) => void,
  ): Promise<T> {
    return this.step({ batch: this.batch(batch), epoch, batchIndex }, read, first);
  }

  /** What the method predicts with, on a batch. */
  predict<T>(tag: string, read: (logits: Logits<string>, labels: tf.Tensor1D) => T): T {
    return tf.tidy(() => {
      const batch = this.batch(tag);
      return read(this.predictions(batch), batch.labels as tf.Tensor1D) as never;
    }) as T;
  }

  /** The model alone on a batch, in inference mode. */
  outputs<T>(tag: string, read: (outputs: Outputs<string>, labels: tf.Tensor1D) => T): T {
    return tf.tidy(() => {
      const { inputs, labels } = this.batch(tag);
      return read(this.model.forward({ inputs }, { training: false }), labels as tf.Tensor1D) as never;
    }) as T;
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
    return gradientsOf(this.#case, gradients);
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

  override dispose(): void {
    super.dispose();
    this.#case.dispose();
  }

  #project(name: string, values: ArrayLike<number>): number {
    return projection(values, { seed: this.given.seed, name: `${this.given.model.prefix}/${name}` });
  }
}

function gradientsOf({ tensors }: CaseModel, gradients: Gradients<string>): GradientValues {
  const byVariable = new Map(gradients.map(({ name, tensor }) => [name, tensor]));
  return new Map(
    tensors.flatMap(({ name, variable }) => {
      const tensor = byVariable.get((variable.read() as tf.Variable).name);
      return tensor ? [[name, toTorch(tensor)] as const] : [];
    }),
  );
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
