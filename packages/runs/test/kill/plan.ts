// Every method on random pictures, in four epochs of which each is another part of it, and the moments at which its run is killed.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { linearProbe, methods, ume } from '@g2d/methods';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';

/** A moment of a run. */
export interface Kill {
  readonly run: string;
  /** After so many steps, counted from the run's beginning, before the step is saved. */
  readonly step: number;
  /** If it is there: once so many samples have been read since, by what follows the last step of an epoch. */
  readonly reads?: number;
}

export interface PlannedTraining {
  readonly id: string;
  readonly out: string;
  readonly config: object;
}

/** What `program.ts` does. */
export interface KillPlan {
  readonly runs: readonly PlannedTraining[];
  readonly kills: readonly Kill[];
}

export const EPOCHS = 4;
const VALIDATION_SAMPLES = 12;

const smp = { phaseEpochs: [2, 2], ranking: 'epoch' };

/** Options with which every epoch is another stage, window or phase; a method that is not here has its defaults. */
const OPTIONS: Readonly<Record<string, object>> = {
  'gradient-blending': { 'gradient-blending': { every: 2 } },
  ogm: { ogm: { alpha: 0.8, epochs: [2, 3] } },
  'ogm-ge': { 'ogm-ge': { alpha: 0.8, epochs: [2, 3] } },
  agm: { agm: { alpha: 1.5, epochs: [2, 3], afterWindow: 'keep-last' } },
  pmr: { pmr: { momentum: 0.5, share: 0.7, epochs: [2, 3], entropy: { weight: 0.1, epochs: [2, 2] } } },
  mslr: { mslr: { memory: 1, factors: { loud: 1.3, quiet: 0.7 }, epochs: [2, 3] } },
  mses: { mses: { patience: 1 } },
  qmf: { qmf: { lambda: 0.5 } },
  olm: { olm: { weightRate: 0.05 } },
  mla: { mla: { projection: true } },
  'recon-boost': { 'recon-boost': { boostEpochs: 1, rectifyEpochs: 1 } },
  'di-mml': { 'di-mml': { temperature: 10, interactionAfter: 1, fusionEpochs: 1 } },
  greedy: { greedy: { window: 1, tolerance: 0.001, from: 2 } },
  'diagnosing-relearning': { 'diagnosing-relearning': { every: 1, times: 3 } },
  dlmg: { dlmg: { schedule: 'learnable-exact', matching: 'divergence', learning: { held: 4, used: 2 } } },
  smp: { smp },
  g2d: { smp: { ...smp, ranking: 'batch' } },
};

const base = {
  dataset: { name: 'module', path: fileURLToPath(new URL('random-dataset.js', import.meta.url)) },
  encoders: { loud: { type: 'small-image' }, quiet: { type: 'small-image' } },
  epochs: EPOCHS,
  batchSize: 8,
  optimizer: { type: 'sgd', learningRate: 0.05, momentum: 0.9, schedule: { type: 'step', after: [2] } },
  select: 'last',
  evaluation: { splits: ['validation'] },
  // After every step.
  checkpoints: { minutes: 1e-9 },
};

const TRAINING_SAMPLES = 24;
const stepsPerEpoch = (name: string): number => {
  const { batchSize } = { ...base, ...SYSTEMS[name] };
  return TRAINING_SAMPLES / batchSize;
};

const masks = { data: { missing: { rate: 0.3 } } };
const adam = { optimizer: { type: 'adam', learningRate: 0.01, schedule: { type: 'step', after: [2] } } };
const autoencoder = { units: [6], blocks: 2, hidden: [5], initialization: 'xavier' };
const tag = { width: 8, heads: 2 };
const sequences = {
  ...adam,
  dataset: { ...base.dataset, options: { inputs: 'rows' } },
  encoders: { loud: { type: 'tate', ...tag }, quiet: { type: 'tate', ...tag } },
};

/** Settings of systems that need other data or encoders: masks, the whole split in a step, sequences, a regression. */
const SYSTEMS: Readonly<Record<string, object>> = {
  cra: { ...masks, ...adam, methodOptions: { cra: autoencoder } },
  mmin: { ...masks, ...adam, methodOptions: { mmin: autoencoder } },
  'cpm-net': {
    ...masks,
    ...adam,
    encoders: { loud: { type: 'flat' }, quiet: { type: 'flat' } },
    batchSize: TRAINING_SAMPLES,
    methodOptions: { 'cpm-net': { latent: 6, hidden: [5], testSteps: 5 } },
  },
  tate: { ...masks, ...sequences, methodOptions: { tate: tag } },
  'mis-me': {
    ...adam,
    dataset: { ...base.dataset, options: { task: 'regression' } },
    loss: { output: 'identity' },
  },
};

/** A teacher of each modality, which students name, and those of all modalities. */
export const teacherTrainings = (root: string): readonly PlannedTraining[] => {
  const teachers = Object.entries(teachersIn(root)).map(([modality, out]) => ({
    id: `teacher-${modality}`,
    out,
    config: { ...base, modalities: [modality], name: `teacher-${modality}` },
  }));
  const full = { method: 'tate', methodOptions: { tate: { ...tag, guide: 'none' } } };
  const own = { mmin: base, tate: { ...base, ...sequences, ...full } };
  return [
    ...teachers,
    ...Object.entries(own).map(([name, config]) => ({
      id: `full-${name}`,
      out: fullTeacherIn(root, name),
      config: { ...config, name: `full-${name}` },
    })),
  ];
};

const fullTeacherIn = (root: string, name: string): string => join(root, `full-${name}`);

const teachersIn = (root: string): Readonly<Record<'loud' | 'quiet', string>> => ({
  loud: join(root, 'teacher-loud'),
  quiet: join(root, 'teacher-quiet'),
});

/** A run of each method. */
export const trainings = (root: string, out: string): readonly PlannedTraining[] =>
  methods.map(({ name }) => {
    const teachers = teachersIn(root);
    const encoders = Object.entries(base.encoders).map(([modality, encoder]) => [
      modality,
      { ...encoder, ...(name === linearProbe.name && { weights: teachers[modality as 'loud'] }) },
    ]);
    return {
      id: name,
      out: join(out, name),
      config: {
        ...base,
        method: name,
        methodOptions: OPTIONS[name] ?? {},
        encoders: Object.fromEntries(encoders) as object,
        teachers: name === 'mmin' || name === 'tate' ? { fused: fullTeacherIn(root, name) } : teachers,
        ...SYSTEMS[name],
        ...(name === ume.name && { epochs: 0 }),
      },
    };
  });

/**
 * When a run is killed: in each epoch at a step and in what follows its last step, both drawn from the method's name.
 *
 * @param all False: one of the two, in turn.
 */
export function killsOf(name: string, all: boolean): readonly Kill[] {
  const random = randomStream(deriveSeed(0, `kills of ${name}`));
  const reads = (): number => 1 + random.integer(VALIDATION_SAMPLES);
  if (name === ume.name) return [{ run: name, step: 0, reads: reads() }];
  const offset = random.integer(2);
  const steps = stepsPerEpoch(name);
  return Array.from({ length: EPOCHS }, (_, epoch): Kill[] => {
    const before = steps * epoch;
    const pair = [
      { run: name, step: before + 1 + random.integer(steps) },
      { run: name, step: before + steps, reads: reads() },
    ];
    return all ? pair : pair.slice((epoch + offset) % 2, ((epoch + offset) % 2) + 1);
  }).flat();
}
