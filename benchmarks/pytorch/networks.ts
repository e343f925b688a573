import { stepNetworks, type StepNetwork } from '../../packages/bench/src/step-datasets.js';

/** The networks of the six datasets at the paper's shapes, by the names that `--dataset` takes. */
export const networks: Readonly<Record<string, StepNetwork>> = stepNetworks;

/** What `npm start` trains: 1,000 samples of two small encoders. */
export const SMALL_AV_MNIST: StepNetwork = {
  title: 'small AV-MNIST',
  task: 'classification',
  classes: 10,
  modalities: {
    audio: { shape: [56, 56, 1], encoder: 'small-audio' },
    image: { shape: [28, 28, 1], encoder: 'small-image' },
  },
  costliest: 'audio',
  scope: 'conv',
};

/** What step.py takes: shapes without unknown lengths. */
export function describeNetwork({ modalities, ...network }: StepNetwork): string {
  const described = Object.entries(modalities).map(([name, { shape, length, encoder }]) => [
    name,
    { encoder, shape: shape.map((size) => size ?? length) },
  ]);
  return JSON.stringify({ ...network, modalities: Object.fromEntries(described) });
}

/** Whether the layout of images, channels last or first, is a question at all. */
export const hasConvolutions = ({ modalities }: StepNetwork): boolean =>
  Object.values(modalities).some(({ shape }) => shape.length > 2);
