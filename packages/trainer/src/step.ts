import * as tf from '@tensorflow/tfjs-core';
import { studentLoss, type StudentLossOptions } from '@g2d/distill';
import { withDropoutSeed, withSharedStatistics } from '@g2d/accelerate';
import {
  G2DError,
  OptionError,
  perModality,
  taskWords,
  type Batch,
  type ValueAndGrads,
  type Gradients,
  type Inputs,
  type Labels,
  type Logits,
  type LossTerms,
  type Outputs,
  type Parameter,
  type PassMode,
  type PerModality,
  type Plan,
  type RegressionOutput,
  type Step,
  type StepResult,
  type Task,
} from '@g2d/core';
import { deriveSeed, hessianProduct, joinRecords, readTogether, valuesOf } from '@g2d/tensor-ops';
import { nonFiniteInputs } from './non-finite-inputs.js';
import { allRows } from './all-rows.js';
import { GradientMean, type Counts, type PlacedBatch } from './accumulate.js';
import { meanSeries, type StepRecord } from './epoch-log.js';
import { mapValues } from './map-values.js';
import { BatchPass } from './pass.js';
import { isDifferentiated } from './pass-counts.js';
import { gatherBytes, meanGradients, reachedBy, SINGLE_PROCESS, summed } from './reduce.js';
import type { RunningMethods } from './running-methods.js';
import type { TrainingContext } from './training.js';

/** Where a step is in a training. */
export interface StepPlace<M extends string> extends PlacedBatch<M> {
  readonly epoch: number;
  /** The batches that make up `batch`, if they are several: passes run on one after another. */
  readonly parts?: readonly PlacedBatch<M>[];
  /** Whether every process has the same batch. Default false: each has its share. */
  readonly isWhole?: boolean;
}

/**
 * One step: the methods' plans, a forward pass, the loss differentiated by what the plans leave, the methods' edits, the optimizer. A
 * method with a `step` does it its own way.
 *
 * @param run What to do with the step in place of training; `trainStep` is what the loop does.
 * @see G2D, Alg. 1
 */
export function withStep<M extends string, T>(
  training: TrainingContext<M>,
  running: RunningMethods<M>,
  place: StepPlace<M>,
  run: (step: BatchStep<M>) => T,
): T {
  const kept = new Set<tf.Tensor>();
  const { sharedStatistics } = training;
  const step = (): T => run(new BatchStep(training, running, place, kept));
  const body = (): T =>
    withDropoutOf(training, place, () =>
      sharedStatistics && !place.isWhole ? withSharedStatistics(sharedStatistics, step) : step(),
    );
  try {
    return tf.tidy(() => body() as never) as T;
  } finally {
    for (const tensor of kept) if (!running.holds(tensor)) tensor.dispose();
  }
}

/**
 * Dropout depends on the run's seed and the step alone, so that a resumed run draws the same masks; where processes share a batch, each draws
 * those of its own rows.
 */
function withDropoutOf<M extends string, T>(
  { seed, allReduce: { rank, processes } }: TrainingContext<M>,
  { epoch, batchIndex, isWhole }: Pick<StepPlace<M>, 'epoch' | 'batchIndex' | 'isWhole'>,
  body: () => T,
): T {
  const share = isWhole || rank === undefined ? undefined : { index: rank, of: processes };
  return withDropoutSeed(deriveSeed(seed, `dropout/epoch-${epoch}/step-${batchIndex}`), body, share);
}

/** Numbers of this process that all are to know the sums of. They are fetched with the step's losses, and travel with them. */
export type Along<M extends string> = (outputs: Logits<M>) => {
  /** Whose values they are made of. */
  readonly tensors: readonly tf.Tensor[];
  readonly numbers: (values: readonly Float32Array[]) => readonly number[];
};

const NOTHING: Along<string> = () => ({ tensors: [], numbers: () => [] });

/**
 * What the loop does with a step.
 *
 * @returns `sums`: of the numbers that come along.
 */
export function trainStep<M extends string>(
  step: BatchStep<M>,
  running: RunningMethods<M>,
  along: Along<M> = NOTHING,
): StepResult<M> & { readonly sums: readonly number[] } {
  step.plan();
  const own = running.step(step);
  if (own) {
    const { tensors, numbers } = along(own.outputs);
    return { ...own, sums: step.sumsOf(numbers(readTogether(tensors))) };
  }
  const { losses, outputs, gradients, sums } = step.valueAndGradsOfParts((part) => {
    const outputs = running.forward(part);
    return { loss: running.loss(outputs, part) ?? jointLoss(part, outputs), outputs };
  }, along);
  step.update(gradients, outputs);
  return { losses, outputs, sums };
}

/** The loss of joint training (Eq. 1). */
function jointLoss<M extends string>(step: Step<M>, { logits }: Outputs<M>): LossTerms {
  const total = step.taskLoss(logits);
  return { total, student: total };
}

/** A step on a batch. Its tensors are those of the tidy that it is made in. */
class BatchStep<M extends string> extends BatchPass<M> implements Step<M> {
  override readonly training: boolean = true;
  override readonly batch: Batch<M>;
  readonly epoch;
  readonly batchIndex;
  readonly isWhole: boolean;
  readonly #running: RunningMethods<M>;
  /** Results of passes and hooks, which outlive the pass that is differentiated. */
  readonly #kept: Set<tf.Tensor>;
  readonly #context: TrainingContext<M>;
  /** The step that this one's batch is a part of, or itself. */
  readonly #whole: BatchStep<M>;
  /** Of a batch that is accumulated; else the step itself. */
  readonly #parts: readonly BatchStep<M>[];
  #plans: readonly StepPlan<M>[] = [];
  #series: StepRecord['series'] = {};
  readonly #spread = new Set<string>();
  #joinedTeachers: Step<M>['teacherOutputs'] | undefined;
  /** Of all processes, where the batch says it. */
  readonly #shared: Counts<M> | undefined;
  readonly #counts: { samples?: Counts<M>; weights?: Counts<M> } = {};
  readonly #allCounts: { samples?: Counts<M>; weights?: Counts<M> } = {};
  /** What the present pass is differentiated by. */
  #active: readonly Parameter<M>[] | undefined;

  constructor(
    training: TrainingContext<M>,
    running: RunningMethods<M>,
    { epoch, batchIndex, batch, parts, counts, isWhole = false }: StepPlace<M>,
    kept: Set<tf.Tensor>,
    whole?: BatchStep<M>,
  ) {
    const isJudged = running.present.some(({ needs }) => needs?.teachers === 'unimodal');
    super(training, batch, isJudged, isWhole ? SINGLE_PROCESS : training.allReduce);
    this.isWhole = isWhole;
    this.batch = batch;
    this.epoch = epoch;
    this.batchIndex = batchIndex;
    this.#shared = counts;
    this.#running = running;
    this.#kept = kept;
    this.#context = training;
    this.#whole = whole ?? this;
    this.#parts = parts?.map(
      (part) => new BatchStep(training, running, { epoch, isWhole, ...part }, kept, this),
    ) ?? [this];
    // Before an operation takes them to the device.
    for (const known of [batch.labels, ...Object.values<tf.Tensor | undefined>({ ...batch.present })])
      valuesOf(known);
    // Before anything is differentiated.
    if (isJudged) {
      void this.teacherOutputs;
      const { online, modalities } = training.teachers;
      if (!whole) training.passes.add('teachers', online ?? modalities);
    }
  }

  /** Asks the methods for their plans. */
  plan(): void {
    const { parameters } = this.model;
    this.#plans = this.#running.plans(this).map((plan) => ({
      coefficients: parameters.map((parameter) => coefficientOf(plan, parameter)),
      inference: (modality) => plan?.inference?.(modality) ?? false,
    }));
  }

  /** What was logged so far; what the parts of a batch logged as its mean. */
  get series(): StepRecord['series'] {
    const ofParts = this.#parts.filter((part) => part !== this).map(({ series }) => series);
    return { ...meanSeries(ofParts), ...this.#series };
  }

  override get teacherOutputs(): Step<M>['teacherOutputs'] {
    if (this.#parts.includes(this)) return super.teacherOutputs;
    return (this.#joinedTeachers ??= joinRecords(this.#parts.map((part) => part.teacherOutputs)));
  }

  /** Names of series of which more is wanted than the mean. */
  get spread(): readonly string[] {
    return [...this.#spread, ...this.#parts.flatMap((part) => (part === this ? [] : part.spread))];
  }

  override readonly log: Step<M>['log'] = (series, { spread = false } = {}) => {
    this.#series = { ...this.#series, ...series };
    if (spread) for (const name of Object.keys(series)) this.#spread.add(name);
  };

  get presentSamples(): PerModality<M, number> {
    return this.#whole.#inAll('samples').byModality;
  }

  readonly share: Step<M>['share'] = (modality, of = 'process') => {
    if (of === 'process' || this.allReduce.rank === undefined) return this.#share('samples', modality);
    const countOf = ({ total, byModality }: Counts<M>): number =>
      modality === undefined ? total : byModality[modality];
    const all = countOf(this.#whole.#inAll('samples'));
    return all === 0 ? 1 : (this.#whole.#parts.length * countOf(this.#inAll('samples'))) / all;
  };

  readonly allRows: Step<M>['allRows'] = (values) => allRows(this.allReduce, values);

  readonly taskLoss = (logits: tf.Tensor2D, modality?: M): tf.Scalar => {
    const { task, output, batch } = this;
    const rows = modality === undefined ? undefined : presentSamples(batch, modality);
    const options = { task, output, ...this.#context.crossEntropyOf(logits.shape[1]) };
    const loss = rows
      ? lossOfRows(batch.labels, logits, rows, options)
      : studentLoss(batch.labels, logits, options);
    // The mean of a multi-label loss is over samples and classes, whatever their weights.
    const weights = task === 'classification' ? options.classWeights : undefined;
    const share = this.#share(weights ?? 'samples', modality);
    return share === 1 ? loss : tf.mul(loss, share);
  };

  readonly meanByModality = (values: PerModality<M, tf.Tensor1D>): PerModality<M, number> => {
    const { modalities } = this.model;
    const own = this.#here('samples');
    const there = modalities.filter((modality) => own.byModality[modality] > 0);
    const means = perModality(modalities, () => 0);
    tf.tidy(() => {
      const found = there.map((m) => meanOverPresent(values[m], this.batch.present?.[m]));
      readTogether(found).forEach(([mean], i) => (means[there[i] as M] = mean as number));
    });
    const sums = summed(
      this.allReduce,
      modalities.flatMap((m) => [means[m] * own.byModality[m], own.byModality[m]]),
    );
    return perModality(modalities, (modality) => {
      const i = 2 * modalities.indexOf(modality);
      const [sum, count] = [sums[i] as number, sums[i + 1] as number];
      // Exact where one process has all of them: a mean times a count, divided again, may round.
      return count === own.byModality[modality] && count > 0 ? means[modality] : sum / count;
    });
  };

  readonly valueAndGrads: Step<M>['valueAndGrads'] = (run, of = () => true) => {
    const active = this.#activeOf(of);
    const { loss, outputs, grads } = this.#differentiate(run, active);
    return this.#reduced([loss], outputs, { grads, active });
  };

  /** Sums over all processes, also where each has the whole batch. */
  sumsOf(numbers: readonly number[]): readonly number[] {
    return summed(this.#context.allReduce, numbers);
  }

  /** The usual loss and its gradients: over all parts of the batch, one after another. */
  valueAndGradsOfParts(
    run: (part: BatchStep<M>) => { readonly loss: LossTerms; readonly outputs: Outputs<M> },
    along: Along<M>,
  ): ValueAndGrads<M> & { readonly sums: readonly number[] } {
    const active = this.#activeOf(() => true);
    if (this.#parts.includes(this)) {
      const { loss, outputs, grads } = this.#differentiate(() => run(this), active);
      return this.#reduced([loss], outputs, { grads, active }, along);
    }
    const mean = new GradientMean(this.#parts.length);
    const found = this.#parts.map((part) => {
      const body = () => part.#differentiate(() => run(part), active);
      const { grads, ...rest } = withDropoutOf(this.#context, part, body);
      mean.add(grads);
      return rest;
    });
    const outputs = joinRecords(found.map(({ outputs }) => outputs));
    this.#keep(outputs);
    const losses = found.map(({ loss }) => loss);
    return this.#reduced(losses, outputs, { grads: mean.value, active }, along);
  }

  #activeOf(of: (parameter: Parameter<M>) => boolean): readonly Parameter<M>[] {
    return this.model.parameters.filter(
      (parameter, i) => of(parameter) && this.#whole.#plans.every(({ coefficients }) => coefficients[i]),
    );
  }

  /** A loss and its gradients in this process, on this batch. */
  #differentiate(
    run: () => { readonly loss: LossTerms; readonly outputs: Outputs<M> },
    active: readonly Parameter<M>[],
  ) {
    let outputs: Outputs<M> | undefined;
    let loss: LossTerms | undefined;
    const body = (): tf.Scalar => {
      const found = run();
      ({ outputs, loss } = found);
      this.#keep(outputs);
      // Read once the gradients are asked for: nothing is waited for before.
      this.#keep(loss);
      this.#running.followAll();
      return loss.total;
    };
    this.#active = active;
    let grads: tf.NamedTensorMap = {};
    try {
      // Without a variable there is no tape.
      if (active.length === 0) tf.tidy(() => void body());
      else
        ({ grads } = tf.variableGrads(
          body,
          active.map(({ variable }) => variable),
        ));
    } finally {
      this.#active = undefined;
    }
    return { loss: loss as LossTerms, outputs: outputs as Outputs<M>, grads };
  }

  /**
   * Means over the processes: of what all of them found too, so that they go on with the same bits. All numbers go in one sum, before those
   * of the gradients, of which nothing is sent that no process has.
   *
   * @param parts The loss of each part of the batch.
   */
  #reduced(
    parts: readonly LossTerms[],
    outputs: Outputs<M>,
    { grads, active }: { readonly grads: tf.NamedTensorMap; readonly active: readonly Parameter<M>[] },
    along: Along<M> = NOTHING,
  ): ValueAndGrads<M> & { readonly sums: readonly number[] } {
    const { allReduce } = this.#context;
    const variables = active.map(({ variable }) => variable);
    const terms = parts.flatMap((part) => Object.values<tf.Scalar>(part));
    const { tensors, numbers } = along(outputs);
    const values = readTogether([...terms, ...tensors]);
    const others = numbers(values.slice(terms.length));
    const own = meanLosses(
      parts,
      values.slice(0, terms.length).map(([value]) => value as number),
    );
    const names = Object.keys(own);
    const all = summed(allReduce, [...Object.values(own), ...reachedBy(grads, variables), ...others]);
    const losses = Object.fromEntries(
      names.map((name, i) => [name, (all[i] as number) / allReduce.processes]),
    );
    const sums = all.slice(names.length + variables.length);
    this.#assertFinite(losses);
    const reached = all.slice(names.length, names.length + variables.length);
    const mean = meanGradients(allReduce, grads, variables, reached);
    const gradients = this.model.parameters.map((parameter) => {
      const { name } = parameter.variable;
      return { parameter, name, tensor: mean[name] ?? null };
    });
    return { losses, outputs, gradients, sums };
  }

  readonly hessianProduct = (run: () => tf.Scalar, direction: Gradients<M>): Gradients<M> => {
    const { model } = this;
    const variables = model.parameters.map(({ variable }) => variable);
    const along = new Map(direction.map(({ name, tensor }) => [name, tensor]));
    const found = this.#twiceDifferentiated(() =>
      hessianProduct(
        run,
        variables,
        variables.map(({ name }) => along.get(name) ?? null),
      ),
    );
    const products = Object.fromEntries(
      Object.entries(found).flatMap(([name, tensor]) => (tensor ? [[name, tensor]] : [])),
    );
    const mean = meanGradients(this.#context.allReduce, products, variables);
    return model.parameters.map((parameter) => {
      const { name } = parameter.variable;
      return { parameter, name, tensor: mean[name] ?? null };
    });
  };

  /** @throws {OptionError} In place of the error that says which operation has no gradient. */
  #twiceDifferentiated<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      const [, operation] = /gradient function not found for (\w+)/.exec(String(error)) ?? [];
      if (operation === undefined) throw error;
      throw new OptionError(
        `A method differentiates gradients once more, and the model has an operation of which TensorFlow.js cannot: ${operation}. Take another model, or settings of the method that need first derivatives only.`,
        { option: 'model', value: operation, accepted: 'operations with second derivatives' },
      );
    }
  }

  readonly update = (gradients: Gradients<M>, outputs: Outputs<M>): void => {
    const frozen = gradients.map((_, i) => this.#plans.some(({ coefficients }) => coefficients[i] === null));
    const withFrozen = (list: Gradients<M>): Gradients<M> =>
      frozen.includes(true)
        ? list.map((gradient, i) => (frozen[i] && gradient.tensor ? { ...gradient, tensor: null } : gradient))
        : list;
    let edited = withFrozen(gradients);
    this.#running.present.forEach((method, i) => {
      const { coefficients = [] } = this.#plans[i] ?? {};
      edited = scaled(edited, (place) => (frozen[place] ? 1 : (coefficients[place] ?? 1)));
      if (method.edit) edited = this.#running.edit(method, edited, outputs, this);
    });
    this.#context.applyGradients(withFrozen(edited));
  };

  protected override mode(): PassMode<M> {
    const training = perModality(
      this.model.modalities,
      (modality) => !this.#whole.#plans.some(({ inference }) => inference(modality)),
    );
    const gradients = this.#reached();
    return { training, ...(gradients && { gradients }) };
  }

  protected override run(batch: Inputs<M>, mode: PassMode<M>): Outputs<M> {
    const outputs = super.run(batch, mode);
    this.#count(batch, mode);
    assertLabels(this.task, this.batch.labels, outputs.logits, this.output);
    this.#keep(outputs);
    return outputs;
  }

  /** Notes that a pass ran. */
  #count({ inputs }: Inputs<M>, mode: PassMode<M>): void {
    const { passes } = this.#context;
    const parts = this === this.#whole ? 1 : this.#whole.#parts.length;
    const ran = this.model.modalities.filter((modality) => inputs[modality] as tf.Tensor | undefined);
    passes.add('forward', ran, 1 / parts);
    const recorded = this.#active && this.#active.length > 0;
    if (recorded)
      passes.add(
        'backward',
        ran.filter((modality) => isDifferentiated(mode, modality)),
        1 / parts,
      );
  }

  /**
   * Which encoders have a parameter that the present pass is differentiated by. The others' features are constants, so that nothing is
   * saved for a backward pass that they will not have.
   */
  #reached(): PerModality<M, boolean> | undefined {
    const { modalities, parameters } = this.model;
    const active = this.#active;
    if (!active || active.length === parameters.length) return undefined;
    const inEncoder = ({ modality, role }: Parameter<M>, of: M): boolean =>
      modality === of && role !== 'head';
    return perModality(
      modalities,
      (modality) =>
        active.some((parameter) => inEncoder(parameter, modality)) ||
        // Nothing says that there is an encoder.
        !parameters.some((parameter) => inEncoder(parameter, modality)),
    );
  }

  #keep(found: Outputs<M> | LossTerms): void {
    for (const tensor of tf.tensor_util.getTensorsInContainer({ ...found })) {
      // What is kept already is somebody else's, and so are weights and the batch.
      if (this.#kept.has(tensor) || tensor.kept || tensor instanceof tf.Variable) continue;
      if (Object.values<tf.Tensor>(this.batch.inputs).includes(tensor)) continue;
      this.#kept.add(tf.keep(tensor));
    }
  }

  /**
   * What a mean over samples of this batch is multiplied by: the mean of these over processes and parts is the mean over all samples. Of
   * weighted means, with the samples' weights for their number.
   */
  #share(weights: Weights, modality?: M): number {
    const parts = this === this.#whole ? 1 : this.#whole.#parts.length;
    const terms = parts * this.allReduce.processes;
    if (terms === 1) return 1;
    const countOf = ({ total, byModality }: Counts<M>): number =>
      modality === undefined ? total : byModality[modality];
    const all = countOf(this.#whole.#inAll(weights));
    return all === 0 ? 1 : (terms * countOf(this.#here(weights))) / all;
  }

  /** Of the batch in this process. */
  #here(classWeights: Weights): Counts<M> {
    const kind = classWeights === 'samples' ? 'samples' : 'weights';
    const found = this.#counts[kind];
    if (found) return found;
    const { batch, model } = this;
    const weights =
      classWeights === 'samples'
        ? batch.ids.map(() => 1)
        : Array.from(valuesOf<'int32'>(batch.labels), (label) => classWeights[label] ?? 0);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const total = sum(weights);
    const sumOf = (modality: M): number => {
      const rows = presentSamples(batch, modality);
      return rows ? sum(rows.map((i) => weights[i] as number)) : total;
    };
    return (this.#counts[kind] = { total, byModality: perModality(model.modalities, sumOf) });
  }

  /** Of the batch in all processes together. */
  #inAll(weights: Weights): Counts<M> {
    const kind = weights === 'samples' ? 'samples' : 'weights';
    const found = this.#allCounts[kind];
    if (found) return found;
    const { modalities } = this.model;
    const known = weights === 'samples' ? this.#known() : undefined;
    if (known) return (this.#allCounts[kind] = known);
    const { total, byModality } = this.#here(weights);
    const sums = summed(this.allReduce, [total, ...modalities.map((modality) => byModality[modality])]);
    const sumOf = (modality: M): number => sums[1 + modalities.indexOf(modality)] as number;
    return (this.#allCounts[kind] = {
      total: sums[0] as number,
      byModality: perModality(modalities, sumOf),
    });
  }

  /** What each process found in its rows: all come to the same sentence. */
  #inAnyProcess(own: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
    const { allReduce } = this.#context;
    if (allReduce.processes === 1 || allReduce.rank === undefined) return [...own];
    const bytes = new TextEncoder().encode(JSON.stringify([...own].slice(0, 1)));
    return gatherBytes(allReduce, bytes).flatMap(
      (found) => JSON.parse(new TextDecoder().decode(found)) as [string, string][],
    );
  }

  /** How many samples all processes have: where they share a batch, each has seen the whole of it. */
  #known(): Counts<M> | undefined {
    const parts = this.#parts.map((part) => part.#shared);
    if (!parts.every((counts) => counts !== undefined)) return undefined;
    const sumOf = (of: (counts: Counts<M>) => number): number =>
      parts.reduce((sum, counts) => sum + of(counts), 0);
    return {
      total: sumOf(({ total }) => total),
      byModality: perModality(this.model.modalities, (m) => sumOf(({ byModality }) => byModality[m])),
    };
  }

  #assertFinite(losses: Readonly<Record<string, number>>): void {
    const parts = Object.keys(losses).filter((part) => !Number.isFinite(losses[part]));
    // The total is not finite because a part of it is not.
    const broken = parts.find((part) => part !== 'total') ?? parts[0];
    if (broken === undefined) return;
    const { epoch, optimizer } = this;
    const { ids } = this.batch;
    const step = this.batchIndex + 1;
    // A probe is in no epoch.
    const where = epoch === 0 ? 'outside of the steps' : `in epoch ${epoch}, step ${step}`;
    const which = broken === 'total' ? '' : ` (part "${broken}")`;
    // What masks hide is a target of methods that need complete inputs.
    const { present, ...complete } = this.batch;
    const isSeen = this.#running.present.some(({ needs }) => needs?.inputs === 'complete');
    const seen = { ...complete, ...(present && !isSeen && { present }) };
    const [[id, culprit] = []] = this.#inAnyProcess(nonFiniteInputs(seen, this.model.modalities));
    const advice = culprit
      ? `Sample "${id}": ${culprit}. Repair it, or leave it out.`
      : `All inputs are finite. Lower the learning rate (now ${optimizer.learningRate}).`;
    throw new G2DError(
      'G2D_DIVERGED',
      `The loss is ${losses[broken]}${which} ${where}, on the samples ${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ', …' : ''}. ${advice}`,
      { epoch, step, part: broken, loss: losses, ids },
    );
  }
}

/** What samples count: one each, or the weights of their classes. */
type Weights = 'samples' | readonly number[];

/** One method's plan: a coefficient for each parameter, in the parameters' order. */
interface StepPlan<M extends string> {
  readonly coefficients: readonly (number | null)[];
  readonly inference: (modality: M) => boolean;
}

function coefficientOf<M extends string>(plan: Plan<M> | undefined, parameter: Parameter<M>): number | null {
  if (!plan?.coefficient) return 1;
  const found = plan.coefficient(parameter);
  if (found === null || Number.isFinite(found)) return found;
  throw new OptionError(
    `A plan gives ${parameter.name} the coefficient ${found}; it must be a finite number, or null to freeze it.`,
    { option: 'coefficient', value: found, accepted: 'a finite number, or null' },
  );
}

/** Gradients times a coefficient each; 0 makes zeros also where there was none, so that momentum and decay go on. */
function scaled<M extends string>(
  gradients: Gradients<M>,
  coefficient: (place: number) => number | null,
): Gradients<M> {
  if (gradients.every((_, i) => coefficient(i) === 1)) return gradients;
  return gradients.map((gradient, i) => {
    const { tensor, parameter } = gradient;
    const factor = coefficient(i);
    // Never 0 · g: a gradient that is not finite would survive as NaN.
    if (factor === 0) return { ...gradient, tensor: tf.zerosLike(parameter.variable) };
    return tensor && factor !== 1 && factor !== null
      ? { ...gradient, tensor: tf.mul(tensor, factor) }
      : gradient;
  });
}

/** Places of the samples of a batch that have a modality; `undefined` if all have it. */
function presentSamples<M extends string>({ present }: Batch<M>, modality: M): readonly number[] | undefined {
  const mask = valuesOf(present?.[modality]);
  if (!mask || mask.every((value) => value > 0)) return undefined;
  return [...mask.keys()].filter((i) => (mask[i] as number) > 0);
}

/** The task's loss over some samples; 0, with gradients 0, over none. */
function lossOfRows(
  labels: Labels,
  logits: tf.Tensor2D,
  samples: readonly number[],
  options: StudentLossOptions,
): tf.Scalar {
  return tf.tidy(() => {
    if (samples.length === 0) return tf.mul(tf.sum(logits), 0) as tf.Scalar;
    const rows = tf.tensor1d([...samples], 'int32');
    return studentLoss(tf.gather<tf.Tensor>(labels, rows) as Labels, tf.gather(logits, rows), options);
  });
}

/** The mean over the samples that have a modality; one of them at least. Call it inside a `tf.tidy`. */
function meanOverPresent(values: tf.Tensor1D, mask: tf.Tensor1D | undefined): tf.Tensor {
  if (!mask) return tf.mean(values);
  const present = tf.greater(mask, 0);
  const sum = tf.sum(tf.where(present, values, tf.zerosLike(values)));
  return tf.div(sum, tf.sum(tf.cast(present, 'float32')));
}

/**
 * The losses of a batch from those of its parts.
 *
 * @param numbers Of all terms of the first part, then of the second.
 */
function meanLosses(parts: readonly LossTerms[], numbers: readonly number[]): Record<string, number> {
  let next = 0;
  const series = parts.map((terms) => ({ losses: mapValues(terms, () => numbers[next++] as number) }));
  const [{ losses } = { losses: {} }] = series;
  return series.length === 1 ? losses : (meanSeries(series)['losses'] as Record<string, number>);
}

/** @throws {OptionError} Unless the labels are those of the task: another's would train something else, silently. */
function assertLabels(task: Task, labels: Labels, logits: tf.Tensor2D, output: RegressionOutput): void {
  const [batch, classes] = logits.shape;
  const shape = task === 'multi-label' ? [batch, classes] : [batch];
  if (labels.shape.join() !== shape.join()) {
    throw new OptionError(
      `A batch has labels of the shape [${labels.shape.join(', ')}], but a ${taskWords(task)} with this model has [${shape.join(', ')}]. Give the training another \`task\`, or other labels.`,
      { option: 'labels', value: labels.shape, accepted: `[${shape.join(', ')}]` },
    );
  }
  if (task === 'classification') assertClasses(labels, logits);
  else if (task === 'regression') assertTargets(labels, output);
  else assertSets(labels);
}

function assertClasses(labels: Labels, { shape: [, classes] }: tf.Tensor2D): void {
  const wrong = valuesOf<'int32'>(labels).find((label) => label < 0 || label >= classes);
  if (wrong === undefined) return;
  throw new OptionError(
    `A batch has the label ${wrong}, but the model has ${classes} classes, 0 to ${classes - 1}. Such a sample would train nothing, silently.`,
    { option: 'labels', value: wrong, accepted: `0 to ${classes - 1}` },
  );
}

function assertSets(labels: Labels): void {
  const wrong = valuesOf(labels).find((value) => value !== 0 && value !== 1);
  if (wrong === undefined) return;
  throw new OptionError(
    `A batch of a multi-label task has the label ${wrong}; labels are 1 for each class that a sample has, and 0 for the others.`,
    { option: 'labels', value: wrong, accepted: '0 and 1' },
  );
}

function assertTargets(labels: Labels, output: RegressionOutput): void {
  const isPossible = (target: number): boolean =>
    output === 'identity' ? Number.isFinite(target) : target >= 0 && target <= 1;
  const wrong = valuesOf(labels).find((target) => !isPossible(target));
  if (wrong === undefined) return;
  if (output === 'identity')
    throw new OptionError(
      `A batch has the target ${wrong}, which is no finite number. Repair the sample, or leave it out.`,
      { option: 'labels', value: wrong, accepted: 'finite numbers' },
    );
  throw new OptionError(
    `A batch has the target ${wrong}, but predictions are sigmoid(z), in (0, 1). Scale the targets into [0, 1], or take the outputs themselves for predictions (\`loss: { output: 'identity' }\`).`,
    { option: 'labels', value: wrong, accepted: '0 to 1' },
  );
}
