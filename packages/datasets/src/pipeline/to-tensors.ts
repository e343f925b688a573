import { OptionError, perModality, type RandomStream } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Augmentation } from '../augmentation.js';
import type { Batch } from '../batch.js';
import type { Label, Labels, MultimodalDataset, Sample, Task } from '@g2d/core';
import { hasFreeLength, unitLength, written, type SampleShape } from './shapes.js';

/** A sample that was read, and its id. */
export type IdentifiedSample<M extends string> = Pick<Sample<M>, 'id' | 'label' | 'inputs' | 'present'>;

/** How samples become tensors. */
interface TensorOptions<M extends string> {
  readonly modalities: readonly M[];
  readonly augment: Partial<Readonly<Record<M, Augmentation>>>;
  /** The stream of an augmentation. */
  readonly stream: (modality: M, id: string) => RandomStream;
}

/** Stacks samples into the tensors of a batch. */
export function toTensors<M extends string>(
  dataset: MultimodalDataset<M>,
  samples: readonly IdentifiedSample<M>[],
  { modalities, augment, stream }: TensorOptions<M>,
): Batch<M> {
  const { shapes, task, classNames, incomplete = [] } = dataset;
  // Everything that can fail comes first.
  const stacked = perModality(modalities, (modality) =>
    stack(samples, modality, shapes[modality], augment[modality], (id) => stream(modality, id)),
  );
  const free = modalities.filter((modality) => hasFreeLength(shapes[modality]));
  const missable = modalities.filter((modality) => incomplete.includes(modality));
  // tidy: if one tensor cannot be made, the earlier ones do not stay behind.
  return tf.tidy(() => ({
    inputs: perModality(modalities, (modality) => {
      const { values, shape } = stacked[modality];
      return tf.tensor(values, [samples.length, ...shape]);
    }),
    labels: labelTensor(
      task,
      samples.map(({ label }) => label),
      classNames.length,
    ),
    ids: samples.map(({ id }) => id),
    ...(missable.length > 0 && {
      present: perModality(missable, (modality) =>
        tf.tensor1d(Float32Array.from(samples, ({ present }) => (present?.[modality] === false ? 0 : 1))),
      ) as Partial<Record<M, tf.Tensor1D>>,
    }),
    ...(free.length > 0 && {
      masks: perModality(free, (modality) => {
        const { lengths, shape } = stacked[modality];
        const longest = shape[0] as number;
        const real = new Float32Array(samples.length * longest);
        lengths.forEach((length, i) => real.fill(1, i * longest, i * longest + length));
        return tf.tensor2d(real, [samples.length, longest]);
      }) as Partial<Record<M, tf.Tensor2D>>,
    }),
  }));
}

/** The labels of a batch; checked before. */
function labelTensor(task: Task, labels: readonly Label[], classes: number): Labels {
  if (task === 'multi-label') {
    const hot = new Float32Array(labels.length * classes);
    labels.forEach((ids, i) => {
      for (const id of ids as readonly number[]) hot[i * classes + id] = 1;
    });
    return tf.tensor2d(hot, [labels.length, classes]);
  }
  const numbers = labels as readonly number[];
  return task === 'regression'
    ? tf.tensor1d(Float32Array.from(numbers))
    : tf.tensor1d(Int32Array.from(numbers), 'int32');
}

interface Stacked {
  /** `[B, …shape]`, padded with zeros at the end of the first axis. */
  readonly values: Float32Array;
  readonly shape: readonly number[];
  /** Steps of each sample; 1 where the length is not free. */
  readonly lengths: readonly number[];
}

function stack<M extends string>(
  samples: readonly IdentifiedSample<M>[],
  modality: M,
  shape: SampleShape,
  augment: Augmentation | undefined,
  stream: (id: string) => RandomStream,
): Stacked {
  const unit = unitLength(shape);
  const lengths = samples.map(({ inputs }) => inputs[modality].length / unit);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 1);
  const row = longest * unit;
  const values = new Float32Array(samples.length * row);
  const shapeOf = (length: number): number[] => shape.map((axis) => axis ?? length);
  samples.forEach(({ id, inputs, present }, i) => {
    const input = inputs[modality];
    // What is missing stays zeros.
    const augmented =
      augment === undefined || present?.[modality] === false
        ? input
        : augment(input, shapeOf(lengths[i] as number), stream(id));
    if (augmented.length !== input.length) {
      throw new OptionError(
        `The augmentation of "${modality}" made ${augmented.length} values of ${input.length}; it must keep the shape ` +
          `${written(shapeOf(lengths[i] as number))}.`,
        { option: 'augment', value: augmented.length, accepted: `${input.length} values` },
      );
    }
    values.set(augmented, i * row);
  });
  return { values, shape: shapeOf(longest), lengths };
}
