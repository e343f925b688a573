import { defineMethod, OptionError, perModality, type Hooks, type Presence } from '@g2d/core';
import { ensembleLogits } from '@g2d/distill';
import type { Tensor1D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import * as recipes from './recipes.js';

const options = z.strictObject({
  average: z
    .enum(['logits', 'probabilities'])
    .default('logits')
    .describe("what is averaged: the teachers' logits or their predictions"),
});

/**
 * UME as a method: the teachers together are the model, and nothing trains.
 *
 * z = mean of u_m^T over the modalities that a sample has
 *
 * A training with it has 0 epochs; its predictions are those of `teacherEnsemble`, for the training's task.
 *
 * @throws {OptionError} If `average` is another; as the training begins, if it has an epoch: its steps would change a model that
 * nothing predicts with.
 * @example
 * await train({ model, methods: [ume()], teachers, epochs: 0, … });
 * @see Du et al., On Uni-Modal Feature Learning in Supervised Multi-Modal Learning (2023); G2D, Sec. 4
 */
export const ume = defineMethod({
  name: 'ume',
  label: 'UME',
  summary: 'the teachers’ answers combined, nothing trained jointly',
  source: { paper: 'Du et al. 2023' },
  needs: { teachers: 'unimodal' },
  recipe: recipes.ume,
  options,
  create: <M extends string>({ average }: z.output<typeof options>): Hooks<M> => ({
    init({ epochs }) {
      if (epochs === 0) return;
      throw new OptionError(
        `UME averages the teachers and trains nothing, but the training has ${epochs} epochs. Set \`epochs\` to 0.`,
        { option: 'epochs', value: epochs, accepted: '0' },
      );
    },
    forward({ model: { modalities }, task, output, batch: { present = {} }, teacherOutputs }) {
      const unimodalLogits = perModality(modalities, (modality) => teacherOutputs[modality].logits);
      const features = perModality(modalities, (modality) => teacherOutputs[modality].features);
      const masks = Object.fromEntries(
        Object.entries<Tensor1D>(present as Record<string, Tensor1D>).filter(([name]) =>
          Object.hasOwn(teacherOutputs, name),
        ),
      ) as Presence<M>;
      const logits = ensembleLogits<M>(unimodalLogits, {
        average,
        task,
        output,
        ...(Object.keys(masks).length > 0 && { present: masks }),
      });
      return { features, unimodalLogits, logits };
    },
  }),
});
