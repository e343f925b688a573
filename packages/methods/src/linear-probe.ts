import { studentLoss } from '@g2d/distill';
import { concatFusion, lateFusion, type FusionOptions } from '@g2d/fusion';
import { OptionError } from '@g2d/core';
import type { Method } from '@g2d/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { presentLoss } from './present-loss.js';
import { separateHeads } from './separate-heads.js';

/** Settings of `linearProbe`. */
export interface LinearProbeOptions {
  /**
   * `'fused'` (default): the fusion that the model has, on the loss of its fused logits. `'each'`: also a head of every modality's own,
   * on L = CE(z, y) + Σ_m CE(u_m, y), so that the unimodal scores are those of linear probes too; the hook `fusion` makes such heads.
   */
  readonly heads?: 'fused' | 'each';
}

const HEADS = ['fused', 'each'];

/**
 * Linear probe: the encoders stay as they are, bit for bit, in inference mode, and only the fusion trains. What linear heads can make of
 * features that were learned before.
 *
 * The encoders' weights come from other trainings: give the model the very encoders of the teachers or of a joint model, or copy
 * their weights with `copyEncoders`.
 *
 * Whether UMT or UME suits a dataset is decided by a probe of the teachers' encoders with `concatFusion`: if it is better than
 * `teacherEnsemble` on the validation part, paired features matter and UMT is the one to take, otherwise UME.
 *
 * @throws {OptionError} If `heads` is another.
 * @example
 * const model = new MultimodalModel({ encoders: { audio, image }, fusion: concatFusion(options) });
 * await train({ model, methods: [linearProbe()], … });
 * @see G2D, Sec. 4; the rule: Du et al., On Uni-Modal Feature Learning in Supervised Multi-Modal Learning (2023)
 */
export function linearProbe<M extends string>({ heads = 'fused' }: LinearProbeOptions = {}): Method<M> {
  if (!HEADS.includes(heads)) {
    throw new OptionError(`\`heads\` is "${String(heads)}"; it must be one of ${HEADS.join(', ')}.`, {
      option: 'heads',
      value: heads,
      accepted: HEADS.join(', '),
    });
  }
  let isHead: (variable: string) => boolean;
  const frozenEncoders: Method<M> = {
    name: 'linear-probe',
    onTrainStart({ model }) {
      const trained = new Set(
        [...model.groups()]
          .filter(([, { role }]) => role === 'head' || role === 'shared')
          .map(([name]) => name),
      );
      isHead = (variable) => trained.has(variable);
    },
    encoderTraining: () => false,
    activeVariables: (variables) => variables.filter(({ name }) => isHead(name)),
    // Another method may have made zeros of what it suppresses, which would let the encoders decay.
    afterBackward: (gradients) =>
      gradients.map(({ name, tensor }) => ({ name, tensor: isHead(name) ? tensor : null })),
  };
  if (heads === 'fused') return frozenEncoders;
  return {
    ...frozenEncoders,
    fusion: <K extends M>(options: FusionOptions<K>) =>
      separateHeads(concatFusion(options), lateFusion(options)),
    loss(step, { logits, unimodalLogits }) {
      const student = studentLoss(step.batch.labels, logits, { task: step.task });
      const own = step.model.modalities.map(
        (modality) => [modality, presentLoss(step, modality, unimodalLogits[modality])] as const,
      );
      const total = tf.addN([student, ...own.map(([, loss]) => loss)]) as tf.Scalar;
      return { ...Object.fromEntries(own), student, total };
    },
  };
}
