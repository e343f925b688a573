import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Batch } from '@g2d/datasets';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { perModality, type Fusion, type Method, type PerModality } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { accelerate, type Precision } from '@g2d/accelerate';
import type { FrozenTeachers } from '@g2d/trainer';
import type { StepDataset } from './step-datasets.js';
import { stepMethodOf } from './step-methods.js';
import type { StepSetup } from './step-setup.js';
import { cachedTeachers, onlineTeachers } from './step-teachers.js';

/** A model, and what frees it. */
export interface BuiltModel {
  readonly model: MultimodalModel<string>;
  readonly encoders: PerModality<string, LayersModel>;
  readonly fusion: Fusion<string>;
  /** D_m of each modality. */
  readonly widths: PerModality<string, number>;
  dispose(): void;
}

interface ModelOptions {
  readonly seed: number;
  readonly precision?: Precision;
  /** Default: late fusion. */
  readonly fusion?: NonNullable<Method<string>['fusion']>;
}

/** Encoders with a fusion; a teacher if there is only one modality. */
export function buildModel(
  { modalities, classes }: StepDataset,
  names: readonly string[],
  { seed, precision = 'float32', fusion: fusionOf = lateFusion }: ModelOptions,
): BuiltModel {
  const encoders = perModality(names, (name): LayersModel => {
    const encoder = modalities[name]?.encoder({ name, seed }) as LayersModel;
    return precision === 'float32' ? encoder : accelerate(encoder, { precision });
  });
  const widths = perModality(names, (name) => encoders[name]?.outputs[0]?.shape[1] as number);
  const inputShapes = perModality(names, (name) => modalities[name]?.shape ?? []);
  const fusion = fusionOf({ widths, classes, seed, inputShapes });
  return {
    model: new MultimodalModel({ encoders, fusion }),
    encoders,
    fusion,
    widths,
    dispose: () => {
      for (const encoder of Object.values(encoders)) encoder.dispose();
      for (const { layer } of fusion.layers) layer.dispose();
    },
  };
}

/** Inputs and labels of one batch, always the same. */
export function randomBatch({ modalities, task, classes }: StepDataset, size: number): Batch<string> {
  const { integer, uniform } = randomStream(deriveSeed(0, 'labels'));
  const numbers = (count: number, of: () => number): number[] => Array.from({ length: count }, of);
  const labels = {
    classification: () =>
      tf.tensor1d(
        numbers(size, () => integer(classes)),
        'int32',
      ),
    regression: () => tf.tensor1d(numbers(size, () => 0.01 + 0.98 * uniform())),
    'multi-label': () =>
      tf.tensor2d(
        numbers(size * classes, () => integer(2)),
        [size, classes],
      ),
  }[task]();
  return {
    inputs: perModality(Object.keys(modalities), (name) =>
      tf.randomNormal([size, ...(modalities[name]?.shape ?? [])], 0, 1, 'float32', deriveSeed(0, name)),
    ),
    labels,
    ids: Array.from({ length: size }, (_, i) => `random/${i}`),
  };
}

/** The batch for one step: the loop disposes it. */
export function copyOf(batch: Batch<string>): Batch<string> {
  const inputs = perModality(Object.keys(batch.inputs), (name) => tf.clone(batch.inputs[name] as tf.Tensor));
  return { ...batch, inputs, labels: tf.clone(batch.labels) };
}

interface BuiltTeachers {
  readonly teachers?: FrozenTeachers<string>;
  dispose(): void;
}

/** The teachers that a setup has. */
export function teachersOf(
  { dataset, method, teachers, prioritized = dataset.costliest, teacherPrecision: precision }: StepSetup,
  { labels }: Batch<string>,
  widths: PerModality<string, number>,
): BuiltTeachers {
  if (teachers === 'none') return { dispose: () => {} };
  const modalities = Object.keys(dataset.modalities);
  const judgement = { modalities, labels: [...labels.dataSync()], classes: dataset.classes, prioritized };
  const whole = stepMethodOf(method).full ? buildModel(dataset, modalities, { seed: 1 }) : undefined;
  const full = whole && { full: whole.model };
  if (teachers === 'cached') {
    return { teachers: cachedTeachers(judgement, widths, whole?.model), dispose: () => whole?.dispose() };
  }

  const built = perModality(modalities, (modality) => buildModel(dataset, [modality], { seed: 1 }));
  const models = perModality(modalities, (modality) => (built[modality] as BuiltModel).model);
  const online = onlineTeachers(judgement, models, { ...(precision && { precision }), ...full });
  return {
    teachers: online,
    dispose: () => {
      online.dispose();
      whole?.dispose();
      for (const { dispose } of Object.values(built)) dispose();
    },
  };
}
