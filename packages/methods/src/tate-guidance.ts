import { OptionError, perModality, type Inputs, type Step } from '@g2d/core';
import type * as tf from '@tensorflow/tfjs-core';
import { completeInput } from './complete-input.js';
import { presentRows } from './present-rows.js';
import type { TaggedOutputs } from './tate-fusion.js';

/**
 * What the encoding of a batch is led to, a constant: the full teacher's on complete inputs or on those that samples have, or the network's own with other dropout.
 *
 * @throws {OptionError} If the teacher was not trained with TATE.
 */
export function guidance<M extends string>(
  guide: 'teacher' | 'teacher-incomplete' | 'self',
  step: Step<M>,
): tf.Tensor3D {
  if (guide === 'self') {
    const again = { missing: 'zero-input', gradients: false, runningStatistics: 'keep' } as const;
    return (step.forward(again) as TaggedOutputs<M>).encoded;
  }
  const { batch } = step;
  const { masks, present } = batch;
  const inputs = batch.inputs as Inputs<M>['inputs'];
  // One that no sample has may have no input: the model encodes zeros.
  const known = step.model.modalities.filter((m) => guide === 'teacher' || inputs[m]);
  const given = perModality(known, (m) =>
    guide === 'teacher' ? completeInput(batch, m) : presentRows(inputs[m] as tf.Tensor, present?.[m]),
  ) as Inputs<M>['inputs'];
  const { encoded } = step.teachers
    .full()
    .forward(
      { inputs: given, masks, ...(guide === 'teacher-incomplete' && { zeroed: present }) },
      { training: false, gradients: false },
    ) as Partial<TaggedOutputs<M>>;
  if (encoded) return encoded;
  throw new OptionError(
    'The full teacher of TATE gives no encoding. Train it with the method "tate" and `guide: "none"`, on the same modalities and with the same sizes.',
    { option: 'teachers.full', value: undefined, accepted: 'a run of the method "tate"' },
  );
}
