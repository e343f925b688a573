// Configurations of runs that take milliseconds.
import { fileURLToPath } from 'node:url';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** 60 training samples in batches of 20: three steps an epoch. */
export const toyConfig = (changes: object = {}): object => ({
  dataset: { name: 'module', path: file('toy-dataset.ts') },
  encoders: {
    loud: { type: 'module', path: file('toy-encoder.ts') },
    quiet: { type: 'module', path: file('toy-encoder.ts') },
  },
  epochs: 3,
  batchSize: 20,
  optimizer: { type: 'sgd', learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 },
  ...changes,
});

/** The configuration of a toy teacher. */
export const toyTeacher = (modality: 'loud' | 'quiet', changes: object = {}): object =>
  toyConfig({ modalities: [modality], name: `teacher-${modality}`, ...changes });
