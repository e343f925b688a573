import { reconBoost } from '@g2d/methods';
import { trueClassProbability } from '@g2d/tensor-ops';
import type { Teachers } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { flag, integer, list, number, object, oneOf, text } from '../../strict-json.js';
import { atLeast0, count, defineDriver, trainStep, type Tree } from '../method-case.js';
import { numbers, predictions, withRun } from '../method-run.js';

export const reconBoostDriver = defineDriver({
  method: 'reconboost',
  options: object({
    officialFile: oneOf('train', 'train_MSA'),
    dataset: oneOf('CREMAD', 'AVE', 'MOSEI', 'MSA'),
    order: list(text),
    boostEpochs: count,
    rectifyEpochs: count,
    weight1: number({ above: 0 }),
    weight2: atLeast0,
    alpha: atLeast0,
    useAgreement: flag,
    agreementGradient: oneOf('none'),
    pretrained: flag,
    sidePasses: object({ mode: oneOf('train'), others: z.literal(1, '1'), previous: z.literal(1, '1') }),
    othersBeforeFirst: oneOf('probability-1'),
  }),
  steps: z.discriminatedUnion('do', [
    object({
      ...trainStep,
      stage: integer({ min: 0 }),
      phase: oneOf('boost', 'rectify'),
      modality: text,
      newOptimizer: flag,
    }),
    object({ do: z.literal('eval'), stage: integer({ min: 0 }), batches: list(text) }),
  ]),
  run({ options, ...given }) {
    const { order, boostEpochs, rectifyEpochs, weight1, weight2, pretrained } = options;
    const { modalities } = given;
    const stages = Math.max(...given.steps.map(({ stage }) => stage)) + 1;
    const hidden = given.model.tensors.some(([name]) => name === 'head.1.weight')
      ? given.model.tensors.find(([name]) => name === 'head.0.weight')![1][0]
      : undefined;
    const method = reconBoost<string>({
      order,
      boostEpochs,
      rectifyEpochs,
      weight1,
      weight2,
      alpha: options.useAgreement ? options.alpha : 0,
      reference: 'official',
      pretrained,
      ...(hidden !== undefined && { hidden }),
    });
    const length = boostEpochs + rectifyEpochs;
    // The weights of the case are those of its pretrained encoders and heads.
    const teachers = { unimodal: () => run!.model } as unknown as Teachers<string>;
    let run: Parameters<Parameters<typeof withRun>[3]>[0] | undefined;
    return withRun(given, method, { epochs: stages * length, teachers }, async (begun) => {
      run = begun;
      await begun.begin();
      const own = given.model.tensors.some(([name]) => name.startsWith('ownHead.'));
      const groups = [
        ...begun.encoderGroups,
        ...(own ? order.slice(1).map((m) => `ownHead.${m}`) : []),
        'head',
        'boostRate',
      ];
      const rate = (): number => begun.valuesOf('boostRate')[0]!;
      const steps: Tree[] = [];
      let before: readonly unknown[] = [];
      for (const entry of given.steps) {
        const members = pretrained ? order : order.slice(0, entry.stage + 1);
        const of = (unimodal: Readonly<Record<string, tf.Tensor>>): Tree =>
          Object.fromEntries(modalities.map((m) => [m, members.includes(m) ? numbers(unimodal[m]!) : null]));
        if (entry.do === 'eval') {
          begun.enter((entry.stage + 1) * length);
          const batches = entry.batches.map((tag) =>
            begun.predict(tag, ({ logits, unimodalLogits }) => ({
              logits: { fused: numbers(logits), ...(of(unimodalLogits) as object) },
              predictions: predictions(logits),
            })),
          );
          steps.push({ batches });
          continue;
        }
        const { stage, phase, modality } = entry;
        const epoch = stage * length + (phase === 'rectify' ? boostEpochs : 0) + entry.epoch + 1;
        begun.enter(epoch);
        if (entry.newOptimizer !== (before.join() !== [stage, phase].join()))
          throw new Error(`The case ${given.id} has another optimizer than its phases say.`);
        before = [stage, phase];
        begun.training.optimizer.learningRate = entry.learningRate;
        const boostRate = rate();
        const record = await begun.train(entry, epoch, ({ losses, outputs, step }) => {
          if (phase === 'rectify')
            return {
              losses,
              logits: { fused: numbers(outputs.logits), ...(of(outputs.unimodalLogits) as object) },
            };
          const labels = step.batch.labels as tf.Tensor1D;
          const mine = outputs.unimodalLogits[modality]!;
          const { others } = outputs as unknown as { readonly others?: tf.Tensor2D };
          const known = others
            ? trueClassProbability(labels, others).dataSync()
            : labels.dataSync().map(() => 1);
          const p = trueClassProbability(labels, mine).dataSync();
          return {
            losses: { agreement: null, ...losses },
            logits: { own: numbers(mine), others: others ? numbers(others) : null },
            othersProbability: [...known],
            sampleLosses: [...p].map(
              (own, i) => ((weight1 - weight2 * known[i]!) / given.classes) * -Math.log(own),
            ),
          };
        });
        const { after } = begun.updates[0]!;
        steps.push({
          stage,
          phase,
          modality,
          ...record,
          boostRate,
          gradNorms: { final: begun.norms(after, groups) },
          gradients: begun.gradients(after),
        });
      }
      return { steps, boostRate: rate() };
    });
  },
});
