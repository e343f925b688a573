import { mslr } from '@g2d/methods';
import { perModality } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { number, object, oneOf } from '../../strict-json.js';
import { byModality, count, defineDriver, type Tree } from '../method-case.js';
import { logitsTree, withRun } from '../method-run.js';
import { validatedOptions, validatedSettings, validatedSteps } from './validated.js';

export const mslrDriver = defineDriver({
  method: 'mslr',
  options: object({
    ...validatedOptions,
    initialFactors: byModality(number({ above: 0 })),
    memory: count,
    audioAccuracy: oneOf('own', 'copy-of-visual'),
  }),
  steps: validatedSteps,
  run({ options, ...given }) {
    const { window, initialFactors: factors, memory, audioAccuracy } = options;
    const { modalities } = given;
    const method = mslr<string>({
      factors,
      memory,
      epochs: [window[0] + 1, window[1] + 1],
      ...(audioAccuracy === 'copy-of-visual' && { scoreOf: { audio: 'visual' } }),
    });
    const settings = validatedSettings(given.optimizer, options.epochs);
    const last = given.steps.at(-1)!.epoch;
    return withRun(given, method, settings, async (run) => {
      await run.begin();
      const steps: Tree[] = [];
      for (const entry of given.steps) {
        if (entry.do === 'train') {
          const record = await run.train(entry, entry.epoch + 1, ({ losses: { total }, outputs, step }) => ({
            losses: { total },
            logits: logitsTree(outputs),
            coefficients: step.series['rateFactors'] as Tree,
            learningRate: run.training.optimizer.learningRate,
          }));
          const { after } = run.updates[0]!;
          steps.push({
            ...record,
            inWindow: window[0] <= entry.epoch && entry.epoch <= window[1],
            gradNorms: run.norms(
              after,
              modalities.flatMap((m) => [`encoder.${m}`, `fusion.${m}`]),
            ),
            gradients: run.gradients(after),
          });
          continue;
        }
        const heads = ['fused', ...modalities];
        const found = entry.batches.map((tag) =>
          run.predict(tag, ({ logits, unimodalLogits }, labels) =>
            [logits, ...modalities.map((m) => unimodalLogits[m]!)].map(
              (own) => tf.mean(tf.cast(tf.equal(tf.argMax(own, 1), labels), 'float32')).dataSync()[0]!,
            ),
          ),
        );
        const means = heads.map((_, i) => found.reduce((sum, row) => sum + row[i]!, 0) / found.length);
        const accuracy = Object.fromEntries(heads.map((head, i) => [head, means[i]!]));
        await run.afterEpoch({
          epoch: entry.epoch + 1,
          validation: accuracy,
          metrics: { validation: perModality(modalities, () => ({ loss: 0 })) },
        });
        const { ratios } = run.state as { readonly ratios: Readonly<Record<string, number>> };
        const copied = audioAccuracy === 'copy-of-visual' ? { audio: accuracy['visual'] } : {};
        steps.push({
          epoch: entry.epoch,
          accuracy: { ...accuracy, ...copied },
          ratios: entry.epoch === last ? null : { ...ratios },
        });
      }
      return { steps, ended: 'epochs', epochs: last + 1 };
    });
  },
});
