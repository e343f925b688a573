import * as tf from '@tensorflow/tfjs-core';
import {
  OptionError,
  perModality,
  type AllReduce,
  type Inputs,
  type Outputs,
  type Pass,
  type PassMode,
  type PassOptions,
  type Presence,
  type Training,
  type Unlabelled,
} from '@g2d/core';

/** One batch and passes over it in inference mode: what predictions are made with. */
export class BatchPass<M extends string> implements Pass<M> {
  readonly training: boolean = false;
  readonly batch: Unlabelled<M>;
  readonly model;
  readonly task;
  readonly output;
  readonly epochs;
  readonly batchesPerEpoch;
  readonly optimizer;
  readonly allReduce;
  readonly random;
  readonly batches;
  readonly everySample;
  readonly features;
  readonly samples;
  readonly probe;
  readonly snapshot;
  readonly restore;
  readonly #training: Training<M>;
  readonly #judged: boolean;
  #teacherOutputs: Pass<M>['teacherOutputs'] | undefined;

  /**
   * @param judged Whether a method needs the teachers' outputs.
   * @param allReduce Who has the rest of the batch.
   */
  constructor(
    training: Training<M>,
    batch: Unlabelled<M>,
    judged: boolean,
    allReduce: AllReduce = training.allReduce,
  ) {
    this.batch = batch;
    this.model = training.model;
    this.task = training.task;
    this.output = training.output;
    this.epochs = training.epochs;
    this.batchesPerEpoch = training.batchesPerEpoch;
    this.optimizer = training.optimizer;
    this.allReduce = allReduce;
    this.random = training.random;
    this.batches = training.batches;
    this.everySample = training.everySample;
    this.features = training.features;
    this.samples = training.samples;
    this.probe = training.probe;
    this.snapshot = training.snapshot;
    this.restore = training.restore;
    this.#training = training;
    this.#judged = judged;
  }

  get teachers() {
    return this.#training.teachers;
  }

  get teacherOutputs() {
    if (this.#judged) return (this.#teacherOutputs ??= this.teachers.outputs(this.batch));
    throw new OptionError(
      'A method asks for the teachers’ outputs but does not declare `needs: { teachers: "unimodal" }`.',
      { option: 'needs', value: undefined, accepted: '{ teachers: "unimodal" }' },
    );
  }

  readonly forward = (options: PassOptions<M> = {}): Outputs<M> => {
    const { modalities: _, zeroInputs: __, missing: ___, ...mode } = options;
    return this.run(passInputs(this.model.modalities, this.batch, options), { ...this.mode(), ...mode });
  };

  readonly log: Pass<M>['log'] = () => {};

  /** How a pass runs where its options say nothing. */
  protected mode(): PassMode<M> {
    return { training: false };
  }

  protected run(batch: Inputs<M>, mode: PassMode<M>): Outputs<M> {
    return this.model.forward(batch, mode);
  }
}

/** A batch without some modalities, or with inputs of 0. */
function passInputs<M extends string>(
  all: readonly M[],
  { inputs, present, masks, ids }: Unlabelled<M>,
  { modalities = all, zeroInputs = [], missing = 'absent' }: PassOptions<M>,
): Inputs<M> {
  const there = modalities.filter((modality) => inputs[modality] as tf.Tensor | undefined);
  const given = perModality(there, (modality) => {
    const input = inputs[modality];
    if (zeroInputs.includes(modality)) return tf.zerosLike(input);
    const mask = missing === 'zero-input' ? present?.[modality] : undefined;
    return mask ? presentRows(input, mask) : input;
  });
  const absent = all.filter((modality) => !modalities.includes(modality));
  const zeros = perModality(absent, () => tf.zeros<tf.Rank.R1>([ids.length]));
  const known = missing === 'zero-input' ? undefined : present;
  const without = perModality(zeroInputs, () => tf.zeros<tf.Rank.R1>([ids.length]));
  const zeroed = { ...(missing === 'zero-input' && present), ...without } as Presence<M>;
  return {
    inputs: given as Inputs<M>['inputs'],
    masks,
    ...(Object.keys(zeroed).length > 0 && { zeroed }),
    present: absent.length > 0 ? ({ ...known, ...zeros } as Presence<M>) : known,
  };
}

/** `[B, …]` with 0 in the rows of absent samples. Selected, not multiplied: 0 · NaN is NaN. */
const presentRows = (input: tf.Tensor, mask: tf.Tensor1D): tf.Tensor => {
  const shape = [-1, ...input.shape.slice(1).map(() => 1)];
  return tf.where(tf.reshape(tf.greater(mask, 0), shape), input, tf.zerosLike(input));
};
