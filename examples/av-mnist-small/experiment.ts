import type { LayersModel } from '@tensorflow/tfjs';

import { smallAudioEncoder, smallImageEncoder } from '@g2d/encoders';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { deriveSeed, perModality, type PerModality } from '@g2d/tensor-ops';
import {
  evaluate,
  frozenTeachers,
  g2dDistillation,
  inferenceOf,
  modalityPrioritization,
  readState,
  teacherConfidence,
  teacherEnsemble,
  train,
  writeState,
  type FrozenTeachers,
  type Method,
  type Scores,
} from '@g2d/trainer';
import type { Progress, RunFolder, RunGroup, RunSummary } from '@g2d/trainer/node';
import { trainingBatches, type Data, type Modality } from './data.js';
import type { Settings } from './settings.js';

const MODALITIES = ['audio', 'image'] as const;
const WIDTHS = { audio: 64, image: 32 };
const ENCODERS = {
  audio: (seed: number) => smallAudioEncoder({ name: 'audio', inputShape: [56, 56, 1], seed }),
  image: (seed: number) => smallImageEncoder({ name: 'image', inputShape: [28, 28, 1], seed }),
};

/** A method of the comparison: a stack of hooks, and the settings that it reads. */
interface Recipe<M extends Modality> {
  readonly methods: readonly Method<M>[];
  readonly options: object;
}

/** What the comparison trains. Joint training is the empty stack. */
const RECIPES: Readonly<Record<string, (settings: Settings) => Recipe<Modality>>> = {
  joint: () => ({ methods: [], options: {} }),
  smp: ({ phaseEpochs, scope }) => {
    const options = { phaseEpochs, scope };
    return { methods: [modalityPrioritization(options)], options };
  },
  'g2d-loss': ({ alpha, beta, temperature }) => {
    const options = { alpha, beta, temperature };
    return { methods: [g2dDistillation(options)], options };
  },
  g2d: ({ alpha, beta, temperature, phaseEpochs, scope }) => {
    const options = { alpha, beta, temperature, phaseEpochs, scope };
    return { methods: [g2dDistillation(options), modalityPrioritization(options)], options };
  },
};

/** How much longer than an epoch of the image teacher an epoch takes, for the time left. */
const COST: Readonly<Record<string, number>> = {
  'teacher-audio': 2,
  'teacher-image': 1,
  joint: 3,
  smp: 4,
  'g2d-loss': 4,
  g2d: 4,
};

/** All the work of an experiment, in the steps that `progress` counts. */
export const workOf = ({ epochs }: Settings): number =>
  epochs * Object.values(COST).reduce((sum, cost) => sum + cost, 0);

/** A table's worth of results. */
export interface Results {
  readonly results: Readonly<Record<string, { readonly test: Scores; readonly validation: Scores }>>;
  readonly teachers: PerModality<Modality, number>;
  /** ρ on the training part, without augmentation. */
  readonly confidences: PerModality<Modality, number>;
  readonly seconds: Readonly<Record<string, number>>;
}

/** A model of one modality: a teacher. */
function teacherModel<M extends Modality>(modality: M, classes: number, seed: number): MultimodalModel<M> {
  return new MultimodalModel<M>({
    encoders: { [modality]: ENCODERS[modality](seed) } as Record<M, LayersModel>,
    fusion: lateFusion({ widths: { [modality]: WIDTHS[modality] } as Record<M, number>, classes, seed }),
  });
}

const studentModel = (classes: number, seed: number): MultimodalModel<Modality> =>
  new MultimodalModel({
    encoders: perModality(MODALITIES, (modality) => ENCODERS[modality](seed)),
    fusion: lateFusion({ widths: WIDTHS, classes, seed }),
  });

/** Trains one model, or finds it trained in its folder. */
async function runTraining<M extends Modality>({
  name,
  student,
  recipe: { methods, options },
  teachers,
  keep,
  data,
  settings,
  folder,
  environment,
  progress,
}: {
  readonly name: string;
  readonly student: MultimodalModel<M>;
  readonly recipe: Recipe<M>;
  readonly teachers?: FrozenTeachers<M>;
  /** Weights to end with: of the last epoch, or of the best on validation among every sixth part of the epochs. */
  readonly keep: 'last' | 'best';
  readonly data: Data;
  readonly settings: Settings;
  readonly folder: RunFolder;
  readonly environment: object;
  readonly progress: Progress;
}): Promise<RunSummary> {
  const cost = COST[name] as number;
  progress.stage(name);
  const finished = folder.summary();
  if (finished) {
    folder.loadWeights(student);
    progress.advance(cost * settings.epochs);
    return finished;
  }
  const { epochs, learningRate, momentum, weightDecay, dropAfter } = settings;
  const { modalities } = student;
  folder.begin({
    name,
    kind: modalities.length > 1 ? 'student' : 'teacher',
    modalities,
    method: name,
    seed: settings.seed,
    epochs,
    batchSize: settings.batchSize,
    learningRate,
    momentum,
    weightDecay,
    dropAfter,
    ...options,
    ...environment,
  });
  const started = performance.now();
  const metric = modalities.length > 1 ? 'fused' : (modalities[0] as string);
  const candidateEvery = Math.max(1, Math.round(epochs / 6));
  let best = { epoch: 0, accuracy: -1, state: readState(student) };
  await train({
    model: student,
    methods,
    ...(teachers && { teachers }),
    epochs,
    optimizer: { learningRate, momentum, weightDecay, schedule: { type: 'step', after: dropAfter } },
    batches: (epoch) => trainingBatches(data.train, epoch, settings),
    evaluate: async (epoch, predict) => {
      const candidate = epoch % candidateEvery === 0 || epoch === epochs;
      if (epoch % 2 === 1 && !candidate && epoch > 1) return undefined;
      const { accuracy, metrics } = await evaluate(predict, data.validation);
      // The later epoch wins a tie.
      if (keep === 'best' && candidate && (accuracy[metric] as number) >= best.accuracy) {
        best = { epoch, accuracy: accuracy[metric] as number, state: readState(student) };
      }
      return { validation: metrics };
    },
    onEpoch: (record) => {
      folder.append(record);
      progress.advance(cost);
    },
  });
  if (keep === 'best') writeState(student, best.state);
  const validation = await evaluate(inferenceOf(student), data.validation);
  return folder.finish({
    model: student,
    test: await evaluate(inferenceOf(student), data.test),
    classNames: data.test.classNames,
    summary: {
      name,
      seed: settings.seed,
      epochs,
      seconds: (performance.now() - started) / 1000,
      selectedEpoch: keep === 'best' ? best.epoch : epochs,
      validation: validation.accuracy,
    },
  });
}

/** What to say where the ranking of two teachers is left to chance. */
export function confidenceWarning({ audio, image }: PerModality<Modality, number>): string | undefined {
  if (Math.abs(audio - image) >= 0.05) return undefined;
  return (
    `Warning: the teachers are almost equally confident (audio ${audio.toFixed(3)}, image ${image.toFixed(3)}). ` +
    'The ranking will flip from batch to batch, and with it the modality that trains alone.'
  );
}

/** Both teachers, then the four students with the same seed: the comparison of the first page. */
export async function runExperiment({
  data,
  settings,
  group,
  environment,
  progress,
}: {
  readonly data: Data;
  readonly settings: Settings;
  readonly group: RunGroup;
  /** Backend, device and versions, for every run's `config.json`. */
  readonly environment: object;
  readonly progress: Progress;
}): Promise<Results> {
  const classes = data.train.classNames.length;
  const common = { data, settings, environment, progress };
  const seconds: Record<string, number> = {};

  // Another seed than the students': with the same initial weights distillation would be too easy.
  const seed = deriveSeed(settings.seed, 'teachers');
  const models = { audio: teacherModel('audio', classes, seed), image: teacherModel('image', classes, seed) };
  const accuracies = perModality(MODALITIES, () => 0);
  const trainTeacher = async <M extends Modality>(
    modality: M,
    student: MultimodalModel<M>,
  ): Promise<void> => {
    const name = `teacher-${modality}`;
    const recipe = { methods: [], options: {} };
    const summary = await runTraining({
      ...common,
      name,
      student,
      recipe,
      keep: 'best',
      folder: group.run(name),
    });
    accuracies[modality] = summary.test[modality] as number;
    seconds[name] = summary.seconds;
  };
  await trainTeacher('audio', models.audio);
  await trainTeacher('image', models.image);

  const teachers = frozenTeachers(models);
  const confidences = await teacherConfidence(teachers, data.train);
  const warning = confidenceWarning(confidences);
  if (warning) progress.note(warning);

  const results: Record<string, { test: Scores; validation: Scores }> = {};
  for (const [name, recipeOf] of Object.entries(RECIPES)) {
    const {
      test,
      validation,
      seconds: taken,
    } = await runTraining({
      ...common,
      name,
      student: studentModel(classes, settings.seed),
      recipe: recipeOf(settings),
      teachers,
      keep: 'last',
      folder: group.run(name),
    });
    results[name] = { test, validation };
    seconds[name] = taken;
  }
  // What two separate networks reach without any joint training.
  const mean = teacherEnsemble(teachers);
  results['teacher-mean'] = {
    test: (await evaluate(mean, data.test)).accuracy,
    validation: (await evaluate(mean, data.validation)).accuracy,
  };
  teachers.dispose();
  return { results, teachers: accuracies, confidences, seconds };
}
