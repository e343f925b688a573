// The two networks that learn one modality each: trained here, or loaded.
import type { NamedArray } from '@g2d/core';
import type { SmallAvMnistSplit } from '@g2d/datasets';
import type { MultimodalModel } from '@g2d/fusion';
import { evaluate, inferenceOf, readState, train, writeState } from '@g2d/trainer';
import { buildTeacher } from './model.js';
import { MODALITIES, type Modality } from './names.js';
import { batchesPerEpoch, optimizerFor, trainingBatches } from './recipe.js';

/** Weights of all teachers, by their names, which begin with their modality. */
export type TeacherWeights = Readonly<Record<string, NamedArray>>;

/** Validated after so many epochs; the best of these states is the teacher. */
const VALIDATE_EVERY = 10;

/** How far a training has come, and how many steps it has. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/**
 * Trains a teacher, and takes its state that is best on the validation split; of equal ones the later.
 *
 * @param options `afterStep`: awaited; `'stop'` ends it.
 * @returns `undefined` if it was stopped.
 */
export async function trainTeacher(
  modality: Modality,
  {
    data,
    seed,
    epochs,
    afterStep,
  }: {
    readonly data: { readonly train: SmallAvMnistSplit; readonly validation: SmallAvMnistSplit };
    readonly seed: number;
    readonly epochs: number;
    readonly afterStep: (progress: Progress) => Promise<'stop' | void>;
  },
): Promise<TeacherWeights | undefined> {
  const model = buildTeacher(modality, seed);
  const total = epochs * batchesPerEpoch(data.train);
  let best: { readonly accuracy: number; readonly weights: TeacherWeights } | undefined;
  let done = 0;
  try {
    const { status } = await train<Modality>({
      model,
      methods: [],
      epochs,
      seed,
      optimizer: optimizerFor(epochs),
      batchesPerEpoch: batchesPerEpoch(data.train),
      batches: trainingBatches(data.train, [modality], seed),
      afterStep: () => afterStep({ done: ++done, total }),
      onEpoch: async ({ epoch }) => {
        if (epoch % VALIDATE_EVERY !== 0 && epoch !== epochs) return;
        const { accuracy } = await evaluate(inferenceOf(model), data.validation);
        const now = accuracy[modality] as number;
        if (!best || now >= best.accuracy) best = { accuracy: now, weights: readState(model) };
      },
    });
    return status === 'finished' ? best?.weights : undefined;
  } finally {
    for (const weight of model.state().values()) weight.dispose();
  }
}

/** A model for each modality alone. */
export type TeacherModels = { readonly [M in Modality]: MultimodalModel<M> };

/** The teachers' models with their weights; `dispose` frees them. */
export function teachersFrom(weights: TeacherWeights): {
  readonly models: TeacherModels;
  dispose(): void;
} {
  const of = <M extends Modality>(modality: M) => {
    const model = buildTeacher(modality, 0);
    const own = Object.entries(weights).filter(([name]) => name.split('/').slice(0, 2).includes(modality));
    writeState(model, Object.fromEntries(own));
    return model;
  };
  const models = { audio: of('audio'), image: of('image') };
  return {
    models,
    dispose(): void {
      for (const modality of MODALITIES)
        for (const weight of models[modality].state().values()) weight.dispose();
    },
  };
}
