import { studentLoss } from '@g2d/distill';
import { OptionError } from '@g2d/tensor-ops';
import type { Method, Step } from '@g2d/trainer';
import * as tf from '@tensorflow/tfjs-core';

/** Settings of `mla`. */
export interface MlaOptions<M extends string> {
  /** The order in which modalities take their steps. Default: the model's. */
  readonly order?: readonly M[];
}

/**
 * MLA: every batch is one step for each modality in turn, with its own encoder and the head that all share.
 *
 * for each m: u_m = h(f_m),  L_m = CE(u_m, y),  a step of encoder m and of the head h, which the next modality finds updated
 *
 * The model needs a `sharedHeadFusion`, which also weighs the modalities at inference. The gradient projection of the paper is left out, as
 * it is in the released code: that looks for a parameter by a name that the head does not have, so the published numbers are those of plain
 * alternation.
 *
 * @throws {OptionError} In the first step, if the model's head is not shared, or `order` does not name each modality once.
 * @example
 * await train({ model, methods: [mla()], … });
 * @see Zhang et al., MLA (CVPR 2024), Sec. 3; released code, `main.py`; G2D, Sec. 4
 */
export function mla<M extends string>({ order: given }: MlaOptions<M> = {}): Method<M> {
  let order: readonly M[];
  return {
    name: 'mla',
    onTrainStart({ model }) {
      order = given ?? model.modalities;
      if ([...order].sort().join() !== [...model.modalities].sort().join()) {
        throw new OptionError(
          `\`order\` is [${order.join(', ')}]; it must name each of ${model.modalities.join(', ')} once.`,
          { option: 'order', value: order, accepted: model.modalities.join(', ') },
        );
      }
      const roles = [...model.groups().values()].map(({ role }) => role);
      if (roles.includes('head') || !roles.includes('shared')) {
        throw new OptionError(
          'MLA needs one head that all modalities share, and the model has others. Build its fusion with `sharedHeadFusion`.',
          { option: 'model', value: roles, accepted: 'sharedHeadFusion' },
        );
      }
    },
    trainStep(step) {
      const loss: Record<string, number> = {};
      const logits = {} as Record<M, tf.Tensor2D>;
      for (const modality of order) {
        const variables = ownVariables(step, modality);
        const { loss: found, gradients } = step.differentiate(() => {
          logits[modality] = step.forward({ modalities: [modality] }).unimodalLogits[modality];
          return { total: studentLoss(step.batch.labels, logits[modality], { task: step.task }) };
        }, variables);
        step.optimizer.applyGradients(gradients);
        loss[modality] = found['total'] as number;
      }
      const all = order.map((modality) => logits[modality]);
      const total = order.reduce((sum, modality) => sum + (loss[modality] as number), 0);
      const mean = tf.div<tf.Tensor2D>(tf.addN(all), all.length);
      return { loss: { total, ...loss }, outputs: { logits: mean, unimodalLogits: logits } };
    },
  };
}

/** Variables of a modality's encoder and of the shared head. */
function ownVariables<M extends string>({ model }: Step<M>, modality: M): tf.Variable[] {
  const groups = model.groups();
  return model.variables.filter(({ name }) => {
    const group = groups.get(name);
    return group?.role === 'shared' || group?.modality === modality;
  });
}
