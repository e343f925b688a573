import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@g2d/datasets';
import { studentLoss } from '@g2d/distill';
import type { EncoderInput, Outputs, PartialInputs, PassMode, Presence } from '@g2d/fusion';
import { withDropoutSeed } from '@g2d/accelerate';
import { G2DError, OptionError, perModality } from '@g2d/core';
import { deriveSeed, orderedGradients } from '@g2d/tensor-ops';
import { encoderInputs } from './encoder-inputs.js';
import type {
  Differentiated,
  ForwardOptions,
  LossTerms,
  Method,
  Step,
  StepResult,
  Training,
} from './method.js';

/**
 * One step: the methods look at the batch, the model runs forward, the loss is differentiated by the active variables, the
 * methods edit the gradients, the optimizer applies them. A method with a `trainStep` does it its own way.
 *
 * @see G2D, Alg. 1
 */
export function trainStep<M extends string>(step: Step<M>, methods: readonly Method<M>[]): StepResult<M> {
  for (const method of methods) method.onStepStart?.(step);
  const owner = methods.find((method) => method.trainStep);
  if (owner?.trainStep) return owner.trainStep(step);

  const active = methods.reduce(
    (left, method) => method.activeVariables?.(left) ?? left,
    step.model.variables,
  );
  const lossOwner = methods.find((method) => method.loss);
  let outputs: Outputs<M> | undefined;
  const { loss, gradients } = step.differentiate(() => {
    outputs = step.forward();
    return lossOwner?.loss?.(step, outputs) ?? taskLoss(step, outputs);
  }, active);

  const edited = methods.reduce(
    (list, method) => method.afterBackward?.(list, step, outputs as Outputs<M>) ?? list,
    gradients,
  );
  step.optimizer.applyGradients(edited);
  return { loss, outputs: outputs as Outputs<M> };
}

/** The loss of joint training (Eq. 1). */
function taskLoss<M extends string>({ task, batch }: Step<M>, { logits }: Outputs<M>): LossTerms {
  const total = studentLoss(batch.labels, logits, { task });
  return { total, student: total };
}

/** Runs `body` with a step on a batch and frees everything that the step made, also after an error. */
export function withStep<M extends string, T>(
  training: Training<M>,
  methods: readonly Method<M>[],
  place: StepPlace<M>,
  body: (step: Step<M>) => T,
): T {
  const kept: tf.Tensor[] = [];
  // Dropout depends on the run's seed and the step alone, so that a resumed run draws the same masks.
  const seed = deriveSeed(training.seed, `dropout/epoch-${place.epoch}/step-${place.batchIndex}`);
  const run = (): T => withDropoutSeed(seed, () => body(new BatchStep(training, methods, place, kept)));
  try {
    return tf.tidy(() => run() as never) as T;
  } finally {
    tf.dispose(kept);
  }
}

interface StepPlace<M extends string> {
  readonly epoch: number;
  readonly batchIndex: number;
  readonly batch: Batch<M>;
}

class BatchStep<M extends string> implements Step<M> {
  readonly model;
  readonly task;
  readonly epochs;
  readonly batchesPerEpoch;
  readonly optimizer;
  readonly allReduce;
  readonly seed;
  readonly epoch;
  readonly batchIndex;
  readonly batch;
  readonly #training: Training<M>;
  readonly #methods: readonly Method<M>[];
  readonly #kept: tf.Tensor[];
  #teachers: Step<M>['teachers'] | undefined;
  /** What the present pass is differentiated by. */
  #active: readonly tf.Variable[] | undefined;

  constructor(
    training: Training<M>,
    methods: readonly Method<M>[],
    { epoch, batchIndex, batch }: StepPlace<M>,
    kept: tf.Tensor[],
  ) {
    this.model = training.model;
    this.task = training.task;
    this.epochs = training.epochs;
    this.batchesPerEpoch = training.batchesPerEpoch;
    this.optimizer = training.optimizer;
    this.allReduce = training.allReduce;
    this.seed = training.seed;
    this.epoch = epoch;
    this.batchIndex = batchIndex;
    this.batch = batch;
    this.#training = training;
    this.#methods = methods;
    this.#kept = kept;
    if (methods.some((method) => method.teachers === 'unimodal'))
      this.#teachers = training.frozenTeachers.outputs(batch);
  }

  get frozenTeachers() {
    return this.#training.frozenTeachers;
  }

  get teachers() {
    if (this.#teachers) return this.#teachers;
    throw new OptionError('A method asks for teachers but does not declare `teachers: "unimodal"`.', {
      option: 'teachers',
      value: undefined,
      accepted: '"unimodal"',
    });
  }

  random(name: string) {
    return this.#training.random(name);
  }

  batches(epoch: number) {
    return this.#training.batches(epoch);
  }

  createOptimizer(...given: Parameters<Training<M>['createOptimizer']>) {
    return this.#training.createOptimizer(...given);
  }

  snapshot() {
    return this.#training.snapshot();
  }

  restore(...given: Parameters<Training<M>['restore']>) {
    this.#training.restore(...given);
  }

  forward({
    modalities = this.model.modalities,
    zeroInputs = [],
    ...mode
  }: ForwardOptions<M> = {}): Outputs<M> {
    const { model, batch } = this;
    const training = perModality(model.modalities, (modality) => this.#encoderTraining(modality));
    const inputs = encoderInputs(model, batch);
    for (const modality of zeroInputs) inputs[modality] = zerosLike(inputs[modality]);
    const pass = { training, ...mode };
    const absent = model.modalities.filter((modality) => !modalities.includes(modality));
    const zeros = perModality(absent, () => tf.zeros<tf.Rank.R1>([batch.ids.length]));
    const outputs = model.forward(
      Object.fromEntries(modalities.map((modality) => [modality, inputs[modality]])) as PartialInputs<M>,
      pass,
      {
        ready: this.#idleFeatures(modalities, inputs, pass),
        present: absent.length > 0 ? ({ ...batch.present, ...zeros } as Presence<M>) : batch.present,
      },
    );
    if (this.task === 'classification') assertClasses(batch.labels, outputs.logits);
    else assertTargets(batch.labels);
    // They must outlive the pass that is differentiated, for the methods' gradient edits.
    const { features, logits, unimodalLogits } = outputs;
    for (const tensor of [logits, ...tensorsOf(features), ...tensorsOf(unimodalLogits)]) {
      this.#kept.push(tf.keep(tensor));
    }
    return outputs;
  }

  differentiate(lossOf: () => LossTerms, variables: readonly tf.Variable[] = this.model.variables) {
    this.#active = variables;
    let loss: Record<string, number> = {};
    // Without a variable there is no tape.
    if (variables.length === 0) return this.#undifferentiated(lossOf);
    const { grads } = tf.variableGrads(() => {
      const terms = lossOf();
      loss = numbersOf(terms);
      return terms.total;
    }, variables as tf.Variable[]);
    this.#active = undefined;
    this.#assertFinite(loss);
    return { loss, gradients: orderedGradients(this.#reduced(grads, variables), this.model.variables) };
  }

  #undifferentiated(lossOf: () => LossTerms): Differentiated {
    const loss = tf.tidy(() => numbersOf(lossOf()) as never) as Record<string, number>;
    this.#active = undefined;
    this.#assertFinite(loss);
    return { loss, gradients: orderedGradients({}, this.model.variables) };
  }

  /** The mean gradients of all processes: before any method sees them. */
  #reduced(grads: tf.NamedTensorMap, variables: readonly tf.Variable[]): tf.NamedTensorMap {
    const { processes } = this.allReduce;
    if (processes === 1) return grads;
    return Object.fromEntries(
      // A loss that does not reach a variable here may do so elsewhere: every process gives all of them.
      variables.map(({ name, shape, size }) => {
        const values = Float32Array.from(grads[name]?.dataSync() ?? new Float32Array(size));
        this.allReduce.sum(values);
        return [
          name,
          tf.tensor(
            values.map((sum) => sum / processes),
            shape,
          ),
        ];
      }),
    );
  }

  #encoderTraining(modality: M): boolean {
    return this.#methods.every((method) => method.encoderTraining?.(modality) ?? true);
  }

  /**
   * Features of the modalities whose encoder has no active variable: as constants, so that nothing is saved for a backward pass
   * that they will not have.
   */
  #idleFeatures(
    modalities: readonly M[],
    inputs: Partial<Record<M, EncoderInput>>,
    pass: PassMode<M>,
  ): Partial<Record<M, tf.Tensor2D>> {
    if (!this.#active || this.#active.length === this.model.variables.length) return {};
    const groups = this.model.groups();
    const busy = new Set(
      this.#active.flatMap(({ name }) => {
        const group = groups.get(name);
        return group && group.role !== 'head' ? [group.modality] : [];
      }),
    );
    const { present } = this.batch;
    const idle = modalities.filter((modality) => !busy.has(modality) && inputs[modality]);
    return perModality(idle, (modality) => {
      const constant = { ...pass, gradients: false };
      return this.model.encode(modality, inputs[modality] as EncoderInput, constant, present?.[modality]);
    });
  }

  #assertFinite(loss: Readonly<Record<string, number>>): void {
    const parts = Object.keys(loss).filter((part) => !Number.isFinite(loss[part]));
    // The total is not finite because a part of it is not.
    const broken = parts.find((part) => part !== 'total') ?? parts[0];
    if (broken === undefined) return;
    const { epoch, optimizer } = this;
    const { ids } = this.batch;
    const step = this.batchIndex + 1;
    const which = broken === 'total' ? '' : ` (part "${broken}")`;
    throw new G2DError(
      'G2D_DIVERGED',
      `The loss is ${loss[broken]}${which} in epoch ${epoch}, step ${step}, on the samples ${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ', …' : ''}. Lower the learning rate (now ${optimizer.learningRate}), or look for samples that are not finite.`,
      { epoch, step, part: broken, loss, ids },
    );
  }
}

/** An input of zeros, with its padding mask if it has one. */
function zerosLike(input: EncoderInput | undefined): EncoderInput | undefined {
  if (input === undefined) return undefined;
  if (input instanceof tf.Tensor) return tf.zerosLike(input);
  const [values, ...masks] = input as readonly tf.Tensor[];
  return [tf.zerosLike(values as tf.Tensor), ...masks];
}

/** The loss and its parts as numbers. */
const numbersOf = (terms: LossTerms): Record<string, number> =>
  Object.fromEntries(
    Object.entries<tf.Scalar>(terms).map(([part, term]) => [part, term.dataSync()[0] as number]),
  );

function assertClasses(labels: tf.Tensor1D, { shape: [, classes] }: tf.Tensor2D): void {
  const wrong = labels.dataSync<'int32'>().find((label) => label < 0 || label >= classes);
  if (wrong === undefined) return;
  throw new OptionError(
    `A batch has the label ${wrong}, but the model has ${classes} classes, 0 to ${classes - 1}. Such a sample would train nothing, silently.`,
    { option: 'labels', value: wrong, accepted: `0 to ${classes - 1}` },
  );
}

function assertTargets(labels: tf.Tensor1D): void {
  const wrong = labels.dataSync<'float32'>().find((target) => !(target >= 0 && target <= 1));
  if (wrong === undefined) return;
  throw new OptionError(
    `A batch has the target ${wrong}, but predictions are sigmoid(z), in (0, 1). Scale the targets into [0, 1].`,
    { option: 'labels', value: wrong, accepted: '0 to 1' },
  );
}

const tensorsOf = (record: Readonly<Record<string, tf.Tensor>>): tf.Tensor[] => Object.values(record);
