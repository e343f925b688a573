import { agm, agmCoefficients } from '@g2d/methods';
import { perModality } from '@g2d/core';
import { studentLoss } from '@g2d/distill';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { list, number, object, oneOf, text } from '../../strict-json.js';
import { atLeast0, defineDriver, epochWindow, trainStep, type Tree } from '../method-case.js';
import { logitsTree, numbers, predictions, withRun, type GradientValues } from '../method-run.js';

export const agmDriver = defineDriver({
  method: 'agm',
  options: object({
    officialFile: oneOf('CREMAD', 'AVMNIST', 'URFunny'),
    alpha: atLeast0,
    window: epochWindow,
    cap: number().nullable(),
    probabilityFloor: number({ above: 0 }).nullable(),
    clip: object({ threshold: number({ above: 0 }), maxNorm: number({ above: 0 }), watch: text }),
    outsideWindow: oneOf('keep-last'),
    paddedPasses: object({
      absent: oneOf('zero-input'),
      batchNorm: oneOf('eval'),
      gradient: z.literal(true, 'true'),
    }),
  }),
  steps: z.discriminatedUnion('do', [
    object(trainStep),
    object({ do: z.literal('eval'), batches: list(text) }),
  ]),
  run({ options, ...given }) {
    const { alpha, window, probabilityFloor, clip } = options;
    const { modalities } = given;
    const cap = options.cap ?? Infinity;
    const method = agm<string>({
      alpha,
      ...(Number.isFinite(cap) && { cap }),
      epochs: [window[0] + 1, window[1] + 1],
      afterWindow: 'keep-last',
      probabilityFloor: probabilityFloor ?? 0,
      clip: { threshold: clip.threshold, maxNorm: clip.maxNorm, parameter: variableOf(clip.watch) },
    });
    return withRun(given, method, { epochs: 1 }, async (run) => {
      await run.begin();
      const groups = [...run.encoderGroups, 'fusion'];
      const steps: Tree[] = [];
      for (const entry of given.steps) {
        if (entry.do === 'eval') {
          const batches = entry.batches.map((tag) =>
            run.predict(tag, (outputs, labels) => ({
              losses: { total: studentLoss(labels, outputs.logits).dataSync()[0] },
              logits: logitsTree(outputs),
              predictions: {
                fused: predictions(outputs.logits),
                ...perModality(modalities, (m) => predictions(outputs.unimodalLogits[m]!)),
              },
            })),
          );
          steps.push({ batches });
          continue;
        }
        run.training.optimizer.learningRate = entry.learningRate;
        let unmodulated: GradientValues = new Map();
        const { series, ...record } = await run.train(
          entry,
          entry.epoch + 1,
          ({ losses, outputs, step: { series } }) => {
            const { coalitions } = outputs as unknown as { readonly coalitions: Record<string, Tensor2D> };
            return {
              losses,
              logits: logitsTree(outputs),
              coalitions: Object.fromEntries(
                Object.entries(coalitions).map(([those, F]) => [those, numbers(F)]),
              ),
              series,
            };
          },
          // With all factors 1: of the logits as a whole.
          (step) => {
            const { gradients } = step.valueAndGrads(() => {
              const outputs = step.forward({ runningStatistics: 'keep' });
              return { loss: { total: step.taskLoss(outputs.logits) }, outputs };
            });
            unmodulated = run.values(gradients);
          },
        );
        const of = (name: string) => series[name] as Readonly<Record<string, number>>;
        const { before, after } = run.updates[0]!;
        const headGradientMax = Math.max(...before.get(clip.watch)!.map(Math.abs));
        const [ratios, targets] = [of('ratios'), of('targets')];
        const { running } = run.state as { running: Readonly<Record<string, { readonly mean: number }>> };
        steps.push({
          ...record,
          scores: of('scores'),
          runningScoresBefore: of('runningScores'),
          ratios,
          targets,
          coefficients: agmCoefficients({ ratios, targets }, { alpha, cap }),
          runningScores: perModality(modalities, (m) => running[m]!.mean),
          inWindow: window[0] <= entry.epoch && entry.epoch <= window[1],
          applied: of('coefficients'),
          headGradientMax,
          clipped: headGradientMax > clip.threshold,
          gradNorms: {
            unmodulated: run.norms(unmodulated, groups),
            modulated: run.norms(before, groups),
            final: run.norms(after, groups),
          },
          gradients: run.gradients(after),
        });
      }
      return { steps };
    });
  },
});

/** The variable of ours that holds a weight of the case's fusion. */
function variableOf(weight: string): string {
  const path = weight.split('.').slice(1, -1).join('/');
  if (path === '') return 'fusion/fc_out/kernel';
  return /^\d+$/.test(path)
    ? `fusion/${path}/kernel`
    : path === 'out'
      ? 'fusion/fc_out/kernel'
      : `head/${path}/kernel`;
}
