import type { LayersModel } from '@tensorflow/tfjs-layers';
import { perModality, type AnyEncoder, type BenchmarkShapes, type Task } from '@g2d/core';
import { datasets } from '@g2d/datasets';
import { encoders } from '@g2d/encoders';

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

const KNOWN: ReadonlyMap<string, AnyEncoder> = new Map(encoders.map((encoder) => [encoder.name, encoder]));

/** A network and what it is trained on, in words and numbers alone: what other shapes are described with, and built from elsewhere. */
export interface StepNetwork extends BenchmarkShapes, Pick<StepDataset, 'title' | 'task' | 'costliest'> {}

/**
 * The datasets whose definition says how they are trained on, with the paper's encoders.
 *
 * @see G2D, Sec. 4.1 and App. A.4
 */
export const stepNetworks: Readonly<Record<string, StepNetwork>> = Object.fromEntries(
  datasets.flatMap(({ name, label, task, modalities, benchmark }) => {
    if (!benchmark) return [];
    const costliest = Object.keys(benchmark.modalities)[0] as string;
    const inOrder = perModality(
      modalities,
      (modality) => benchmark.modalities[modality] as (typeof benchmark.modalities)[string],
    );
    return [[name, { title: label, task, ...benchmark, modalities: inOrder, costliest }]];
  }),
);

/** @throws {OptionError} If a shape is none that its encoder takes. */
export function stepDatasetOf({ modalities, ...network }: StepNetwork): StepDataset {
  return {
    ...network,
    modalities: perModality(Object.keys(modalities), (modality): StepModality => {
      const { shape, encoder, length } = modalities[modality] as (typeof modalities)[string];
      return {
        shape: shape.map((size) => size ?? (length as number)),
        encoder: (spec) => (KNOWN.get(encoder) as AnyEncoder).make({ inputShape: shape, ...spec }, {}),
      };
    }),
  };
}

/** All of them, ready to be built. */
export const stepDatasets: Readonly<Record<string, StepDataset>> = perModality(
  Object.keys(stepNetworks),
  (name) => stepDatasetOf(stepNetworks[name] as StepNetwork),
);
