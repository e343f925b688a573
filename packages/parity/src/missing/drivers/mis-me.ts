import * as tf from '@tensorflow/tfjs-core';
import { FileFormatError, type Batch, type Logits, type Method } from '@g2d/core';
import { MultimodalModel } from '@g2d/fusion';
import { misMe } from '@g2d/methods';
import { meanAbsolutePercentageError, rSquared } from '@g2d/tensor-ops';
import { z } from 'zod';
import { list, number, object, text, tuple } from '../../strict-json.js';
import { atLeast0, count, type Tree } from '../../methods/method-case.js';
import { isRunningStatistic } from '../../torch-tensors.js';
import { TrainerRun } from '../../trainer-run.js';
import { hashedTensor } from '../case-tensors.js';
import { HeldTensors, type CaseValues } from '../held-tensors.js';
import { misMeImage, misMePlaces, misMeTable } from '../mis-me-model.js';
import { batches, defineSystemDriver, hashedModel, inputs, seed } from '../missing-case.js';
import { withZeroGradients } from '../zero-gradients.js';

const VARIANTS = {
  concat_with_diff_dim: 'concat',
  hybrid_loss: 'hybrid',
  one_learnable_parameter: 'one-scalar',
  two_learnable_parameters: 'two-scalars',
} as const;

const training = object({
  experiment: z.enum([
    'concat_with_diff_dim',
    'hybrid_loss',
    'one_learnable_parameter',
    'two_learnable_parameters',
  ]),
  imageFeatures: count,
  dropout: z.literal(0, '0'),
  learningRate: atLeast0,
  betas: tuple(number(), number()),
  adamEpsilon: atLeast0,
  delta: atLeast0.optional(),
  gamma: atLeast0.optional(),
  lambda: atLeast0.optional(),
});

const schedule = object({
  firstLearningRate: z.literal(0.001, '0.001'),
  baseLearningRate: atLeast0,
  warmUpEpochs: z.literal(5, '5'),
  factor: z.literal(0.5, '0.5'),
  patience: z.literal(2, '2'),
  threshold: z.literal(1e-4, '0.0001'),
  thresholdMode: z.literal('rel', '"rel"'),
});

const trained = {
  seed,
  task: z.literal('regression', '"regression"'),
  batch: count,
  inputs,
  batches: batches(object({ targets: list(number()) })),
  options: training,
  steps: list(object({ do: z.literal('train'), batch: text, learningRate: atLeast0 })),
  zeroGradients: list(text),
  models: object({ model: hashedModel }),
};

type Trained = { readonly id: string } & z.output<z.ZodObject<typeof trained>>;

export const misMeDriver = defineSystemDriver({
  system: 'mis-me',
  keys: {
    ...Object.fromEntries(Object.entries(trained).map(([key, schema]) => [key, schema.optional()])),
    options: z.union([training, schedule]),
    validationLosses: list(number()).optional(),
  },
  run(given) {
    const { validationLosses: losses } = given;
    if (losses)
      return Promise.resolve(rates((given.options as z.output<typeof schedule>).baseLearningRate, losses));
    const lacking = Object.keys(trained).find((key) => !(key in given));
    if (lacking) throw new FileFormatError(given.id, `\`${lacking}\` is missing.`);
    return runTraining(given as unknown as Trained);
  },
});

/** Learning rates by epoch, from the hooks of the method; and, as the official program has it, where the loss was no worse than the best. */
function rates(base: number, losses: readonly number[]): Tree {
  const { init, plan, epoch } = misMe<string>() as Required<Method<string>>;
  const optimizer = { learningRate: base };
  const training = { model: { modalities: ['image', 'table'] }, optimizer } as never;
  const state = init(training);
  const learningRates = losses.map((loss, i) => {
    plan({ epoch: i + 1, optimizer } as never, state);
    const { learningRate } = optimizer;
    void epoch({ epoch: i + 1, metrics: { validation: { fused: { loss } } } } as never, training, state);
    return learningRate;
  });
  const improvedAt = losses.flatMap((loss, i) => (loss <= Math.min(...losses.slice(0, i)) ? [i] : []));
  return { learningRates, improvedAt };
}

async function runTraining(given: Trained): Promise<Tree> {
  const { options } = given;
  const hashed = given.models.model;
  const variant = VARIANTS[options.experiment];
  const { delta = 1, gamma = 1, lambda = 1 } = options;
  const own = misMe<string>({
    variant,
    fusedWeight: delta,
    weights: { image: lambda, table: gamma },
    dropout: [0, 0],
    linearHeads: ['table'],
    schedule: 'run',
  });
  const encoders = {
    image: misMeImage(given.inputs['image']!.shape.slice(1), options.imageFeatures),
    table: misMeTable(given.inputs['table']!.shape[1]!, hashed),
  };
  const widths = { image: options.imageFeatures, table: encoders.table.outputs[0]!.shape[1]! };
  const model = new MultimodalModel<string>({
    encoders,
    fusion: own.fusion!({ widths, classes: 1, seed: 0 }),
  });
  const placeOf = misMePlaces(model, hashed);
  const part = (isPart: (name: string) => boolean): HeldTensors =>
    new HeldTensors(given, { ...hashed, tensors: hashed.tensors.filter(([name]) => isPart(name)) }, placeOf);
  const parameters = part((name) => !isRunningStatistic(name));
  const buffers = part(isRunningStatistic);
  new HeldTensors(given, hashed, placeOf).initialize(hashed);
  const start = parameters.values();
  const run = new TrainerRun<CaseValues>({
    method: withZeroGradients(
      own,
      given.zeroGradients.map((tensor) => ({ tensor })),
      placeOf,
    ),
    model,
    task: 'regression',
    loss: { output: 'identity' },
    epochs: 1,
    optimizer: {
      type: 'adam',
      learningRate: options.learningRate,
      betas: options.betas as [number, number],
      epsilon: options.adamEpsilon,
    },
    read: (gradients) => parameters.gradients(gradients),
  });
  const batchOf = (tag: string): Batch<string> => {
    const { targets } = given.batches[tag]!;
    return {
      inputs: Object.fromEntries(
        Object.entries(given.inputs).map(([m, range]) => [
          m,
          hashedTensor({ seed: given.seed, name: `${tag}/${m}` }, range),
        ]),
      ),
      labels: tf.tensor1d(targets),
      ids: targets.map((_, i) => `${tag}/${i}`),
    };
  };
  const predictionsOf = ({
    logits,
    unimodalLogits,
  }: Logits<string>): { readonly [key: string]: number[] } => ({
    fused: [...logits.dataSync()],
    ...(variant === 'hybrid' && {
      table: [...unimodalLogits['table']!.dataSync()],
      image: [...unimodalLogits['image']!.dataSync()],
    }),
  });
  const evaluated = (): Tree => {
    const predictions = run.look(batchOf('eval'), (step) => predictionsOf(step.forward({ training: false })));
    const { targets } = given.batches['eval']!;
    const values = predictions['fused']!;
    const errors = values.map((value, i) => value - targets[i]!);
    const mean = (of: readonly number[]): number => of.reduce((sum, value) => sum + value, 0) / of.length;
    return {
      predictions,
      mape: meanAbsolutePercentageError(targets, values),
      mae: mean(errors.map(Math.abs)),
      rmse: Math.sqrt(mean(errors.map((error) => error ** 2))),
      r2: rSquared(targets, values),
    };
  };
  try {
    await run.begin();
    run.enter(1);
    const evalBefore = evaluated();
    const steps: Tree[] = [];
    let gradients: Tree;
    for (const [batchIndex, { batch, learningRate }] of given.steps.entries()) {
      run.training.optimizer.learningRate = learningRate;
      const found = await run.step(
        { batch: batchOf(batch), epoch: 1, batchIndex },
        ({ losses, outputs }) => ({
          losses: {
            total: losses['total'],
            fused: losses['student'],
            ...(variant === 'hybrid' && { table: losses['table'], image: losses['image'] }),
          },
          predictions: predictionsOf(outputs),
        }),
      );
      gradients ??= parameters.gradientTable(run.updates[0]!.after);
      const values = parameters.values();
      const scalars = ['alpha', 'beta'].flatMap((name) =>
        values.has(name) ? [[name, values.get(name)![0]]] : [],
      );
      steps.push({ ...found, ...(Object.fromEntries(scalars) as object) });
    }
    return {
      evalBefore,
      steps,
      gradients,
      parameters: parameters.parameterTable(start),
      buffers: buffers.valueTable(),
      evalAfter: evaluated(),
    };
  } finally {
    run.dispose();
    for (const weight of model.state().values()) weight.dispose();
  }
}
