import {
  defineMethod,
  perModality,
  type Hooks,
  type LossTerms,
  type Model,
  type Outputs,
  type Step,
} from '@g2d/core';
import type { MultimodalModel } from '@g2d/fusion';
import { stopGradient } from '@g2d/tensor-ops';
import { readState } from '@g2d/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { completeInput } from './complete-input.js';
import { copyEncoders } from './copy-encoders.js';
import { initializationOption } from './initialization.js';
import { maskedPass } from './masked-pass.js';
import { mminFusion, type ImaginedOutputs } from './mmin-fusion.js';
import * as recipes from './recipes.js';

const sizes = z.array(z.int().min(1)).min(1).readonly();
const weight = z.number().min(0);

const options = z.strictObject({
  units: sizes
    .default([256, 128, 64])
    .describe('of the layers of each block, down to the latent; GCNet’s grid also has [128, 64, 32]'),
  blocks: z.int().min(1).default(5).describe('of each autoencoder; GCNet’s grid has 2, 5 and 8'),
  hidden: sizes.default([128, 128]).describe('of the hidden layers of the classifier'),
  dropout: z.number().min(0).lt(1).default(0.5).describe('in the classifier'),
  imaginationWeight: weight
    .default(4)
    .describe('of the distance to what the teacher sees; 2 for MSP; GCNet’s grid has 0.2, 1 and 4'),
  cycleWeight: weight
    .default(2)
    .describe(
      'of the distance from the features to themselves, imagined back; 0.5 for MSP; GCNet’s grid has 1 and 2',
    ),
  taskWeight: weight.default(1).describe('of the task’s loss'),
  shareWeights: z
    .boolean()
    .default(false)
    .describe('one autoencoder for both directions, as in the released command for MSP'),
  initialization: initializationOption
    .default('kaiming')
    .describe(
      'of the dense layers: kaiming, as in MMIN’s commands; normal with the deviation 0.02, as in GCNet’s; xavier',
    ),
});

/**
 * MMIN, the missing modality imagination network: imagines from the features that a sample has those that a teacher sees in what it lacks, and these back again.
 *
 * L = w CE(z, y) + λ MSE(h′, t) + μ MSE(sg(h), h″),  t = the teacher's features of the inputs that are missing, with zeros for those that are there
 *
 * The teacher is a finished run of all modalities with the same encoders, trained on complete data (MMIN: joint training with the `concat-mlp` fusion); this is the second stage.
 * The student begins with its encoders and trains them on; the teacher stays, in inference mode. A missing input is zeros and encoded like any other (`maskedPass`). For a modality that is there the target is what the
 * teacher makes of zeros. Means are over batch and features; for a regression the task's loss is the squared error. Two modalities or more, over any encoders: `lstm` and `text-cnn` are MMIN's own, `mlp` is
 * GCNet's. Data: `missingModalities` with `inputs: 'complete'`, which a run does by itself.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if the teacher has other encoders.
 * @example
 * const teachers = frozenTeachers({}, { full: teacher });
 * await train({ model, methods: [mmin()], teachers, optimizer: { type: 'adam', betas: [0.5, 0.999], clipping: { norm: 1, per: 'network' }, … }, … });
 * @see Zhao et al., Missing Modality Imagination Network for Emotion Recognition with Uncertain Missing Modalities (ACL 2021); released code
 */
export const mmin = defineMethod({
  name: 'mmin',
  label: 'MMIN',
  summary: 'imagines what a teacher sees in the missing inputs',
  source: {
    paper: 'Zhao et al., ACL 2021',
    code: 'MMIN 69a45fe, models/mmin_model.py; GCNet 8cce4a0, baseline-mmin',
  },
  recipe: recipes.mmin,
  needs: { teachers: 'full', inputs: 'complete', modalities: { min: 2 } },
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M> => ({
    fusion: (given) => mminFusion(given, own),
    init({ model, teachers }) {
      const saved = readState(teachers.full());
      copyEncoders(
        model as MultimodalModel<M>,
        perModality(model.modalities, () => saved),
      );
    },
    forward: maskedPass,
    loss(outputs, step): LossTerms {
      const { joined: h, imagined, cycled } = outputs as ImaginedOutputs<M>;
      const share = step.share();
      const distance = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Scalar =>
        tf.mul(tf.mean(tf.squaredDifference(a, b)), share);
      const student = step.taskLoss(outputs.logits);
      const imagination = distance(imagined, imaginationTarget(step.teachers.full(), step));
      const cycle = distance(cycled, stopGradient(h));
      const total = tf.addN([
        tf.mul(student, own.taskWeight),
        tf.mul(imagination, own.imaginationWeight),
        tf.mul(cycle, own.cycleWeight),
      ]) as tf.Scalar;
      return { total, student, imagination, cycle };
    },
  }),
});

/** t `[B, Σ D_m]`: a teacher's features of the missing inputs, constants. */
export function imaginationTarget<M extends string>(
  teacher: Model<M>,
  { batch, model: { modalities } }: Pick<Step<M>, 'batch' | 'model'>,
): tf.Tensor2D {
  const { present, masks } = batch;
  const complement = perModality(modalities, (m) => {
    const mask = present?.[m];
    const x = completeInput(batch, m);
    const rows = mask && tf.reshape(tf.lessEqual(mask, 0), [-1, ...x.shape.slice(1).map(() => 1)]);
    return rows ? tf.where(rows, x, tf.zerosLike(x)) : tf.zerosLike(x);
  });
  const { features, encoded = features } = teacher.forward(
    { inputs: complement, masks },
    { training: false, gradients: false },
  ) as Outputs<M> & { readonly encoded?: Outputs<M>['features'] };
  return tf.concat(
    modalities.map((m) => encoded[m]),
    1,
  );
}
