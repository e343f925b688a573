import { defineMethod, OptionError, perModality, type Hooks, type LossTerms, type Step } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { conditionalUtilization } from './conditional-utilization.js';
import { learningSpeed, movedBy, type Moved } from './learning-speeds.js';
import { mmtmFusion, mmtmOf, type MmtmOutputs } from './mmtm-fusion.js';
import { referenceOption } from './options.js';
import { nextStep, type Rebalanced } from './rebalancing.js';
import { NO_MEAN, withStep, type RunningMean } from './running-mean.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  steps: z
    .enum(['guided', 'random', 'none'])
    .default('guided')
    .describe(
      'which are re-balancing steps: those that the speeds ask for, any, or none, for the network alone',
    ),
  tolerance: z
    .number()
    .min(0)
    .default(0.01)
    .describe('α: how far apart speeds may be; the released code has 0.01'),
  window: z.int().min(1).default(5).describe('Q: re-balancing steps in a row; the released code has 5'),
  from: z.int().min(1).default(2).describe('the first epoch that has some; the released code has the second'),
  ratio: z
    .number()
    .positive()
    .default(4)
    .describe('its fusion has 2 Σ D_m / ratio hidden units; the released code has 4'),
  reference: referenceOption.describe(
    "a modality's average is that of its own excitations; official, as the released code: of those of the first modality, for all",
  ),
});

interface State<M extends string> {
  moved: Record<M, Moved>;
  /** Of e_m, and of f_m. */
  excitations: Record<M, RunningMean>;
  features: Record<M, RunningMean>;
  rebalanced: Rebalanced<M> | null;
}

/**
 * Greedy: balanced multi-modal learning, where a branch that learns faster from the others than they from it has to do without them for some steps.
 *
 * L = Σ_m CE(u_m, y),  u_m = V_m (e_m ⊙ f_m) + c_m with the excitations e_m of `mmtmFusion`;  s_m = log10(Σ_t ‖∇θ'_m‖² / ‖θ'_m‖² / Σ_t ‖∇θ_m‖² / ‖θ_m‖²),
 * θ'_m what makes e_m, θ_m encoder and head;  where max s − min s > α the next Q steps have for the m of max s the mean of all e_m so far instead of e_m
 *
 * s_m is the conditional learning speed; re-balancing steps do not count in it. With `steps: 'random'` each step draws the next one's m, or none. The network has one MMTM, on the
 * encoders' features; the authors' has one behind each of the last three stages of its ResNets, of which ours is the last. Predictions are z, with the excitations as they are. With
 * presence masks losses and means are over the samples that have the modality, and a modality that a batch lacks does not move in this step; a step that is no number does not count.
 * Regressions too. The log has `learningSpeeds` s_m, `rebalanced` 1 or 0, and for classification `utilization`: (a_m − a'_m) / a_m, the conditional utilization rate of the others, a_m the accuracy
 * of u_m on the batch, a'_m the same with the mean of the others' features so far in place of these.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if the model's fusion is not the method's own, or with `reference: 'official'` features are not equally wide.
 * @example
 * await train({ model, methods: [greedy()], … }); // its fusion: greedy().fusion({ widths, classes, seed })
 * @see Wu et al., Characterizing and Overcoming the Greedy Nature of Learning in Multi-modal Deep Neural Networks (ICML 2022); released code
 */
export const greedy = defineMethod({
  name: 'greedy',
  label: 'Greedy',
  summary: 'a branch that leans on the others too fast does without them for some steps',
  source: { paper: 'Wu et al., ICML 2022', code: 'greedy_multimodal_learning a190e03' },
  recipe: recipes.greedy,
  needs: { modalities: { min: 2 } },
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M, State<M>> => ({
    fusion: (given) => mmtmFusion(given, own),
    init({ model }) {
      const network = mmtmOf(model);
      const widths = model.modalities.map((m) => network.widthOf(m));
      if (own.reference === 'official' && new Set(widths).size > 1)
        throw new OptionError(
          `With "reference" "official" all modalities have the excitations of the first, but features are not equally wide: ${widths.join(', ')}. Use "paper", or encoders of equal widths.`,
          { option: 'model', value: widths, accepted: 'equal widths' },
        );
      return {
        moved: perModality(model.modalities, () => ({ own: 0, context: 0 })),
        excitations: perModality(model.modalities, () => NO_MEAN),
        features: perModality(model.modalities, () => NO_MEAN),
        rebalanced: null,
      };
    },
    loss(outputs, step, state): LossTerms {
      const { modalities } = step.model;
      const given = outputs as MmtmOutputs<M>;
      addMeans(state, given, step, own.reference);
      const losses = perModality(modalities, (m) => {
        const { steps, mean } = state.excitations[m];
        const usual = state.rebalanced?.modality !== m || steps === 0;
        const logits = usual
          ? given.unimodalLogits[m]
          : mmtmOf(step.model).logits(m, given.features[m], tf.tensor1d(mean));
        return step.taskLoss(logits, m);
      });
      return { ...losses, total: tf.addN(modalities.map((m) => losses[m])) as tf.Scalar };
    },
    edit(gradients, outputs, step, state) {
      const { modalities } = step.model;
      const { rebalanced, moved } = state;
      for (const m of rebalanced ? [] : modalities) {
        const now = step.presentSamples[m] > 0 ? movedBy(gradients, m) : undefined;
        if (now) moved[m] = { own: moved[m].own + now.own, context: moved[m].context + now.context };
      }
      const speeds = perModality(modalities, (m) => learningSpeed(moved[m]));
      step.log({
        learningSpeeds: speeds,
        rebalanced: perModality(modalities, (m) => Number(rebalanced?.modality === m)),
        ...(step.task === 'classification' && {
          utilization: conditionalUtilization(outputs as MmtmOutputs<M>, step, state.features),
        }),
      });
      state.rebalanced = step.epoch < own.from ? null : nextStep(step, { rebalanced, speeds, ...own });
      return gradients;
    },
  }),
});

function addMeans<M extends string>(
  state: State<M>,
  { excitations, features }: MmtmOutputs<M>,
  { model: { modalities }, batch: { present }, allReduce }: Step<M>,
  reference: 'paper' | 'official',
): void {
  for (const m of modalities) {
    const from = reference === 'official' ? (modalities[0] as M) : m;
    const add = (before: RunningMean, values: tf.Tensor2D, of: M): RunningMean =>
      withStep(before, values, { present: present?.[of], allReduce });
    state.excitations[m] = add(state.excitations[m], excitations[from], from);
    state.features[m] = add(state.features[m], features[m], m);
  }
}
