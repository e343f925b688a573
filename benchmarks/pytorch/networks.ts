import { stepNetworks, type StepNetwork } from '../../packages/bench/src/step-datasets.js';

/** The networks of the six datasets at the paper's shapes, by the names that `--dataset` takes. */
export const networks: Readonly<Record<string, StepNetwork>> = stepNetworks;

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
