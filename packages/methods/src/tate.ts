import { defineMethod, perModality, type Hooks, type LossTerms, type Outputs } from '@g2d/core';
import type { MultimodalModel } from '@g2d/fusion';
import { readState, writeState } from '@g2d/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { sumShare } from './sum-share.js';
import { tateFusion, type TaggedOutputs } from './tate-fusion.js';
import { guidance } from './tate-guidance.js';
import { bothWays, l2 } from './tate-losses.js';
import * as recipes from './recipes.js';

const weight = z.number().min(0);

const options = z.strictObject({
  guide: z
    .enum(['teacher', 'teacher-incomplete', 'self', 'none'])
    .default('teacher')
    .describe(
      'whose encoding the guidance leads to: that of the full teacher on complete inputs; on what the sample has; as in the released code, that of the network itself with other dropout, which begins with the weights of the teacher; none: the training of the teacher, without the losses of the decoder and the tag',
    ),
  tags: z
    .enum(['sample', 'constant'])
    .default('sample')
    .describe(
      'what the tag says: what the sample lacks; constant: the same for every sample, as in the released code',
    ),
  constantTag: z
    .array(z.string())
    .optional()
    .describe(
      'modalities that a constant tag calls missing. Default: the last, as in the released code for IEMOCAP; visual and audio in that for MOSI',
    ),
  width: z.int().min(1).default(300).describe('D: of a step; as that of the encoders'),
  heads: z.int().min(1).default(4).describe('of the attention'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.2)
    .describe("share of the attention's weights that training sets to 0"),
  testDropout: z
    .boolean()
    .default(false)
    .describe('dropout in predictions too, as in the released code: they are random then'),
  l2Weight: weight
    .default(1)
    .describe('of the squares of the output layer; 0.1 in the released code for IEMOCAP'),
  guideWeight: weight.default(0.1).describe('of the divergence from the guiding encoding'),
  decodingWeight: weight.default(0.1).describe('of the divergence of what is decoded from what was encoded'),
  tagWeight: weight.default(0.1).describe('of the error of the tag in the pooled encoding'),
});

/**
 * TATE, the tag-assisted transformer encoder: a network that is told which modalities a sample lacks, and encodes what is left as a teacher encodes all of it.
 *
 * L = Σ CE(z, y) + w ½ 10⁻⁴ (‖W‖² + ‖b‖²) + 0.1 (K(G, G*) + K(G*, G)) + 0.1 (K(R, N) + K(N, R)) + 0.1 mean |tag − sigmoid(tag′)|
 *
 * K(P, Q) = sum over the batch of the mean over time of KL(softmax P ‖ softmax Q); CE is a sum too, as released: the learning rate and the weights of the means depend on the batch's size. G* is the encoding by
 * the full teacher. A missing input is zeros, which attention leaves out. With `guide: 'none'` L = Σ CE + ½ 10⁻⁴ Σ ‖θ‖² over all parameters: so the teacher is trained, on complete data.
 *
 * Encoders are of the type `tate`. The true values of missing inputs are seen by the teacher alone. u_m are predictions from modality m alone. Two modalities or more; three in the released code.
 *
 * @throws {OptionError} If an option is not accepted; if the encoders are others, or the teacher was not trained with TATE.
 * @example
 * await train({ model, methods: [tate({ guide: 'none' })], … }); // the teacher
 * await train({ model, methods: [tate()], teachers: frozenTeachers({}, { full: teacher }), … });
 * @see Zeng et al., Tag-assisted Multimodal Sentiment Analysis under Uncertain Missing Modalities (SIGIR 2022); released code
 */
export const tate = defineMethod({
  name: 'tate',
  label: 'TATE',
  summary: 'is told what a sample lacks, and encodes the rest as a teacher encodes all',
  source: { paper: 'Zeng et al., SIGIR 2022', code: 'JaydenZeng/TATE e450189' },
  recipe: recipes.tate,
  needs: { task: 'classification', modalities: { min: 2 }, teachers: 'full', inputs: 'complete' },
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M> => {
    const { guide } = own;
    return {
      needs: {
        task: 'classification',
        modalities: { min: 2 },
        ...(guide !== 'none' && { teachers: 'full' }),
        ...(guide === 'teacher' && { inputs: 'complete' }),
      },
      fusion(given) {
        const last = Object.keys(given.widths).slice(-1);
        return tateFusion(given, {
          ...own,
          constantTag: own.tags === 'constant' ? (own.constantTag ?? last) : undefined,
        });
      },
      init(training) {
        if (guide !== 'self') return;
        writeState(training.model as MultimodalModel<M>, readState(training.teachers.full()));
      },
      forward(pass) {
        const missing = 'zero-input';
        // What a modality comes to alone is asked in predictions.
        if (pass.training)
          return { ...pass.forward({ missing }), unimodalLogits: {} as Outputs<M>['unimodalLogits'] };
        const mode = own.testDropout ? ({ training: true, runningStatistics: 'keep' } as const) : {};
        const { modalities } = pass.model;
        const alone = (m: M): tf.Tensor2D =>
          pass.forward({ missing, zeroInputs: modalities.filter((other) => other !== m), ...mode }).logits;
        return { ...pass.forward({ missing, ...mode }), unimodalLogits: perModality(modalities, alone) };
      },
      loss(outputs, step): LossTerms {
        const { encoded, decoded, tagged, tags, tagLogits, logits } = outputs as TaggedOutputs<M>;
        // Sums over all samples, of all processes and parts of the batch.
        const sums = sumShare(step);
        const student = tf.mul<tf.Scalar>(
          step.taskLoss(logits),
          (step.batch.ids.length * sums) / step.share(),
        );
        const { parameters } = step.model;
        if (guide === 'none') {
          const all = l2(parameters.map(({ variable }) => variable));
          return { student, l2: all, total: tf.add<tf.Scalar>(student, all) };
        }
        const output = parameters.filter(({ name }) => name.startsWith('fusion/output/logits/'));
        const parts = {
          student,
          l2: l2(output.map(({ variable }) => variable)),
          guidance: tf.mul<tf.Scalar>(bothWays(encoded, guidance(guide, step)), sums),
          decoding: tf.mul<tf.Scalar>(bothWays(decoded, tagged), sums),
          tag: tf.mul<tf.Scalar>(tf.mean(tf.abs(tf.sub(tags, tf.sigmoid(tagLogits)))), step.share()),
        };
        const total = tf.addN([
          parts.student,
          tf.mul(parts.l2, own.l2Weight),
          tf.mul(parts.guidance, own.guideWeight),
          tf.mul(parts.decoding, own.decodingWeight),
          tf.mul(parts.tag, own.tagWeight),
        ]) as tf.Scalar;
        return { ...parts, total };
      },
    };
  },
});
