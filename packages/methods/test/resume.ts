// Trains each method on a toy, whole and stopped after a step, for the tests of resuming.
import * as tf from '@tensorflow/tfjs';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { batches, fromSamples, missingModalities } from '@g2d/datasets';
import { concatFusion, lateFusion, sumFusion, type MultimodalModel } from '@g2d/fusion';
import { perModality, type Fusion, type FusionOptions, type Method } from '@g2d/core';
import { tateEncoder } from '@g2d/encoders';
import { randomStream } from '@g2d/tensor-ops';
import {
  evaluate,
  evaluateRegression,
  frozenTeachers,
  readState,
  train as trainModel,
  type FrozenTeachers,
  type Predictor,
  type TrainingState,
  type TrainOptions,
} from '@g2d/trainer';
import {
  agm,
  cpmNet,
  cra,
  diagnosingRelearning,
  diMml,
  dlmg,
  g2dDistillation,
  gradientBlending,
  greedy,
  linearProbe,
  misMe,
  mla,
  mmin,
  mmPareto,
  modalityPrioritization,
  mses,
  mslr,
  ogm,
  ogmGe,
  olm,
  pmr,
  qmf,
  reconBoost,
  tate,
  umt,
} from '../src/index.js';
import { toyModel, type Modality } from './toy.js';

/** What is trained, made anew for every part of a training: nothing but the saved state comes from one to the other. */
export interface Recipe {
  readonly methods: () => readonly Method<Modality>[];
  /** Default: both. */
  readonly modalities?: readonly Modality[];
  /** Default: late fusion. */
  readonly fusion?: (options: FusionOptions<Modality>) => Fusion<Modality>;
  /** Which of the properties that others have it has not, and why. */
  readonly differs?: Readonly<Partial<Record<'permuted' | 'processes' | 'meagre', string>>>;
  /** Batches hide modalities of some samples, whose inputs are there. */
  readonly hides?: boolean;
  /** Default: a convolution with three features. */
  readonly encoder?: { make(name: string): LayersModel; readonly width: number };
  /** A trained model of all modalities. Default: late fusion. */
  readonly full?: () => MultimodalModel<Modality>;
  /** Default: classes. */
  readonly task?: 'regression';
  /** Default 4, a third of the samples. */
  readonly batchSize?: number;
  readonly learningRate?: number;
  /** Default 3. */
  readonly epochs?: number;
  /** The audio's validation loss after an epoch. Default: what it is, which falls. */
  readonly audioLoss?: (epoch: number) => number;
}

const SAMPLES = 12;

export const batchSizeOf = ({ batchSize = 4 }: Recipe): number => batchSize;

/** How many steps a training of a recipe has. */
export const stepsOf = (recipe: Recipe): number => (SAMPLES / batchSizeOf(recipe)) * (recipe.epochs ?? 3);

const both = ['audio', 'visual'] as const;
const smp = (ranking: 'batch' | 'epoch' = 'batch') =>
  modalityPrioritization<Modality>({ phaseEpochs: [1, 1], scope: 'encoder', ranking });
const mlaOf = (given: Parameters<typeof mla>[0]): Recipe => {
  // In whichever order the model has them.
  const method = () => mla<Modality>({ order: [...both], ...given });
  return {
    methods: () => [method()],
    fusion: (options) => method().fusion?.(options) as Fusion<Modality>,
  };
};

const qmfOf = (given: Parameters<typeof qmf>[0]): Recipe => ({
  methods: () => [qmf<Modality>(given)],
  fusion: (options) => qmf<Modality>(given).fusion?.(options) as Fusion<Modality>,
});

export const inputShapes = { audio: [4, 4, 1], visual: [4, 4, 1] };
const small = { units: [3], blocks: 2, hidden: [4], dropout: 0.2, initialization: 'xavier' } as const;
const craOf = (given: Parameters<typeof cra>[0]): Recipe => ({
  methods: () => [cra<Modality>({ ...small, ...given })],
  fusion: (options) =>
    cra<Modality>({ ...small, ...given }).fusion?.({ ...options, inputShapes }) as Fusion<Modality>,
  differs: { permuted: 'layers meet the features side by side' },
  hides: true,
});
// Weights with which it does not diverge without clipped gradients.
const imagining = { ...small, imaginationWeight: 0.1, cycleWeight: 0.1 } as const;
const mminOf = (given: Parameters<typeof mmin>[0]): Recipe => ({
  methods: () => [mmin<Modality>({ ...imagining, ...given })],
  fusion: (options) => mmin<Modality>({ ...imagining, ...given }).fusion?.(options) as Fusion<Modality>,
  differs: { permuted: 'layers meet the features side by side' },
  hides: true,
});

const cpmNetOf = (given: Parameters<typeof cpmNet>[0]): Recipe => {
  const sizes = { latent: 4, hidden: [5], testSteps: 5, latentRate: 1 };
  return {
    methods: () => [cpmNet<Modality>({ ...sizes, ...given })],
    fusion: (options) => cpmNet<Modality>({ ...sizes, ...given }).fusion?.(options) as Fusion<Modality>,
    batchSize: SAMPLES,
    learningRate: 0.01,
    differs: {
      permuted: 'the dropout of each decoder is drawn after that of the one before',
      processes: 'it compares all samples with one another, and refuses',
      meagre: 'a step has the whole split, and it refuses another',
    },
  };
};

const SEQUENCES = 2;
const tateSizes = { width: 4, heads: 2, dropout: 0.2 };
/** Pictures as sequences of rows. */
const rowsEncoder: Recipe['encoder'] = {
  width: SEQUENCES * tateSizes.width,
  make(name) {
    const inputs = tf.input({ shape: [4, 4, 1] });
    const rows = tf.layers.reshape({ name: `${name}/rows`, targetShape: [SEQUENCES, 8] }).apply(inputs);
    const encoder = tateEncoder({ name, inputShape: [SEQUENCES, 8], seed: 0, ...tateSizes });
    return tf.model({ name: `${name}/whole`, inputs, outputs: encoder.apply(rows) as tf.SymbolicTensor });
  },
};
const tateOf = (given: Parameters<typeof tate>[0]): Recipe => {
  const own = { ...tateSizes, ...given };
  const fusionOf = (options: FusionOptions<Modality>) =>
    tate<Modality>(own).fusion?.(options) as Fusion<Modality>;
  return {
    methods: () => [tate<Modality>(own)],
    fusion: fusionOf,
    encoder: rowsEncoder,
    full: () =>
      toyModel(both, fusionOf({ widths: { audio: 8, visual: 8 }, classes: 2, seed: 7 }), rowsEncoder?.make),
    learningRate: 0.01,
    epochs: 2,
    differs: {
      permuted: 'the steps of the modalities stand one after another',
      processes: 'its losses are sums over the samples of all of them',
    },
    ...(given?.guide === undefined && { hides: true }),
  };
};

const misMeOf = (given: Parameters<typeof misMe>[0]): Recipe => ({
  methods: () => [misMe<Modality>(given)],
  fusion: (options) => misMe<Modality>(given).fusion?.(options) as Fusion<Modality>,
  task: 'regression',
  learningRate: 0.01,
  epochs: 2,
  differs: { permuted: 'a head meets the features side by side, or a number is of the last modality' },
});

const boosted = (given: Parameters<typeof reconBoost>[0]): Recipe => {
  const method = () => reconBoost<Modality>({ order: [...both], ...given });
  return {
    methods: () => [method()],
    fusion: (options) => method().fusion?.(options) as Fusion<Modality>,
    epochs: 4,
  };
};

const greedyOf = (given: Parameters<typeof greedy>[0]): Recipe => ({
  methods: () => [greedy<Modality>(given)],
  fusion: (options) => greedy<Modality>(given).fusion?.(options) as Fusion<Modality>,
});

export const recipes: Readonly<Record<string, Recipe>> = {
  'joint training': { methods: () => [] },
  'a teacher': { methods: () => [], modalities: ['audio'] },
  'linear probe': { methods: () => [linearProbe()] },
  'linear probe, a head of each': {
    methods: () => [linearProbe({ heads: 'each' })],
    fusion: (options) => linearProbe<Modality>({ heads: 'each' }).fusion?.(options) as Fusion<Modality>,
  },
  umt: { methods: () => [umt({ lambda: 2 })] },
  ogm: { methods: () => [ogm({ alpha: 0.8, epochs: [1, 2] })] },
  'ogm-ge': { methods: () => [ogmGe({ alpha: 0.8, epochs: [2, 3] })] },
  'ogm-ge with a seed': { methods: () => [ogmGe({ alpha: 0.8, seed: 4 })] },
  agm: { methods: () => [agm({ alpha: 1.5, epochs: [1, 2], cap: 10 })] },
  'agm, as released': {
    methods: () => [
      agm({ alpha: 1, epochs: [2, 2], afterWindow: 'keep-last', clip: { threshold: 0.1, maxNorm: 0.1 } }),
    ],
    fusion: concatFusion,
  },
  pmr: {
    methods: () => [
      pmr({ momentum: 0.5, share: 0.7, epochs: [1, 2], entropy: { weight: 0.1, epochs: [2, 2] } }),
    ],
  },
  'pmr, as released': { methods: () => [pmr({ alpha: 2, reference: 'official' })], fusion: concatFusion },
  mslr: { methods: () => [mslr({ memory: 1, factors: { audio: 1.3, visual: 0.7 } })], epochs: 4 },
  'mslr, smooth': {
    methods: () => [mslr({ strategy: 'smooth', smoothEpochs: 2, factors: { audio: 3, visual: 0.5 } })],
  },
  mla: mlaOf({}),
  'mla, projection': mlaOf({ projection: true, width: 4 }),
  'mla, official projection': mlaOf({ projection: true, reference: 'official', otherEncoders: 'zero' }),
  'mm-pareto': {
    methods: () => [mmPareto()],
    fusion: (options) => mmPareto<Modality>().fusion?.(options) as Fusion<Modality>,
  },
  'recon-boost': boosted({ boostEpochs: 1, rectifyEpochs: 1 }),
  'recon-boost, as released': boosted({
    boostEpochs: 1,
    rectifyEpochs: 1,
    reference: 'official',
    pretrained: true,
  }),
  'di-mml': {
    methods: () => [diMml({ temperature: 10, interactionAfter: 1, fusionEpochs: 1 })],
    fusion: (options) => diMml<Modality>({ temperature: 10 }).fusion?.(options) as Fusion<Modality>,
  },
  dlmg: { methods: () => [dlmg()] },
  'dlmg, fitted': { methods: () => [dlmg({ schedule: 'fitted', reference: 'official' })] },
  'dlmg, learnable': {
    methods: () => [
      dlmg({
        schedule: 'learnable',
        reference: 'official',
        learning: { rate: 0.5, halvedEvery: 1, held: 5, parameter: 'audio/conv/kernel' },
      }),
    ],
  },
  'dlmg, learnable as the problem says': {
    methods: () => [dlmg({ schedule: 'learnable-exact', learning: { rate: 5, held: 4 } })],
    fusion: concatFusion,
  },
  'gradient-blending': {
    methods: () => [gradientBlending({ every: 1 })],
    fusion: (options) => gradientBlending<Modality>().fusion?.(options) as Fusion<Modality>,
  },
  'gradient-blending, fixed': {
    methods: () => [gradientBlending({ weights: { fused: 0.5, audio: 0.1, visual: 0.4 } })],
    fusion: concatFusion,
  },
  greedy: greedyOf({ from: 1, window: 2 }),
  'greedy, as released': {
    ...greedyOf({ from: 2, window: 2, tolerance: 0, reference: 'official' }),
    differs: { permuted: 'all have the averages of the first modality' },
  },
  'greedy, random': {
    ...greedyOf({ from: 1, steps: 'random' }),
    differs: { permuted: 'a modality is drawn by its place' },
  },
  'diagnosing-relearning': {
    methods: () => [diagnosingRelearning({ every: 1, times: 2 })],
    fusion: concatFusion,
    epochs: 4,
  },
  'diagnosing-relearning, as released': {
    methods: () => [diagnosingRelearning({ every: 1, lambda: 10, reference: 'official' })],
  },
  olm: {
    methods: () => [olm({ weightRate: 0.05 })],
    fusion: (options) => olm<Modality>().fusion?.(options) as Fusion<Modality>,
  },
  'cra, a mean over the batch': craOf({ reduction: 'mean' }),
  mmin: mminOf({}),
  'mmin, one autoencoder': mminOf({ shareWeights: true }),
  'cpm-net': cpmNetOf({}),
  'cpm-net, as released': cpmNetOf({ testRate: 'decoders', decision: 'nearest', testDropout: true }),
  tate: tateOf({}),
  'tate, as released': tateOf({ guide: 'self', tags: 'constant' }),
  'mis-me': misMeOf({}),
  'mis-me, two numbers': misMeOf({ variant: 'two-scalars' }),
  qmf: qmfOf({ lambda: 0.5 }),
  'qmf, the other readings': qmfOf({ lambda: 1, constantWeights: true, margin: 'required' }),
  'smp, ranked by the epoch': { methods: () => [smp('epoch')] },
  'umt and smp': { methods: () => [umt(), smp('epoch')] },
  g2d: { methods: () => [g2dDistillation<Modality>(), smp()] },
  // It stops after epoch 2, and goes back to epoch 1.
  mses: {
    methods: () => [mses({ patience: 1 })],
    fusion: sumFusion,
    audioLoss: (epoch) => epoch,
  },
  // It stops after epoch 3.
  'mses, official': {
    methods: () => [mses({ patience: 1, reference: 'official' })],
    epochs: 4,
    audioLoss: (epoch) => epoch,
  },
};

const random = randomStream(3);
const signals = (): readonly Record<Modality, Float32Array>[] =>
  Array.from({ length: SAMPLES }, (_, i) => {
    const image = (signal: number) =>
      Float32Array.from({ length: 16 }, () => random.normal() + (i % 2 ? signal : -signal));
    return { audio: image(1), visual: image(0.2) };
  });
const toyInputs = { train: signals(), validation: signals() };
const samples = (split: 'train' | 'validation', task: 'classification' | 'regression') =>
  fromSamples({
    name: 'toy',
    split,
    task,
    classNames: task === 'regression' ? [] : ['a', 'b'],
    shapes: { audio: [4, 4, 1], visual: [4, 4, 1] },
    samples: toyInputs[split].map((inputs, i) => ({
      label: task === 'regression' ? (i % 5) - 1.5 : i % 2,
      inputs,
    })),
  });

const toyData = (task: 'classification' | 'regression') => {
  const data = samples('train', task);
  return {
    data,
    unseen: samples('validation', task),
    hidden: missingModalities(data, { rate: 0.3, seed: 1, inputs: 'complete' }),
  };
};
const DATA = { classification: toyData('classification'), regression: toyData('regression') };
export const { data, hidden } = DATA.classification;

/** What a recipe is trained on. */
export const dataOf = ({ task }: Recipe) => DATA[task ?? 'classification'];

/** Teachers as they were made; what they say matters, not how well. Their weights do not change: all trainings may share them. */
export const toyTeachers = ({
  full = () => toyModel(['audio', 'visual']),
}: Pick<Recipe, 'full'> = {}): FrozenTeachers<Modality> =>
  frozenTeachers({ audio: toyModel(['audio']), visual: toyModel(['visual']) }, { full: full() });

/** What a training of a recipe may have otherwise. */
interface Given extends Partial<
  Pick<TrainOptions<Modality>, 'resume' | 'afterStep' | 'batches' | 'allReduce'>
> {
  readonly teachers: FrozenTeachers<Modality>;
  /** Changes the model before it is trained. */
  readonly prepare?: (model: ReturnType<typeof toyModel>) => void;
}

/** Trains a recipe, whole or from a state on. */
export async function train(recipe: Recipe, { teachers, prepare, ...others }: Given) {
  const { methods, modalities = both, fusion = lateFusion, task, hides = false } = recipe;
  const { epochs = 3, audioLoss, encoder, learningRate = 0.1 } = recipe;
  const batchSize = batchSizeOf(recipe);
  const { data: own, unseen, hidden: hiding } = dataOf(recipe);
  const width = encoder?.width ?? 3;
  const widths = perModality(modalities, () => width) as Record<Modality, number>;
  const classes = task === 'regression' ? 1 : 2;
  const model = toyModel(modalities, fusion({ widths, classes, seed: 0 }), encoder?.make);
  prepare?.(model);
  const log: unknown[] = [];
  const metricsOf = async (predict: Predictor<Modality>) =>
    task === 'regression'
      ? (await evaluateRegression(predict, own, { output: 'identity' })).metrics
      : (await evaluate(predict, own)).metrics;
  const { predict } = await trainModel<Modality>({
    model,
    methods: methods(),
    teachers,
    ...(task && { task, loss: { output: 'identity' } }),
    epochs,
    seed: 11,
    optimizer: {
      learningRate,
      momentum: 0.9,
      weightDecay: 1e-4,
      schedule: { type: 'step', after: [2] },
    },
    batchesPerEpoch: SAMPLES / batchSize,
    everySample: () => batches(own, { batchSize: 4 }),
    everyValidationSample: () => batches(unseen, { batchSize: 4 }),
    batches: (epoch, startBatch) =>
      batches(hides ? hiding : own, { batchSize, epoch, startBatch, shuffle: true, seed: 11 }),
    evaluate: async (epoch, predict) => {
      const metrics = await metricsOf(predict);
      const audio = metrics['audio'] as NonNullable<(typeof metrics)['audio']>;
      return {
        validation: {
          ...metrics,
          audio: audioLoss ? { ...audio, loss: audioLoss(epoch) } : audio,
        } as typeof metrics,
      };
    },
    onEpoch: (record) => void log.push({ ...record, seconds: 0 }),
    ...others,
  });
  return { model, log, predict };
}

/** A training, and what it comes to. */
export async function trained(recipe: Recipe, given: Given) {
  const { model, log } = await train(recipe, given);
  return { weights: readState(model), log };
}

interface Packed {
  readonly float32: readonly number[];
}

/** A state as it comes back from a file: all but arrays through JSON. */
const throughJson = (state: TrainingState): TrainingState =>
  JSON.parse(
    JSON.stringify(state, (_, value: unknown) =>
      value instanceof Float32Array ? ({ float32: [...value] } satisfies Packed) : value,
    ),
    (_, value: Packed | null) => (value?.float32 ? Float32Array.from(value.float32) : value),
  ) as TrainingState;

/** A training that stops after so many steps, and another that goes on from its state. */
export async function interrupted(
  recipe: Recipe,
  { teachers, after }: { readonly teachers: FrozenTeachers<Modality>; readonly after: number },
) {
  let saved: TrainingState | undefined;
  let steps = 0;
  const first = await trained(recipe, {
    teachers,
    afterStep(capture) {
      if (++steps < after) return;
      saved = throughJson(capture());
      return 'stop';
    },
  });
  const second = await trained(recipe, { teachers, resume: saved });
  return { weights: second.weights, log: [...first.log, ...second.log] };
}
