import { defineMethod, OptionError, perModality, type Hooks, type Parameter } from '@g2d/core';
import { gradientNorm, readTogether, scaleGradient, scaleGradients } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { agmCoefficients, agmRatios } from './agm-coefficients.js';
import { classIds } from './class-ids.js';
import { isInside, windowOption } from './options.js';
import { shapleyOutputs } from './shapley.js';
import { trueClassLoss } from './true-class-loss.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  alpha: z
    .number()
    .min(0)
    .describe("strength α; the authors' are 1.5 for CREMA-D, 2.5 for AV-MNIST, 4 for UR-Funny"),
  epochs: windowOption.optional().describe('first and last epoch of the modulation, from 1; default: all'),
  afterWindow: z
    .enum(['one', 'keep-last'])
    .default('one')
    .describe(
      'the factors after the last of these epochs: 1, or those of its last step, as the released code, which never resets them',
    ),
  cap: z
    .number()
    .optional()
    .describe(
      'most of target − ratio; the released code has 10 for CREMA-D, 7 for UR-Funny and none for AV-MNIST',
    ),
  probabilityFloor: z
    .number()
    .min(0)
    .max(1)
    .default(1e-8)
    .describe('least probability in a score; 0: none, as the released code for UR-Funny'),
  clip: z
    .strictObject({
      threshold: z
        .number()
        .positive()
        .describe('largest entry of the gradient of `parameter` that does not clip'),
      maxNorm: z.number().positive().describe('norm of all gradients after clipping'),
      parameter: z
        .string()
        .optional()
        .describe('a parameter of the model; default: the kernels of all heads'),
    })
    .optional()
    .describe(
      'clips all gradients as the released code, where both numbers are 1, or 5 for UR-Funny; default: not',
    ),
});

interface State<M extends string> {
  /** T_m, and the mean of how many steps it is. */
  running: Record<M, { mean: number; steps: number }>;
  /** Of the last step inside of the window. */
  applied: Record<M, number>;
}

/**
 * AGM, adaptive gradient modulation: the logits are split into a part of each modality, and the gradient through a part is scaled by how far
 * ahead its modality is.
 *
 * φ_m = Σ_{S ∌ m} |S|! (k − |S| − 1)! / k! · (F(S ∪ m) − F(S)), F(S) the logits where the inputs of the modalities outside of S are 0, F(∅) = 0;
 * L = CE(Σ_m φ_m, y),  ∂L/∂φ_m ← c_m ∂L/∂φ_m,  c_m = exp(α min(t_m − r_m, cap)),  r_m = exp(k / (k − 1) · (mean_j S_j − S_m)), t_m the same of
 * T_m;  S_m = mean of −log softmax(φ_m)[y], T_m its mean over all steps before, inside of the window and outside
 *
 * The parts add up to the logits. A step has 2^k − 1 passes: the first, with all modalities, as any step; the others in inference mode,
 * on the running statistics that it has just moved, with gradients. Predictions have F of all as z and φ_m as u_m. Where every
 * c_m is 1 the step is that of joint training, bit for bit. Any fusion. With presence masks S_m is over the samples that have the modality; one that no sample has
 * is not compared. The log has `scores`, `runningScores`, `ratios`, `targets` and `coefficients`: what was applied.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if the model has no parameter to look at for `clip`.
 * @example
 * await train({ model, methods: [agm({ alpha: 1.5, cap: 10 })], … });
 * @see Li et al., Boosting Multi-modal Model Performance with Adaptive Gradient Modulation (ICCV 2023), Eq. 4 to 10; released code
 */
export const agm = defineMethod({
  name: 'agm',
  label: 'AGM',
  summary: 'scales the gradient through each modality’s share of the logits',
  source: { paper: 'Li et al., ICCV 2023', code: 'AGM_ICCV2023 5a65542' },
  needs: { task: 'classification', modalities: { min: 2 } },
  recipe: recipes.agm,
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M, State<M>> => {
    const { epochs = [1, Infinity], cap = Infinity, clip, afterWindow, alpha, probabilityFloor } = own;
    const watched = ({ name, role, variable }: Parameter<M>): boolean =>
      clip?.parameter === undefined
        ? (role === 'head' || role === 'shared') && variable.rank > 1
        : name === clip.parameter;
    return {
      init({ model: { modalities, parameters } }) {
        if (clip && !parameters.some(watched))
          throw new OptionError(
            `\`clip\` of AGM looks at the gradient of ${clip.parameter ?? "the heads' kernels"}, which the model does not have.`,
            {
              option: 'clip.parameter',
              value: clip.parameter,
              accepted: parameters.map(({ name }) => name).join(', '),
            },
          );
        return {
          running: perModality(modalities, () => ({ mean: 0, steps: 0 })),
          applied: perModality(modalities, () => 1),
        };
      },
      forward: shapleyOutputs,
      loss({ unimodalLogits: parts, logits }, step, state) {
        const { modalities } = step.model;
        const scores = step.meanByModality(
          perModality(modalities, (m) => trueClassLoss(classIds(step.batch), parts[m], probabilityFloor)),
        );
        const runningScores = perModality(modalities, (m) => state.running[m].mean);
        const [ratios, targets] = [agmRatios(scores), agmRatios(runningScores, scores)];
        if (isInside(step.epoch, epochs))
          state.applied = agmCoefficients({ ratios, targets }, { alpha, cap });
        else if (afterWindow === 'one') state.applied = perModality(modalities, () => 1);
        for (const m of modalities) {
          if (Number.isNaN(scores[m])) continue;
          const steps = state.running[m].steps + 1;
          const mean = (state.running[m].mean * (steps - 1)) / steps + scores[m] / steps;
          state.running[m] = { mean, steps };
        }
        const { applied } = state;
        step.log({ scores, runningScores, ratios, targets, coefficients: applied });
        if (modalities.every((m) => applied[m] === 1)) return { total: step.taskLoss(logits) };
        const scaled = modalities.map((m) => scaleGradient(parts[m], applied[m]));
        return { total: step.taskLoss(tf.addN(scaled) as tf.Tensor2D) };
      },
      edit(gradients) {
        if (!clip) return gradients;
        const largest = gradients.flatMap(({ tensor, parameter }) =>
          tensor && watched(parameter) ? [tf.max(tf.abs(tensor))] : [],
        );
        if (Math.max(0, ...readTogether(largest).map(([value]) => value as number)) <= clip.threshold)
          return gradients;
        const factor = Math.min(1, clip.maxNorm / (gradientNorm(gradients) + 1e-6));
        return scaleGradients(gradients, () => factor);
      },
    };
  },
});
