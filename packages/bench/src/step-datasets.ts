import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Task } from '@g2d/core';
import { mobileNetV2, resnet18, tabularMlp, transformer } from '@g2d/encoders';

/** One modality of a dataset, as its samples come out of the loader. */
interface StepModality {
  /** Of one sample, channels last. */
  readonly shape: readonly number[];
  readonly encoder: (options: { readonly name: string; readonly seed: number }) => LayersModel;
}

/** What a step has to know of a dataset: no files are read. */
export interface StepDataset {
  readonly title: string;
  readonly task: Task;
  /** C, or 1 for a regression. */
  readonly classes: number;
  readonly modalities: Readonly<Record<string, StepModality>>;
  /** The modality whose encoder costs most: a prioritized phase that trains it is the slowest one. */
  readonly costliest: string;
  /** What SMP and OGM modulate unless told otherwise. */
  readonly scope: 'conv' | 'encoder';
}

const pixels = (shape: readonly [number, number, number]): StepModality => ({
  shape,
  encoder: (options) => resnet18({ inputShape: shape, ...options }),
});

const frames = (shape: readonly [number, number, number, number]): StepModality => ({
  shape,
  encoder: (options) => resnet18({ inputShape: shape, ...options }),
});

const sequence = (time: number, width: number): StepModality => ({
  shape: [time, width],
  encoder: (options) => transformer({ inputShape: [null, width], ...options }),
});

/**
 * The paper's datasets and encoders. Lengths that depend on the samples: 20 words for UR-FUNNY (its punchlines), and for
 * IEMOCAP 100 audio steps of 0.1 s, about the longest utterance of a batch.
 *
 * @see G2D, Sec. 4.1 and App. A.4
 */
export const stepDatasets: Readonly<Record<string, StepDataset>> = {
  'crema-d': {
    title: 'CREMA-D',
    task: 'classification',
    classes: 6,
    modalities: { audio: pixels([257, 188, 1]), video: frames([1, 224, 224, 3]) },
    costliest: 'video',
    scope: 'conv',
  },
  'av-mnist': {
    title: 'AV-MNIST',
    task: 'classification',
    classes: 10,
    modalities: { audio: pixels([112, 112, 1]), image: pixels([28, 28, 1]) },
    costliest: 'audio',
    scope: 'conv',
  },
  'vgg-sound': {
    title: 'VGGSound',
    task: 'classification',
    classes: 309,
    modalities: { audio: pixels([129, 626, 1]), video: frames([3, 224, 224, 3]) },
    costliest: 'video',
    scope: 'conv',
  },
  'ur-funny': {
    title: 'UR-FUNNY',
    task: 'classification',
    classes: 2,
    modalities: { audio: sequence(20, 81), visual: sequence(20, 371), text: sequence(20, 300) },
    costliest: 'visual',
    scope: 'encoder',
  },
  iemocap: {
    title: 'IEMOCAP',
    task: 'classification',
    classes: 4,
    modalities: { audio: sequence(100, 130), visual: sequence(50, 342), text: sequence(22, 1024) },
    costliest: 'audio',
    scope: 'encoder',
  },
  'mis-me': {
    title: 'MIS-ME',
    task: 'regression',
    classes: 1,
    modalities: {
      image: {
        shape: [224, 224, 3],
        encoder: (options) => mobileNetV2({ inputShape: [224, 224, 3], ...options }),
      },
      table: { shape: [8], encoder: (options) => tabularMlp({ inputShape: [8], ...options }) },
    },
    costliest: 'image',
    // The table's encoder has no convolutions.
    scope: 'encoder',
  },
};
