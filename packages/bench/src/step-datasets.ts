import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { AnyEncoder, Task } from '@g2d/core';
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

/**
 * The datasets whose definition says how they are trained on, with the paper's encoders.
 *
 * @see G2D, Sec. 4.1 and App. A.4
 */
export const stepDatasets: Readonly<Record<string, StepDataset>> = Object.fromEntries(
  datasets.flatMap(({ name, label, task, modalities, benchmark }) => {
    if (!benchmark) return [];
    const { classes, scope } = benchmark;
    const made = modalities.map((modality): [string, StepModality] => {
      const { shape, encoder, length } = benchmark.modalities[
        modality
      ] as (typeof benchmark.modalities)[string];
      return [
        modality,
        {
          shape: shape.map((size) => size ?? (length as number)),
          encoder: (spec) => (KNOWN.get(encoder) as AnyEncoder).make({ inputShape: shape, ...spec }, {}),
        },
      ];
    });
    const costliest = Object.keys(benchmark.modalities)[0] as string;
    return [[name, { title: label, task, classes, modalities: Object.fromEntries(made), costliest, scope }]];
  }),
);
