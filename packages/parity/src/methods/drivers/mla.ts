import { mla } from '@g2d/methods';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { norm, projection } from '../../numbers.js';
import { list, number, object, oneOf, text } from '../../strict-json.js';
import { byModality, count, defineDriver, trainStep, type Tree } from '../method-case.js';
import { logitsTree, numbers, withRun } from '../method-run.js';

const PROJECTION = {
  off: {},
  scalar: { projection: true },
  'released-elementwise': { projection: true, reference: 'official' },
} as const;

/** The state of `mla` in a checkpoint. */
interface Saved {
  readonly arrays?: Readonly<
    Record<string, { readonly values: Float32Array; readonly shape: readonly number[] }>
  >;
}

export const mlaDriver = defineDriver({
  method: 'mla',
  options: object({
    order: list(text),
    projection: oneOf('off', 'scalar', 'released-elementwise'),
    clearedGradients: oneOf('none', 'zero'),
    weights: oneOf('batch-entropy', 'entropy', 'fixed'),
    fixedWeights: byModality(number({ min: 0 })).nullable(),
    // Fixes the number of classes, which the case has too.
    dataset: oneOf('CREMAD', 'MVSA', 'IEMOCAP'),
  }),
  steps: z.discriminatedUnion('do', [
    object({ ...trainStep, modality: text }),
    object({ do: z.literal('eval'), batches: list(text) }),
  ]),
  keys: { batchesPerEpoch: count },
  run({ options, batchesPerEpoch, ...given }) {
    const { order, clearedGradients, weights, fixedWeights } = options;
    const method = mla<string>({
      order,
      ...PROJECTION[options.projection],
      otherEncoders: clearedGradients === 'none' ? 'freeze' : 'zero',
      weights: weights === 'fixed' ? (fixedWeights as Record<string, number>) : weights,
    });
    return withRun(given, method, { epochs: 1, batchesPerEpoch }, async (run) => {
      await run.begin();
      const steps: Tree[] = [];
      for (let i = 0; i < given.steps.length;) {
        const entry = given.steps[i]!;
        if (entry.do === 'eval') {
          const found = entry.batches.map((tag) =>
            run.outputs(tag, (outputs) => ({
              logits: logitsTree(outputs),
              weights: sharesOf(
                (outputs as unknown as { readonly shares: Readonly<Record<string, tf.Tensor>> }).shares,
              ),
            })),
          );
          steps.push({
            logits: found.map(({ logits }) => logits),
            weights: weights === 'fixed' ? null : found.map(({ weights: own }) => own),
          });
          i++;
          continue;
        }
        run.training.optimizer.learningRate = entry.learningRate;
        const found = await run.train(entry, entry.epoch + 1, ({ losses, outputs }) => ({
          losses,
          logits: logitsTree(outputs),
        }));
        // The entries of a batch follow one another, one for each modality: together they are a step of ours.
        order.forEach((m, place) => {
          const { after, state } = run.updates[place]!;
          const { arrays: { projection: P } = {} } = state as Saved;
          steps.push({
            losses: { total: found.losses[m] },
            logits: { [m]: found.logits[m] },
            gradNorms: run.norms(after, [`encoder.${m}`, 'head']),
            gradients: run.gradients(after),
            projection: P && {
              l2: norm(P.values),
              proj: projection(P.values, { seed: given.seed, name: 'projection' }),
              first: [...P.values.subarray(0, 4)],
            },
          });
        });
        i += order.length;
      }
      return { steps };
    });
  },
});

/** A number for each sample, or one for the whole batch. */
const sharesOf = (shares: Readonly<Record<string, tf.Tensor>>): Tree =>
  Object.fromEntries(
    Object.entries(shares).map(([m, column]) => [
      m,
      numbers(tf.reshape(column, column.size === 1 ? [] : [-1])),
    ]),
  );
