import { FileFormatError, isSameLabel, labelProblem, perModality, shown } from '@g2d/core';
import type { Label, MultimodalDataset, Sample } from '@g2d/core';
import { augmentationStream, type AugmentationSeed } from './augmentation-stream.js';
import { hasFreeLength, unitLength, written } from './shapes.js';

/** How the samples of a pass are read; plain data, for it travels to workers. */
export interface ReadRequest<M extends string> {
  readonly modalities: readonly M[];
  /** Present: with the dataset's own training augmentation. */
  readonly augmentation: AugmentationSeed | undefined;
  /** How often a failed sample is tried again. */
  readonly retries: number;
}

/** What became of one sample. */
export type Reading<M extends string> =
  | { readonly sample: Pick<Sample<M>, 'label' | 'inputs' | 'present'> }
  | { readonly sample?: undefined; readonly error: unknown };

const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Reads and checks one sample. Never rejects: a failure is a value, so that it is reported in the samples' order. */
export async function readSample<M extends string>(
  dataset: MultimodalDataset<M>,
  index: number,
  { modalities, augmentation, retries }: ReadRequest<M>,
): Promise<Reading<M>> {
  const id = dataset.ids[index] as string;
  const options = {
    modalities,
    ...(augmentation && {
      random: (modality: M) => augmentationStream(augmentation, modality, id),
    }),
  };
  for (let attempt = 0; ; attempt++) {
    try {
      const sample = await dataset.sample(index, options);
      assertSample(dataset, index, sample, modalities);
      const { label, inputs, present } = sample;
      return {
        sample: { label, inputs: perModality(modalities, (m) => inputs[m]), ...(present && { present }) },
      };
    } catch (error) {
      if (attempt >= retries) return { error };
    }
    await pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt));
  }
}

/** A dataset that breaks its own promise would train something else silently. */
function assertSample<M extends string>(
  { name, split, task, shapes, classNames, ids, labels, incomplete = [] }: MultimodalDataset<M>,
  index: number,
  sample: Sample<M>,
  modalities: readonly M[],
): void {
  const id = ids[index] as string;
  const fail = (problem: string): FileFormatError =>
    new FileFormatError(`${name} (${split})`, problem, { id });
  if (sample.id !== id) {
    throw fail(
      `sample "${sample.id}" came where \`ids\` promises "${id}". The files changed while in use: open it again.`,
    );
  }
  const { label } = sample;
  const problem = labelProblem(label, { task, classNames });
  if (problem !== undefined) throw fail(`sample "${id}" ${problem}`);
  if (labels && !isSameLabel(labels[index] as Label, label)) {
    throw fail(
      `sample "${id}" has the label ${shown(label)} where \`labels\` promises ${shown(labels[index])}. The files changed while in use: open it again.`,
    );
  }
  for (const modality of modalities) {
    const shape = shapes[modality];
    const unit = unitLength(shape);
    const input = sample.inputs[modality];
    const { length } = input;
    if (typeof input[0] !== 'number' && length > 0) {
      throw fail(
        `sample "${id}" has ${shown(input[0])} in ${modality}; expected numbers, such as a Float32Array of them.`,
      );
    }
    if (hasFreeLength(shape) ? length === 0 || length % unit !== 0 : length !== unit) {
      throw fail(`sample "${id}" has ${length} numbers for ${modality}; they do not fill ${written(shape)}.`);
    }
    if (sample.present?.[modality] === false && !incomplete.includes(modality)) {
      throw fail(`sample "${id}" lacks ${modality}, which the dataset does not name in \`incomplete\`.`);
    }
  }
}
