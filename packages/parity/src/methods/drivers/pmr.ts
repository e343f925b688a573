import { pmr, prototypeLogits } from '@g2d/methods';
import { encodedOf, perModality, type Batch, type Outputs } from '@g2d/core';
import { studentLoss } from '@g2d/distill';
import { trueClassProbability } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { list, number, object, oneOf, text } from '../../strict-json.js';
import { atLeast0, count, defineDriver, epoch, epochWindow, trainStep, type Tree } from '../method-case.js';
import { logitsTree, numbers, predictions, withRun, type MethodRun } from '../method-run.js';

export const pmrDriver = defineDriver({
  method: 'pmr',
  options: object({
    alpha: atLeast0,
    window: epochWindow,
    momentum: number({ min: 0 }),
    weights: oneOf('released'),
    entropyRegularizer: z.literal(false, 'false'),
    distance: oneOf('euclidean'),
  }),
  steps: z.discriminatedUnion('do', [
    object({
      do: z.literal('prototypes'),
      when: oneOf('before-training', 'after-epoch'),
      epoch,
      loaderBatches: count,
      batches: list(text),
    }),
    object(trainStep),
    object({ do: z.literal('eval'), batches: list(text) }),
  ]),
  run({ options, ...given }) {
    const { alpha, window, momentum } = options;
    const { modalities, classes } = given;
    const method = pmr<string>({
      alpha,
      epochs: [window[0] + 1, window[1] + 1],
      momentum,
      reference: 'official',
    });
    const events = given.steps.filter((entry) => entry.do === 'prototypes');
    let next = events[0]!;
    let run: MethodRun | undefined;
    const settings = {
      // One more than there are: after the last epoch of a training nobody needs prototypes.
      epochs: Math.max(...events.map((entry) => entry.epoch)) + 2,
      batchesPerEpoch: next.loaderBatches,
      async *batches(): AsyncGenerator<Batch<string>> {
        for (const tag of next.batches) yield run!.batch(tag);
        throw new Error(
          `The case has ${next.batches.length} batches for the prototypes, but the method asks for more.`,
        );
      },
    };
    return withRun(given, method, settings, async (begun) => {
      run = begun;
      await run.begin();
      const steps: Tree[] = [];
      const groups = [...run.encoderGroups, 'fusion'];
      const prototypes = () =>
        (begun.state as { readonly prototypes: Readonly<Record<string, tf.Tensor2D>> }).prototypes;
      // Logged only; FiLM and gated fusion have no part of a modality's own.
      const own = ({ logits, unimodalLogits, ...rest }: Outputs<string>): Outputs<string> => ({
        ...rest,
        logits,
        unimodalLogits: ['film', 'gated'].includes(given.model.fusion.type)
          ? perModality(modalities, () => logits)
          : unimodalLogits,
      });
      for (const entry of given.steps) {
        if (entry.do === 'prototypes') {
          next = entry;
          if (entry.when === 'after-epoch') await run.afterEpoch({ epoch: entry.epoch + 1 });
          const labels = entry.batches.flatMap((tag) => given.batches[tag]!);
          steps.push({
            counts: Array.from({ length: classes }, (_, j) => labels.filter((label) => label === j).length),
            prototypes: perModality(modalities, (m) => numbers(prototypes()[m]!)),
          });
          continue;
        }
        if (entry.do === 'eval') {
          const batches = entry.batches.map((tag) =>
            begun.outputs(tag, (outputs) => {
              const logits = own(outputs);
              const q = perModality(modalities, (m) =>
                prototypeLogits(encodedOf(outputs)[m]!, prototypes()[m]!),
              );
              return {
                logits: logitsTree(logits),
                predictions: {
                  fused: predictions(logits.logits),
                  ...perModality(modalities, (m) => predictions(logits.unimodalLogits[m]!)),
                },
                prototypePredictions: perModality(modalities, (m) => predictions(q[m]!)),
              };
            }),
          );
          steps.push({ batches });
          continue;
        }
        run.training.optimizer.learningRate = entry.learningRate;
        const record = await run.train(entry, entry.epoch + 1, ({ losses, outputs: all, step }) => {
          const { student, total, ...parts } = losses;
          const outputs = own(all as Outputs<string>);
          const labels = step.batch.labels as tf.Tensor1D;
          const q = perModality(modalities, (m) => prototypeLogits(encodedOf(outputs)[m]!, prototypes()[m]!));
          const score = (logits: tf.Tensor2D): number =>
            tf.sum(trueClassProbability(labels, logits)).dataSync()[0]!;
          const [first, second] = modalities as [string, string];
          const scores = perModality(modalities, (m) => score(outputs.unimodalLogits[m]!));
          const prototypeScores = perModality(modalities, (m) => score(q[m]!));
          return {
            losses: {
              total,
              fused: student,
              ...parts,
              ...perModality(
                modalities,
                (m) => studentLoss(labels, outputs.unimodalLogits[m]!).dataSync()[0],
              ),
            },
            logits: logitsTree(outputs),
            prototypeLogits: perModality(modalities, (m) => numbers(q[m]!)),
            scores,
            ratio: scores[first]! / scores[second]!,
            prototypeScores,
            prototypeRatio: prototypeScores[first]! / prototypeScores[second]!,
            inWindow: window[0] <= entry.epoch && entry.epoch <= window[1],
            weights: step.series['prototypeWeights'] as Tree,
          };
        });
        const { after } = run.updates[0]!;
        steps.push({
          ...record,
          gradNorms: { final: run.norms(after, groups) },
          gradients: run.gradients(after),
        });
      }
      return { steps };
    });
  },
});
