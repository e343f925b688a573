import type { ReportPart, ReportSample } from '@g2d/analysis';
import type { Label, MultimodalDataset, Task } from '@g2d/core';
import { labelWords } from '../data/label-words.js';

/** Cards on a page; more would be scrolled past. */
const MOST = 8;

/** Modalities that are looked at as they are, by their usual names; other planes are spectra. */
const PICTURES = /image|picture|photo|frame|video|visual|camera/i;

/**
 * The first test sample of each class, or the first ones of a regression; of a multi-label task the first of each set of classes. A choice
 * that does not look at the predictions.
 */
export async function reportSamples(
  dataset: MultimodalDataset<string>,
  modalities: readonly string[],
): Promise<readonly ReportSample[]> {
  const { size, classNames, shapes } = dataset;
  const shown = new Map<number | string, ReportSample>();
  const most = dataset.task === 'classification' ? Math.min(MOST, classNames.length) : MOST;
  for (let index = 0; index < size && shown.size < most; index++) {
    const { label } = await dataset.sample(index, { modalities: [] });
    const key = keyOf(label, index, dataset.task);
    if (shown.has(key)) continue;
    const { id, inputs, present } = await dataset.sample(index, { modalities });
    const parts = modalities.flatMap((modality) => {
      if (present && !present[modality]) return [];
      return partOf(
        modality,
        shapes[modality] as readonly (number | null)[],
        inputs[modality] as Float32Array,
      );
    });
    shown.set(key, { id, label: labelWords(label, dataset).label, parts });
  }
  // Sets of classes come as they were found.
  return [...shown].sort(([a], [b]) => (a as number) - (b as number) || 0).map(([, sample]) => sample);
}

/** Of what samples one is enough. */
function keyOf(label: Label, index: number, task: Task): number | string {
  if (typeof label !== 'number') return label.toSorted((a, b) => a - b).join();
  return task === 'classification' ? label : index;
}

/** A picture of what a modality's encoder is given; none for a row of numbers. */
function partOf(modality: string, shape: readonly (number | null)[], values: Float32Array): ReportPart[] {
  if (shape.length < 2) return [];
  if (shape.length === 2) {
    const width = shape[1] as number;
    const steps = values.length / width;
    // Steps from left to right, features downwards.
    const turned = Float32Array.from(
      values,
      (_, i) => values[(i % steps) * width + Math.floor(i / steps)] as number,
    );
    return [{ modality, image: { width: steps, height: width, values: turned, colors: 'magma-like' } }];
  }
  const [height, width, channels] = shape.slice(-3) as [number, number, number];
  // Of several frames the first.
  const plane = Float32Array.from({ length: height * width }, (_, pixel) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += values[pixel * channels + channel] as number;
    return sum / channels;
  });
  const isPicture = channels > 1 || PICTURES.test(modality);
  return [
    {
      modality,
      image: {
        width,
        height,
        values: plane,
        ...(isPicture ? { colors: 'gray' } : { origin: 'bottom', colors: 'magma-like' }),
      },
    },
  ];
}
