import { smallImageEncoder } from '@g2d/encoders';
import type { StepSetup } from '../src/step-setup.js';

export const modality = {
  shape: [8, 8, 1],
  encoder: (options: { name: string; seed: number }) =>
    smallImageEncoder({ inputShape: [8, 8, 1], ...options }),
};

/** Joint steps of two small encoders. */
export const tinySetup: StepSetup = {
  dataset: {
    title: 'Tiny',
    task: 'classification',
    classes: 3,
    modalities: { loud: modality, quiet: modality },
    costliest: 'loud',
    scope: 'conv',
  },
  batch: 4,
  method: 'joint',
  phase: 'joint',
  teachers: 'none',
  precision: 'float32',
  steps: 3,
  warmup: 1,
};
