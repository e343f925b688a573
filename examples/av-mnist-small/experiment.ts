import { perModality, type PerModality } from '@g2d/core';
import type { Scores } from '@g2d/core';
import { evaluate, frozenTeachers, teacherConfidence, teacherEnsemble } from '@g2d/trainer';
import { loadRun, parseConfig, trainRun, type Progress, type RunGroup, type RunSummary } from '@g2d/runs';
import type { Data, Modality } from './data.js';
import type { Settings } from './settings.js';

const MODALITIES = ['audio', 'image'] as const;

/** What the comparison trains, after the teachers. */
const METHODS = ['joint', 'smp', 'g2d-loss', 'g2d'] as const;

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

/** The configuration of one run, as `g2d train` reads it from a file. */
function configOf(
  name: string,
  settings: Settings,
  { modalities, teachers }: { readonly modalities: readonly Modality[]; readonly teachers: object },
): unknown {
  const { seed, epochs, batchSize, learningRate, momentum, weightDecay, dropAfter, draw } = settings;
  const { phaseEpochs, scope, alpha, beta, temperature } = settings;
  const isTeacher = modalities.length === 1;
  return {
    name,
    dataset: { name: 'small-av-mnist', root: 'data', draw },
    data: { inMemory: true, dropLast: true, augment: { image: { type: 'random-affine-crop' } } },
    modalities,
    encoders: { audio: { type: 'small-audio' }, image: { type: 'small-image' } },
    fusion: { type: 'late' },
    method: isTeacher ? 'joint' : name,
    methodOptions: { smp: { phaseEpochs, scope }, 'g2d-loss': { alpha, beta, temperature } },
    teachers,
    seed,
    epochs,
    batchSize,
    optimizer: {
      type: 'sgd',
      learningRate,
      momentum,
      weightDecay,
      schedule: { type: 'step', after: dropAfter },
    },
    // Teachers: the best of every sixth part of the epochs. The test part is looked at once, at the end.
    select: isTeacher ? 'validation-best' : 'last',
    evaluation: { every: isTeacher ? Math.max(1, Math.round(epochs / 6)) : 2, splits: ['validation'] },
  };
}

/** What to say where the ranking of two teachers is left to chance. */
export function confidenceWarning({ audio, image }: PerModality<Modality, number>): string | undefined {
  if (Math.abs(audio - image) >= 0.05) return undefined;
  return (
    `Warning: the teachers are almost equally confident (audio ${audio.toFixed(3)}, image ${image.toFixed(3)}). ` +
    'The ranking will flip from batch to batch, and with it the modality that trains alone.'
  );
}

/** A run was asked to stop; it is saved. */
export class Interrupted extends Error {}

/** Both teachers, then the four students with the same seed: the comparison of the first page. */
export async function runExperiment({
  data,
  settings,
  group,
  progress,
  signal,
}: {
  readonly data: Data;
  readonly settings: Settings;
  readonly group: RunGroup;
  readonly progress: Progress;
  /** Finishes the step, saves, and throws `Interrupted`. */
  readonly signal: AbortSignal;
}): Promise<Results> {
  const seconds: Record<string, number> = {};
  const run = async (name: string, parts: Parameters<typeof configOf>[2]): Promise<RunSummary> => {
    progress.stage(name);
    const cost = COST[name] as number;
    let shown = 0;
    const show = (epochs: number): void => {
      progress.advance(cost * (epochs - shown));
      shown = epochs;
    };
    const outcome = await trainRun(parseConfig(configOf(name, settings, parts)), {
      out: group.run(name),
      resume: true,
      signal,
      reporter: {
        begin: ({ total, done }) => show(Math.floor((settings.epochs * done) / total)),
        step: () => {},
        epoch: ({ epoch }) => show(epoch),
        note: (line) => progress.note(line),
      },
    });
    if (outcome.status === 'interrupted') throw new Interrupted();
    show(settings.epochs);
    seconds[name] = outcome.summary.seconds;
    return outcome.summary;
  };

  const accuracies: Record<Modality, number> = perModality(MODALITIES, () => 0);
  for (const modality of MODALITIES) {
    const { test } = await run(`teacher-${modality}`, { modalities: [modality], teachers: {} });
    accuracies[modality] = test[modality] as number;
  }
  const folders = perModality(MODALITIES, (modality) => group.run(`teacher-${modality}`));
  const loaded = { audio: await loadRun(folders.audio), image: await loadRun(folders.image) };
  const teachers = frozenTeachers<Modality>({
    audio: loaded.audio.model,
    image: loaded.image.model,
  } as never);
  const confidences = await teacherConfidence(teachers, data.train);
  const warning = confidenceWarning(confidences);
  if (warning) progress.note(warning);

  const results: Record<string, { test: Scores; validation: Scores }> = {};
  for (const method of METHODS) {
    const { test, validation } = await run(method, { modalities: MODALITIES, teachers: folders });
    results[method] = { test, validation: validation as Scores };
  }
  // What two separate networks reach without any joint training.
  const mean = teacherEnsemble(teachers);
  results['teacher-mean'] = {
    test: (await evaluate(mean, data.test)).accuracy,
    validation: (await evaluate(mean, data.validation)).accuracy,
  };
  teachers.dispose();
  for (const { close } of Object.values(loaded)) await close();
  return { results, teachers: accuracies, confidences, seconds };
}
