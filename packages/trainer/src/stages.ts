import { OptionError, type Method, type OptimizerSettings, type Stage } from '@g2d/core';
import { learningRateAt, partFactorsAt } from '@g2d/tensor-ops';
import { assertHooks, assertOwners } from './method-stack.js';
import type { Plateau, StageOptimizer } from './plateau.js';

/** A stage where it stands in a training. */
interface PlacedStage<M extends string> extends StageOptimizer {
  readonly stage: Stage<M>;
  /** Its first epoch. */
  readonly first: number;
  readonly hooks: readonly Method<M>[];
}

/** What a list of stages is made from. */
interface StagedRun<M extends string> {
  readonly methods: readonly Method<M>[];
  /** As the run is configured. */
  readonly epochs: number;
  readonly modalities: readonly M[];
  readonly optimizer: OptimizerSettings;
}

/** What belongs to which epoch of a training, counted from 1. */
export class Stages<M extends string> {
  /** Of all stages together. */
  readonly epochs: number;
  readonly #run: StagedRun<M>;
  readonly #placed: readonly PlacedStage<M>[];

  /** @throws {OptionError} If stages are none, or hooks of one do not go together with the other methods. */
  constructor(run: StagedRun<M>) {
    const { methods, epochs, modalities, optimizer } = run;
    this.#run = run;
    const owner = methods.find(({ stages }) => stages);
    const listed = owner?.stages?.({ epochs, modalities }) ?? [];
    let first = 1;
    let present: StageOptimizer = { settings: optimizer, since: 1 };
    this.#placed = listed.map((stage) => {
      assertStage(stage, owner?.name as string);
      if (stage.optimizer) present = { settings: stage.optimizer(optimizer), since: first };
      const { name: _, epochs: length, optimizer: __, ...own } = stage;
      const hooks = methods.map((method) => (method === owner ? { ...method, ...own } : method));
      assertOwners(hooks);
      const placed = { stage, first, hooks, ...present };
      first += length;
      return placed;
    });
    this.epochs = this.#placed.length > 0 ? first - 1 : epochs;
  }

  /** The methods with the hooks that stand in for theirs. After the last epoch it is the last stage. */
  hooks(epoch: number): readonly Method<M>[] {
    return this.#at(epoch)?.hooks ?? this.#run.methods;
  }

  /** `undefined` for a training without stages. */
  nameOf(epoch: number): string | undefined {
    return this.#at(epoch)?.stage.name;
  }

  optimizer(epoch: number): StageOptimizer {
    return this.#at(epoch) ?? { settings: this.#run.optimizer, since: 1 };
  }

  /** Whether an epoch begins with a new optimizer. */
  beginsAnew(epoch: number): boolean {
    const found = this.#at(epoch);
    return found?.stage.optimizer !== undefined && found.first === epoch;
  }

  /** The methods as they are in every stage. */
  get allHooks(): readonly Method<M>[] {
    return [this.#run.methods, ...this.#placed.map(({ hooks }) => hooks)].flat();
  }

  /** The settings of every optimizer. */
  get settings(): readonly OptimizerSettings[] {
    return [this.#run.optimizer, ...this.#placed.map(({ settings }) => settings)];
  }

  /**
   * The learning rate of an epoch.
   *
   * @param before What the optimizer has. One that a method has set goes on, times what the schedule changes.
   * @param plateau What a plateau schedule has seen.
   */
  learningRate(epoch: number, before: number, plateau?: Plateau): number {
    const { settings, since } = this.optimizer(epoch);
    const { reductions, falls } = ofOptimizer(plateau, since);
    const rate = learningRateAt(settings, epoch - since + 1, reductions);
    if (epoch === since) return rate;
    const expected = learningRateAt(settings, epoch - since, reductions - Number(falls));
    return before === expected || expected === 0 ? rate : (before * rate) / expected;
  }

  /** What the learning rate of an epoch is multiplied by for parts of the model with rates of their own. */
  partFactors(epoch: number, plateau?: Plateau): Readonly<Record<string, number>> {
    const { settings, since } = this.optimizer(epoch);
    const { reductions } = ofOptimizer(plateau, since);
    return partFactorsAt(settings, epoch - since + 1, reductions);
  }

  #at(epoch: number): PlacedStage<M> | undefined {
    return this.#placed.findLast(({ first }) => first <= epoch) ?? this.#placed[0];
  }
}

/** A plateau that another optimizer's schedule saw is none. */
const ofOptimizer = (
  plateau: Plateau | undefined,
  since: number,
): { readonly reductions: number; readonly falls: boolean } =>
  plateau?.since === since
    ? { reductions: plateau.seen.reductions, falls: plateau.falls }
    : { reductions: 0, falls: false };

function assertStage<M extends string>(stage: Stage<M>, method: string): void {
  const { name, epochs } = stage;
  assertHooks(stage, ['name', 'epochs', 'optimizer'], `The stage "${name}" of the method "${method}"`);
  if (Number.isInteger(epochs) && epochs >= 1) return;
  throw new OptionError(
    `The stage "${name}" of the method "${method}" has ${epochs} epochs; it must be a whole number of at least 1.`,
    { option: 'stages', value: epochs, accepted: 'a whole number ≥ 1' },
  );
}
