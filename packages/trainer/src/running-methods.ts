import * as tf from '@tensorflow/tfjs-core';
import {
  OptionError,
  type EpochRecord,
  type Gradients,
  type LossTerms,
  type Method,
  type Outputs,
  type Pass,
  type Plan,
  type Step,
  type StepResult,
  type Training,
  ownValue,
} from '@g2d/core';
import { mapValues } from './map-values.js';
import { KeptTensors, loadState, saveState, type SavedState } from './method-state.js';

/** The methods of a training while it runs: their hooks of the present stage, and what they remember. */
export class RunningMethods<M extends string> {
  /** With the hooks of the present stage. */
  #present: readonly Method<M>[];
  readonly #methods: readonly Method<M>[];
  readonly #states = new Map<string, unknown>();
  readonly #kept: Readonly<Record<string, KeptTensors>>;
  /** Of a training that is over, the states that had tensors. */
  #saved: Readonly<Record<string, SavedState>> | undefined;

  constructor(methods: readonly Method<M>[]) {
    this.#methods = methods;
    this.#present = methods;
    this.#kept = Object.fromEntries(methods.map(({ name }) => [name, new KeptTensors()]));
  }

  get present(): readonly Method<M>[] {
    return this.#present;
  }

  /** From now on these hooks run; names and states stay. */
  enter(present: readonly Method<M>[]): void {
    this.#present = present;
  }

  /** What a method remembers; to be read only. */
  stateOf(name: string): unknown {
    return this.#states.get(name);
  }

  /** Makes the states, or puts saved ones in their place. */
  async start(training: Training<M>, saved: Readonly<Record<string, SavedState>> = {}): Promise<void> {
    for (const { name, init } of this.#methods) {
      if (!init) continue;
      const known = ownValue(saved, name);
      const made: unknown = known && !known.partial ? undefined : await init(training);
      const loaded = known && loadState(known);
      const state = known?.partial ? { ...(made as object), ...(loaded as object) } : (loaded ?? made);
      this.#states.set(name, state);
      this.#follow(name);
    }
  }

  /** The states of the methods that have some, as a checkpoint holds them. */
  save(): Readonly<Record<string, SavedState>> {
    return mapValues(Object.fromEntries(this.#states), saveState);
  }

  /** Samples that no step trains on. */
  withheld(): ReadonlySet<string> {
    // Before `init` there is nothing that it follows from.
    const begun = this.#methods.filter(({ name, init }) => !init || this.#states.has(name));
    const ids = begun.map((method) => this.#call(method, (state) => method.withheld?.(state)));
    return new Set(ids.flatMap((each) => each ?? []));
  }

  /** What the methods decide before the first pass, one after another. */
  plans(step: Step<M>): readonly (Plan<M> | undefined)[] {
    return this.#present.map((method) => this.#call(method, (state) => method.plan?.(step, state)));
  }

  /** The model on a batch, or what a method has in its place. */
  forward(pass: Pass<M>): Outputs<M> {
    return this.#first('forward', (method, state) => method.forward?.(pass, state)) ?? pass.forward();
  }

  /** The loss of a method; `undefined` if none has one. */
  loss(outputs: Outputs<M>, step: Step<M>): LossTerms | undefined {
    return this.#first('loss', (method, state) => method.loss?.(outputs, step, state));
  }

  /** The whole step of a method that does it its own way. */
  step(step: Step<M>): StepResult<M> | undefined {
    return this.#first('step', (method, state) => method.step?.(step, state));
  }

  /** @throws {OptionError} If an edit leaves a gradient out, or gives them in another order. */
  edit(method: Method<M>, gradients: Gradients<M>, outputs: Outputs<M>, step: Step<M>): Gradients<M> {
    const edited = this.#call(method, (state) => method.edit?.(gradients, outputs, step, state)) ?? gradients;
    if (edited === gradients) return gradients;
    return gradients.map((gradient, i) => {
      const found = edited[i];
      if (found?.name === gradient.name && edited.length === gradients.length)
        return { ...gradient, tensor: found.tensor };
      throw new OptionError(
        `The method "${method.name}" gives ${edited.length} of ${gradients.length} gradients back, or not in the order in which they came. An edit has an entry for each, \`tensor: null\` to leave a parameter alone.`,
        { option: 'edit', value: found?.name, accepted: gradient.name },
      );
    });
  }

  /** @returns The method that ends the training here, if one does. */
  async epoch(record: EpochRecord, training: Training<M>): Promise<string | undefined> {
    let stoppedBy: string | undefined;
    for (const { name, epoch } of this.#present) {
      if (!epoch) continue;
      if ((await epoch(record, training, this.#states.get(name))) === 'stop') stoppedBy ??= name;
      this.#follow(name);
    }
    return stoppedBy;
  }

  /** Whether a state holds a tensor, which is then not the step's to free. */
  holds(tensor: tf.Tensor): boolean {
    return Object.values(this.#kept).some((kept) => kept.has(tensor));
  }

  /** Keeps what states hold of a scope that is about to end. */
  followAll(): void {
    for (const name of this.#states.keys()) this.#follow(name);
  }

  /** Nothing is trained any more: predictions go on with copies, which `dispose` does not free. */
  finish(): void {
    const withTensors = [...this.#states].filter(([name]) => this.#kept[name]?.size);
    this.#saved = mapValues(Object.fromEntries(withTensors), saveState);
  }

  /** Frees the tensors of all states. */
  dispose(): void {
    for (const kept of Object.values(this.#kept)) kept.dispose();
  }

  #first<T>(hook: keyof Method<M>, run: (method: Method<M>, state: unknown) => T): T | undefined {
    const method = this.#present.find((found) => found[hook]);
    return method && this.#call(method, (state) => run(method, state));
  }

  #call<T>({ name }: Method<M>, hook: (state: unknown) => T): T {
    const saved = ownValue(this.#saved, name);
    if (this.#saved) return hook(saved ? loadState(saved) : this.#states.get(name));
    const result = hook(this.#states.get(name));
    if (this.#states.has(name)) this.#follow(name);
    return result;
  }

  #follow(name: string): void {
    this.#kept[name]?.follow(this.#states.get(name), name);
  }
}
