import { mmPareto } from '@g2d/methods';
import { object, number } from '../../strict-json.js';
import { dot } from '../../numbers.js';
import { defineDriver, trainStep, type Tree } from '../method-case.js';
import { logitsTree, withRun, type GradientValues } from '../method-run.js';

export const mmParetoDriver = defineDriver({
  method: 'mmpareto',
  options: object({ gamma: number({ above: 0 }) }),
  steps: object(trainStep),
  run: ({ options: { gamma }, ...given }) =>
    withRun(given, mmPareto({ gamma }), { epochs: 1 }, async (run) => {
      await run.begin();
      const { modalities } = given;
      const steps: Tree[] = [];
      for (const entry of given.steps) {
        run.training.optimizer.learningRate = entry.learningRate;
        const both: GradientValues[] = [];
        const record = await run.train(
          entry,
          entry.epoch + 1,
          ({ losses: { total, student, ...own }, outputs, step }) => ({
            losses: { total, fused: student, ...own },
            logits: logitsTree(outputs),
            a: step.series['multimodalWeight'] as Record<string, number>,
          }),
          // The two gradients apart, which the method combines.
          (step) => {
            for (const fused of [true, false]) {
              const { gradients } = step.valueAndGrads(() => {
                const outputs = step.forward({ runningStatistics: 'keep' });
                const own = modalities.map((m) => step.taskLoss(outputs.unimodalLogits[m]!, m));
                const total = fused
                  ? step.taskLoss(outputs.logits)
                  : own.reduce((sum, loss) => sum.add(loss));
                return { loss: { total }, outputs };
              });
              both.push(run.values(gradients));
            }
          },
        );
        const [multimodal, unimodal] = both as [GradientValues, GradientValues];
        const { before: combined } = run.updates[0]!;
        const entries = (m: string) =>
          [...multimodal.keys()].filter((name) => name.startsWith(`encoder.${m}.`));
        const flat = (values: GradientValues, m: string): number[] =>
          entries(m).flatMap((name) => [...values.get(name)!]);
        const by = (value: (m: string) => Tree): Tree =>
          Object.fromEntries(modalities.map((m) => [m, value(m)]));
        const length = (values: readonly number[]): number => Math.sqrt(dot(values, values));
        const { a, ...found } = record;
        steps.push({
          ...found,
          cosines: by((m) => {
            const [mm, uni] = [flat(multimodal, m), flat(unimodal, m)];
            return dot(mm, uni) / (length(mm) * length(uni));
          }),
          weights: by((m) => ({ a: a[m], b: 1 - a[m]! })),
          gradNorms: by((m) => {
            const [mm, uni] = [flat(multimodal, m), flat(unimodal, m)];
            return {
              multimodal: length(mm),
              unimodal: length(uni),
              plain: length(mm.map((value, i) => value + uni[i]!)),
              final: run.norm(combined, `encoder.${m}`),
            };
          }),
          gradients: run.gradients(combined),
        });
      }
      return { steps };
    }),
});
