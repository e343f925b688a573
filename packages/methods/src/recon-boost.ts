import { defineMethod, OptionError, type Hooks, type Stage } from '@g2d/core';
import { z } from 'zod';
import { boostFusion } from './boost-fusion.js';
import { boostingStage, rectifyingStage } from './boost-stages.js';
import { copyTeachers } from './copy-encoders.js';
import { assertEach, referenceOption } from './options.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  order: z
    .array(z.string())
    .readonly()
    .optional()
    .describe("in which modalities are boosted, again and again; default: the model's order"),
  boostEpochs: z
    .int()
    .min(1)
    .default(4)
    .describe('epochs in which one modality learns what the others do not know'),
  rectifyEpochs: z.int().min(1).default(4).describe('epochs after these in which all of them learn together'),
  weight1: z
    .number()
    .positive()
    .default(5)
    .describe(
      'w_1: weight of a sample that the others know nothing of; the authors have 5 for CREMA-D, 4 for AVE, 1 for MSA',
    ),
  weight2: z
    .number()
    .min(0)
    .default(1)
    .describe('w_2: how much less a sample counts that the others know; 0.25 for MSA'),
  alpha: z
    .number()
    .min(0)
    .default(0.5)
    .describe('of the agreement with the modality that was boosted before; 0: none, and no pass for it'),
  reference: referenceOption.describe(
    'paper: the agreement has a gradient, and encoders that do not learn run in inference mode; official, as the released code: it has none, and they run on batch statistics, which moves their running ones, those of the modality before twice a step',
  ),
  pretrained: z
    .boolean()
    .default(false)
    .describe(
      "begin with the teachers' encoders and their linear heads, as the published commands for CREMA-D, AVE and ModelNet40",
    ),
  hidden: z
    .int()
    .min(1)
    .optional()
    .describe(
      'width of a hidden layer of the shared head; the released code has 256 for CREMA-D and AVE; default: none, as for MSA',
    ),
  rectifyRate: z
    .number()
    .positive()
    .default(1)
    .describe("the joint phases' learning rate by that of the others"),
  decay: z
    .strictObject({
      every: z.int().min(1).describe('stages; the authors have 30 for CREMA-D'),
      ratio: z.number().positive().max(1).default(0.1).describe('what the rates are multiplied by'),
    })
    .optional()
    .describe("how learning rates fall, in place of the run's schedule; default: not"),
});

/**
 * ReconBoost: modalities take turns in learning what the others do not know yet, each followed by some epochs of all together.
 *
 * Stage t boosts m = order[t mod k]: L = mean of (w_1 − w_2 softmax(F_−m)[y]) / C · (−log softmax(u_m)[y]) + α ‖softmax(u_m) − softmax(u_before)‖² / C, with
 * F_−m = b Σ_{j ≠ m} u_j a constant; then rectification: L = CE(F, y), F = b Σ u_m. u_m = h(f_m), one head h for all, b a learned number
 *
 * Each of the two phases begins with an optimizer of its own. A boost step trains the modality's encoder and h; rectification the encoders in
 * the ensemble, h and b. From scratch a modality enters the ensemble when it has been boosted once, and the first one's samples all weigh (w_1 − w_2) / C. With `pretrained` all are in
 * it from the start, and a modality keeps its teacher's head, frozen, until its own first turn. The training's `epochs` are a multiple of `boostEpochs` + `rectifyEpochs`. With
 * presence masks the losses are over the samples that have the modality, and F over those that a sample has. Any number of modalities; encoders of equal widths.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if `epochs` do not fit, features are not equally wide, or the
 * head is another than `fusion` makes.
 * @example
 * await train({ model, methods: [reconBoost({ hidden: 256 })], epochs: 80, … });
 * @see Hua et al., ReconBoost: Boosting Can Achieve Modality Reconcilement (ICML 2024), Alg. 1; released code
 */
export const reconBoost = defineMethod({
  name: 'recon-boost',
  label: 'ReconBoost',
  summary: 'modalities take turns in learning what the others do not know',
  source: { paper: 'Hua et al., ICML 2024', code: 'ReconBoost 14ab57a' },
  needs: { task: 'classification' },
  recipe: recipes.reconBoost,
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M> => {
    const { boostEpochs, rectifyEpochs, pretrained, hidden, decay, rectifyRate, weight1, weight2 } = own;
    const order = <K extends string>(modalities: readonly K[]): readonly K[] =>
      (own.order as readonly K[] | undefined) ?? modalities;
    return {
      fusion: (given) => {
        const modalities = Object.keys(given.widths) as (keyof typeof given.widths)[];
        return boostFusion(given, { hidden, ownHeads: pretrained ? order(modalities).slice(1) : [] });
      },
      stages({ epochs, modalities }) {
        assertEach(order(modalities), { option: 'order', method: 'ReconBoost', modalities });
        const length = boostEpochs + rectifyEpochs;
        if (epochs % length !== 0)
          throw new OptionError(
            `ReconBoost has stages of ${length} epochs (${boostEpochs} and ${rectifyEpochs}), but the training has ${epochs}. Set \`epochs\` to a multiple of ${length}.`,
            { option: 'epochs', value: epochs, accepted: `a multiple of ${length}` },
          );
        return Array.from({ length: epochs / length }, (_, t): Stage<M>[] => {
          const turn = {
            t,
            order: order(modalities),
            pretrained,
            reference: own.reference,
            agrees: own.alpha > 0,
          };
          const rate = decay ? decay.ratio ** Math.floor(t / decay.every) : 1;
          return [
            { ...boostingStage(turn, { weight1, weight2, alpha: own.alpha, rate }), epochs: boostEpochs },
            { ...rectifyingStage(turn, { rate: rate * rectifyRate }), epochs: rectifyEpochs },
          ];
        }).flat();
      },
      ...(pretrained && { init: (training) => copyTeachers(training) }),
    };
  },
});
