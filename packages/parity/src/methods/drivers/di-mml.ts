import { diMml } from '@g2d/methods';
import { perModality, type Batch, type Outputs } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { list, number, object, text } from '../../strict-json.js';
import { atLeast0, count, defineDriver, epoch, trainStep, type Tree } from '../method-case.js';
import { numbers, projectedFeatures, withRun, type MethodRun } from '../method-run.js';

/** What the fusion of DI-MML gives beside logits. */
interface Extras {
  readonly concatLogits: tf.Tensor2D;
  readonly weights: tf.Tensor2D;
}

export const diMmlDriver = defineDriver({
  method: 'di-mml',
  options: object({
    temperature: number({ above: 0 }),
    sharedWeight: atLeast0,
    fusionTemperature: number({ above: 0 }),
    firstInteractionEpoch: epoch,
    // Of the features, which the encoders of the case have.
    width: count,
  }),
  steps: z.discriminatedUnion('do', [
    object({ ...trainStep, stage: z.union([z.literal(1), z.literal(2)], '1 or 2') }),
    object({ do: z.literal('dimensions'), epoch, batches: list(text) }),
    object({ do: z.literal('eval'), batches: list(text) }),
  ]),
  run({ options, ...given }) {
    const { modalities } = given;
    const trains = given.steps.flatMap((entry) => (entry.do === 'train' ? [entry] : []));
    const lengthOf = (stage: 1 | 2): number =>
      1 + Math.max(0, ...trains.filter((entry) => entry.stage === stage).map((entry) => entry.epoch));
    const [first, last] = [lengthOf(1), lengthOf(2)];
    const method = diMml<string>({
      temperature: options.temperature,
      sharedWeight: options.sharedWeight,
      fusionTemperature: options.fusionTemperature,
      interactionAfter: options.firstInteractionEpoch,
      fusionEpochs: last,
      reference: 'official',
    });
    let run: MethodRun | undefined;
    let tags: readonly string[] = [];
    const everySample = async function* (): AsyncGenerator<Batch<string>> {
      for (const tag of tags) yield run!.batch(tag);
    };
    const by = (value: (m: string) => Tree): Record<string, Tree> => perModality(modalities, value);
    const called = (m: string): string => `shared${m.charAt(0).toUpperCase()}${m.slice(1)}`;
    return withRun(given, method, { epochs: first + last, everySample }, async (begun) => {
      run = begun;
      await begun.begin();
      const steps: Tree[] = [];
      let momentum: Readonly<Record<string, Tree>> = {};
      for (const entry of given.steps) {
        if (entry.do === 'dimensions') {
          tags = entry.batches;
          await begun.afterEpoch({ epoch: entry.epoch });
          const { accuracy } = begun.state as {
            readonly accuracy: Readonly<Record<string, readonly number[]>>;
          };
          const top = (m: string): readonly number[] => {
            const own = accuracy[m]!;
            const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
            return [...own.keys()].filter((d) => own[d]! > mean);
          };
          steps.push({
            only: by((m) =>
              top(m).filter((d) => modalities.every((other) => other === m || !top(other).includes(d))),
            ),
            accuracy: by((m) => [...accuracy[m]!]),
          });
          continue;
        }
        if (entry.do === 'eval') {
          const batches = entry.batches.map((tag) =>
            begun.outputs(tag, (outputs: Outputs<string>) => {
              const { concatLogits, weights } = outputs as unknown as Extras;
              const heads: Record<string, tf.Tensor2D> = { ...outputs.unimodalLogits, concat: concatLogits };
              const names = [...modalities, 'concat'];
              const columns = names.map((_, i) =>
                numbers(tf.reshape(tf.slice(weights, [0, i], [-1, 1]), [-1])),
              );
              const of = (value: (name: string, i: number) => Tree): Tree =>
                Object.fromEntries(names.map((name, i) => [name, value(name, i)]));
              return {
                logits: {
                  fused: numbers(outputs.logits),
                  ...(of((name) => numbers(heads[name]!)) as object),
                },
                confidences: of((name) => numbers(tf.max(tf.softmax(heads[name]!), 1))),
                weights: of((_, i) => columns[i]),
              };
            }),
          );
          steps.push({ batches });
          continue;
        }
        const at = (entry.stage === 1 ? 0 : first) + entry.epoch + 1;
        // Each stage has an optimizer of its own, and the case asks for the momenta of both.
        if (entry.stage === 2 && Object.keys(momentum).length === 0)
          momentum = (begun.end() as { readonly momentum: { readonly rows: Record<string, Tree> } }).momentum
            .rows;
        begun.enter(at);
        begun.training.optimizer.learningRate = entry.learningRate;
        const record = await begun.train(entry, at, ({ losses, outputs: all }): Record<string, Tree> => {
          const outputs = all as Outputs<string>;
          if (entry.stage === 2)
            return { losses, logits: { fused: numbers((outputs as unknown as Extras).concatLogits) } };
          const { total, interaction = null } = losses as Readonly<Record<string, number>>;
          return {
            losses: {
              total,
              ...by((m) => losses[m]),
              ...Object.fromEntries(modalities.map((m) => [called(m), losses[`shared.${m}`]])),
              interaction,
            },
            logits: by((m) => numbers(outputs.unimodalLogits[m]!)),
            features: by((m) => projectedFeatures(given, m, outputs.features[m]!)),
          };
        });
        const { after } = begun.updates[0]!;
        const groups =
          entry.stage === 2
            ? ['fusion']
            : [...begun.encoderGroups, ...modalities.map((m) => `head.${m}`), 'head.shared'];
        steps.push({ ...record, gradNorms: begun.norms(after, groups), gradients: begun.gradients(after) });
      }
      return { steps, earlier: momentum };
    }).then((found) => {
      const { earlier, ...rest } = found as Record<string, Tree> & {
        readonly momentum: { readonly columns: Tree; readonly rows: object };
      };
      return {
        ...rest,
        momentum: { ...rest.momentum, rows: { ...(earlier as object), ...rest.momentum.rows } },
      } as Tree;
    });
  },
});
