import * as tf from '@tensorflow/tfjs-core';
import { FileFormatError, perModality, type Batch, type Method, type Weight } from '@g2d/core';
import { flat } from '@g2d/encoders';
import { MultimodalModel } from '@g2d/fusion';
import { classScores, cpmNet, decodersOf, fitLatents } from '@g2d/methods';
import { z } from 'zod';
import { list, number, object, oneOf, text, tuple } from '../../strict-json.js';
import { atLeast0, count, epoch, type Tree } from '../../methods/method-case.js';
import { numbers } from '../../methods/method-run.js';
import { TrainerRun } from '../../trainer-run.js';
import { hashedTensor, maskColumns } from '../case-tensors.js';
import { AS_WRITTEN, HeldTensors, type CaseValues, type Place } from '../held-tensors.js';
import { batches, defineSystemDriver, hashedModel, inputs, masks, seed } from '../missing-case.js';

const sizes = list(count);

/** What of the state of the method a case looks at. */
interface State {
  latents: { value: tf.Tensor2D; firstMoment: tf.Tensor2D; secondMoment: tf.Tensor2D; steps: number };
}

/** Weight of β1 = 0.9 that a first gradient has in its average. */
const FIRST = 1 - 0.9;

export const cpmNetDriver = defineSystemDriver({
  system: 'cpm-net',
  keys: {
    seed,
    task: oneOf('classification'),
    classes: count,
    inputs,
    maskColumns: list(text),
    batches: batches(
      object({
        samples: count,
        labels: list(epoch),
        masks,
        shape: z.record(z.string(), sizes, 'an object').optional(),
      }),
    ),
    options: object({
      code: text,
      latent: count,
      layerSizes: list(sizes),
      dropoutKeep: z.literal(1, '1'),
      lambda: atLeast0,
      learningRates: tuple(number({ above: 0 }), number({ above: 0 })),
      betas: tuple(z.literal(0.9, '0.9'), z.literal(0.999, '0.999')),
      adamEpsilon: z.literal(1e-8, '1e-8'),
      adam: text,
      kernels: text,
    }),
    steps: list(object({ do: z.enum(['decoders', 'latents', 'test']) })),
    models: object({ model: hashedModel }),
  },
  async run(given) {
    const { id, classes, options, maskColumns: modalities } = given;
    const hashed = given.models.model;
    const [decoderRate, latentRate] = options.learningRates;
    const widths = perModality(modalities, (m) => given.inputs[m]!.shape[1]!);
    const hidden = options.layerSizes[0]!.slice(0, -1);
    options.layerSizes.forEach((layers, i) => {
      const own = [...hidden, widths[modalities[i]!]];
      if (layers.join() !== own.join())
        throw new FileFormatError(
          id,
          `\`options.layerSizes[${i}]\` must be [${own.join(', ')}]: decoders differ in their last layer alone.`,
        );
    });
    const methodOf = (decoderSteps: number, latentSteps: number): Method<string> =>
      cpmNet<string>({
        latent: options.latent,
        hidden,
        lambda: options.lambda,
        latentRate: latentRate / decoderRate,
        dropout: 0,
        decoderSteps,
        latentSteps,
      });
    const parts = { look: methodOf(0, 0), decoders: methodOf(1, 0), latents: methodOf(0, 1) };

    const encoders = perModality(modalities, (m) => flat({ name: m, inputShape: [widths[m]!], seed: 0 }));
    const fusion = parts.look.fusion!({ widths, classes, seed: 0 });
    const model = new MultimodalModel<string>({ encoders, fusion });
    const shapeOf = (name: string): [number, number] =>
      hashed.tensors.find(([own]) => own === name)![1] as [number, number];
    const latents = perModality(['train', 'test'], (part) =>
      tf.tidy(() => tf.variable(tf.zeros(shapeOf(`latent.${part}`)))),
    );
    const placeOf = (name: string): Place | undefined => {
      const [kind, m, i, leaf] = name.split('.') as [string, string, string, string];
      const variable = latents[m as 'train' | 'test'];
      const weight: Weight | undefined =
        kind === 'latent'
          ? {
              shape: variable.shape,
              read: () => variable,
              write: (x) => variable.assign(x),
              dispose: () => variable.dispose(),
            }
          : model.state().get(`head/${m}/decoder/${i}/${leaf}`);
      return weight && { weight, layout: AS_WRITTEN };
    };
    const held = new HeldTensors(given, hashed, placeOf);
    held.initialize(hashed);
    const start = held.values();
    const batchOf = (tag: string): Batch<string> => {
      const { labels, masks: rows, shape } = given.batches[tag]!;
      return {
        inputs: perModality(modalities, (m) =>
          hashedTensor(
            { seed: given.seed, name: `${tag}/${m}` },
            { ...given.inputs[m]!, ...(shape && { shape: shape[m]! }) },
          ),
        ),
        labels: tf.tensor1d(labels, 'int32'),
        ids: labels.map((_, i) => `${tag}/${i}`),
        present: maskColumns(rows, modalities, id),
      };
    };
    let kind: keyof typeof parts = 'look';
    const begun = async (): Promise<TrainerRun<CaseValues>> => {
      const run = new TrainerRun<CaseValues>({
        method: { ...parts.look, step: (step, state) => parts[kind].step!(step, state) },
        model,
        epochs: 1,
        batchesPerEpoch: 1,
        everySample: async function* () {
          yield batchOf('train');
        },
        optimizer: { type: 'adam', learningRate: decoderRate, epsilonAt: 'uncorrected' },
        read: (gradients) => held.gradients(gradients),
      });
      await run.begin();
      const value = tf.clone(latents['train'] as tf.Tensor2D);
      const zeros = (): tf.Tensor2D => tf.zerosLike(value);
      (run.state as State).latents = { value, firstMoment: zeros(), secondMoment: zeros(), steps: 0 };
      return run;
    };
    const run = await begun();
    const other = await begun();
    const stateOf = (of: TrainerRun<CaseValues>): State => of.state as State;
    const step = (of: TrainerRun<CaseValues>, what: keyof typeof parts) => {
      kind = what;
      return of.step({ batch: batchOf('train'), epoch: 1, batchIndex: 0 }, ({ losses, outputs }) => ({
        losses,
        logits: numbers(outputs.logits),
      }));
    };
    try {
      const { logits: classMeans } = await step(run, 'look');
      // The latent vectors' gradient at the start, by a training of its own.
      await step(other, 'latents');
      const latentGradient = tf.tidy(
        () => tf.div(stateOf(other).latents.firstMoment, FIRST).dataSync() as Float32Array,
      );
      const fitted = <T>(
        steps: number,
        read: (found: ReturnType<typeof fitLatents<string>>, batch: Batch<string>) => T,
      ): T =>
        tf.tidy(() => {
          const batch = batchOf('test');
          const found = fitLatents<string>({
            start: latents['test'] as tf.Tensor2D,
            decoders: decodersOf(model),
            features: batch.inputs as Record<string, tf.Tensor2D>,
            present: batch.present,
            steps,
            learningRate: decoderRate,
          });
          return read(found, batch) as never;
        }) as T;
      /** Squared errors where a modality is there, or where it is missing, by its width. */
      const errorOf = (
        { imputed }: ReturnType<typeof fitLatents<string>>,
        { inputs: x, present }: Batch<string>,
        there: boolean,
      ): number =>
        modalities.reduce((sum, m) => {
          const mask = tf.expandDims(there ? present![m]! : tf.sub(1, present![m]!), 1);
          const squares = tf.mul(tf.square(tf.sub(imputed[m]!, x[m]!)), mask);
          return sum + tf.sum(squares).dataSync()[0]! / (there ? 1 : widths[m]!);
        }, 0);

      const steps: Tree[] = [];
      let gradients: CaseValues | undefined;
      let tests = 0;
      for (const { do: what } of given.steps) {
        if (what === 'test') {
          steps.push({
            losses: { reconstruction: fitted(tests++, (found, batch) => errorOf(found, batch, true)) },
          });
          continue;
        }
        const { losses } = await step(run, 'look');
        steps.push({ losses });
        await step(run, what);
        if (what === 'decoders') gradients ??= run.updates[0]!.before;
      }
      const { value } = stateOf(run).latents;
      latents['train']!.assign(value);
      const test = fitted(tests, (found, batch) => {
        const known = { latents: value, labels: given.batches['train']!.labels, classes };
        const means = classScores(found.fused, known, 'mean');
        const nearest = classScores(found.fused, known, 'nearest');
        tf.tidy(() => latents['test']!.assign(found.fused));
        return {
          reconstruction: errorOf(found, batch, true),
          classMeans: numbers(means),
          predicted: numbers(tf.argMax(means, 1)),
          nearest: numbers(tf.argMax(nearest, 1)),
          ...(options.code.startsWith('gcnet') && { imputation: errorOf(found, batch, false) }),
        };
      });
      return {
        classMeans,
        gradients: held.gradientTable(new Map([...(gradients ?? []), ['latent.train', latentGradient]])),
        steps,
        parameters: held.parameterTable(start),
        test,
      };
    } finally {
      run.dispose();
      other.dispose();
      tf.dispose(latents);
      for (const weight of model.state().values()) weight.dispose();
    }
  },
});
