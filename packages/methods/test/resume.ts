// Trains each method on a toy, whole and stopped after a step, for the tests of resuming.
import { batches, fromSamples, missingModalities } from '@g2d/datasets';
import { concatFusion, lateFusion, sumFusion } from '@g2d/fusion';
import type { Fusion, FusionOptions, Method } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import {
  evaluate,
  frozenTeachers,
  readState,
  train,
  type FrozenTeachers,
  type TrainingState,
  type TrainOptions,
} from '@g2d/trainer';
import {
  agm,
  cra,
  diagnosingRelearning,
  diMml,
  dlmg,
  g2dDistillation,
  gradientBlending,
  greedy,
  linearProbe,
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
  readonly differs?: Readonly<Partial<Record<'permuted', string>>>;
  /** Batches hide modalities of some samples, whose inputs are there. */
  readonly hides?: boolean;
  /** Default 3. */
  readonly epochs?: number;
  /** The audio's validation loss after an epoch. Default: what it is, which falls. */
  readonly audioLoss?: (epoch: number) => number;
}

const STEPS_PER_EPOCH = 3;

/** How many steps a training of a recipe has. */
export const stepsOf = ({ epochs = 3 }: Recipe): number => STEPS_PER_EPOCH * epochs;

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
const samples = (split: 'train' | 'validation') =>
  fromSamples({
    name: 'toy',
    split,
    classNames: ['a', 'b'],
    shapes: { audio: [4, 4, 1], visual: [4, 4, 1] },
    samples: Array.from({ length: 12 }, (_, i) => {
      const image = (signal: number) =>
        Float32Array.from({ length: 16 }, () => random.normal() + (i % 2 ? signal : -signal));
      return { label: i % 2, inputs: { audio: image(1), visual: image(0.2) } };
    }),
  });
export const data = samples('train');
const unseen = samples('validation');

export const hidden = missingModalities(data, { rate: 0.3, seed: 1, inputs: 'complete' });

/** Teachers as they were made; what they say matters, not how well. Their weights do not change: all trainings may share them. */
export const toyTeachers = (): FrozenTeachers<Modality> =>
  frozenTeachers(
    { audio: toyModel(['audio']), visual: toyModel(['visual']) },
    { full: toyModel(['audio', 'visual']) },
  );

/** A training, whole or from a state on, and what it comes to. */
export async function trained(
  { methods, modalities = both, fusion = lateFusion, epochs = 3, audioLoss, hides = false }: Recipe,
  {
    teachers,
    prepare,
    ...others
  }: {
    teachers: FrozenTeachers<Modality>;
    /** Changes the model before it is trained. */
    prepare?: (model: ReturnType<typeof toyModel>) => void;
  } & Partial<Pick<TrainOptions<Modality>, 'resume' | 'afterStep' | 'batches' | 'allReduce'>>,
) {
  const widths = Object.fromEntries(modalities.map((modality) => [modality, 3])) as Record<Modality, number>;
  const model = toyModel(modalities, fusion({ widths, classes: 2, seed: 0 }));
  prepare?.(model);
  const log: unknown[] = [];
  await train<Modality>({
    model,
    methods: methods(),
    teachers,
    epochs,
    seed: 11,
    optimizer: {
      learningRate: 0.1,
      momentum: 0.9,
      weightDecay: 1e-4,
      schedule: { type: 'step', after: [2] },
    },
    batchesPerEpoch: STEPS_PER_EPOCH,
    everySample: () => batches(data, { batchSize: 4 }),
    everyValidationSample: () => batches(unseen, { batchSize: 4 }),
    batches: (epoch, startBatch) =>
      batches(hides ? hidden : data, { batchSize: 4, epoch, startBatch, shuffle: true, seed: 11 }),
    evaluate: async (epoch, predict) => {
      const { metrics } = await evaluate(predict, data);
      const audio = metrics['audio'] as NonNullable<(typeof metrics)['audio']>;
      return { validation: { ...metrics, audio: audioLoss ? { ...audio, loss: audioLoss(epoch) } : audio } };
    },
    onEpoch: (record) => void log.push({ ...record, seconds: 0 }),
    ...others,
  });
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
