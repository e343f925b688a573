import { defineMethod, perModality, type Hooks, type Snapshot } from '@g2d/core';
import { z } from 'zod';
import { keepRates, type KeptRates } from './kept-rates.js';
import { watchLoss, type LossWatch } from './early-stopping.js';
import { multitaskLoss } from './multitask-loss.js';
import { validationLosses } from './validation-losses.js';
import { assertEach, isInside, referenceOption, weightOption, windowOption } from './options.js';
import * as recipes from './recipes.js';

const options = z
  .strictObject({
    patience: z
      .int()
      .min(1)
      .describe(
        "epochs without a better validation loss after which a modality stops; AGM's code has 80 for CREMA-D, 10 for AV-MNIST and 30 for UR-Funny",
      ),
    reference: referenceOption.describe(
      'paper: unimodal losses too; a modality that stops gets its own best weights back and keeps them. official, as the code that later papers ran: the fused loss alone, smoothed validation losses, and when a modality stops the whole model and the optimizer go back to its best epoch; its gradients are 0 from then on',
    ),
    weights: weightOption
      .optional()
      .describe('of the unimodal losses (paper), one for all modalities or one for each; default: 1'),
    epochs: windowOption
      .optional()
      .describe(
        'official: first and last epoch in which gradients of stopped modalities are 0; default: all',
      ),
    bestInFirstEpoch: z
      .enum(['reload', 'keep'])
      .optional()
      .describe(
        'official, a modality whose first epoch was its best stops: everything goes back to that epoch (default), or nothing does, as the released code of UR-Funny, which writes no checkpoint of it (that of the other datasets fails)',
      ),
  })
  .refine(({ reference, weights }) => reference === 'paper' || weights === undefined, {
    path: ['weights'],
    error: 'left out with "reference" "official", which has no unimodal losses',
  })
  .refine(({ reference, epochs }) => reference === 'official' || epochs === undefined, {
    path: ['epochs'],
    error: 'left out with "reference" "paper", where what has stopped stays as it is',
  })
  .refine(({ reference, bestInFirstEpoch }) => reference === 'official' || bestInFirstEpoch === undefined, {
    path: ['bestInFirstEpoch'],
    error: 'left out with "reference" "paper", where a modality goes back to its best epoch whichever it was',
  });

interface State<M extends string> extends KeptRates {
  watches: Record<M, LossWatch>;
}

/**
 * MSES, modality-specific early stopping: each modality stops when its own validation loss does not get better any more.
 *
 * L = CE(z, y) + Σ_m w_m CE(u_m, y); with `reference: 'official'` L = CE(z, y)
 *
 * Every epoch must be evaluated on the validation split. What stops is the modality's encoder and head (layers of the fusion that serve
 * it alone; a head on concatenated features is shared and goes on). As in the paper, a stopped encoder runs in inference mode, so its
 * running statistics stay too. Where all modalities have stopped the training ends, if it follows the official code.
 * The log has `stopped`: 1 for modalities that had stopped before the epoch. Any fusion; any number of modalities; regressions too.
 *
 * @throws {OptionError} If an option is not accepted; after an epoch that was not evaluated on the validation split.
 * @example
 * await train({ model, methods: [mses({ patience: 10 })], evaluate, … });
 * @see Fujimori et al., Modality-Specific Learning Rate Control for Multimodal Classification (2019); `'official'`: code of AGM (ICCV 2023)
 */
export const mses = defineMethod({
  name: 'mses',
  label: 'MSES',
  summary: 'each modality stops where its own validation loss stops falling',
  source: { paper: 'Fujimori et al. 2019', code: 'AGM_ICCV2023 5a65542' },
  needs: { validation: 'every-epoch' },
  recipe: recipes.mses,
  options,
  create: <M extends string>({
    patience,
    reference,
    weights = 1,
    epochs = [1, Infinity],
    bestInFirstEpoch = 'reload',
  }: z.output<typeof options>): Hooks<M, State<M>> => {
    const official = reference === 'official';
    const weightOf = (modality: M): number =>
      typeof weights === 'number' ? weights : (weights[modality] as number);
    return {
      init({ model: { modalities } }) {
        if (typeof weights === 'object')
          assertEach(Object.keys(weights), { option: 'weights', method: 'MSES', modalities });
        return {
          watches: perModality(modalities, () => ({ stopped: false })),
          best: {},
          followed: {},
          learningRate: null,
        };
      },
      plan(step, state) {
        if (official) keepRates(step, state);
        const { watches } = state;
        const isStopped = (modality: M | undefined): boolean =>
          modality !== undefined && watches[modality].stopped;
        step.log({ stopped: perModality(step.model.modalities, (modality) => Number(isStopped(modality))) });
        if (!official)
          return { coefficient: ({ modality }) => (isStopped(modality) ? null : 1), inference: isStopped };
        const acts = isInside(step.epoch, epochs);
        return { coefficient: ({ modality }) => (acts && isStopped(modality) ? 0 : 1) };
      },
      ...(!official &&
        ({ loss: (outputs, step) => multitaskLoss(outputs, step, weightOf) } satisfies Hooks<M>)),
      epoch(record, training, state) {
        const { modalities } = training.model;
        const { epoch } = record;
        const losses = validationLosses('MSES', record, modalities);
        const now = training.snapshot();
        for (const modality of modalities) {
          const before = state.watches[modality];
          const watch = watchLoss(before, { epoch, loss: losses[modality] }, { patience, reference });
          state.watches[modality] = watch;
          if (before.stopped) continue;
          const best = watch.best?.epoch as number;
          // The paper goes back to weights alone.
          if (best === epoch) state.best[epoch] = official ? now : { ...now, optimizers: {} };
          if (!watch.stopped) continue;
          if (!official) training.restore(state.best[best] as Snapshot, modality);
          else if (best > 1 || bestInFirstEpoch === 'reload') {
            training.restore(state.best[best] as Snapshot);
            state.learningRate = state.followed[best] as number;
          }
        }
        const running = modalities.filter((modality) => !state.watches[modality].stopped);
        const needed = running.map((modality) => String(state.watches[modality].best?.epoch));
        const stillNeeded = <T>(record: Record<number, T>): Record<number, T> =>
          Object.fromEntries(Object.entries(record).filter(([of]) => needed.includes(of)));
        state.best = stillNeeded(state.best);
        state.followed = stillNeeded(state.followed);
        // In the paper there are parts that go on: the fusion.
        return official && running.length === 0 ? 'stop' : undefined;
      },
    };
  },
});
