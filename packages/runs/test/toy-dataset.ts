// The toy data as a dataset of the user's own: `"dataset": { "name": "module", "path": … }`.
import type { MultimodalDataset, Split } from '@g2d/core';
import { toyDataset, type Modality } from '../../trainer/test/toy.js';

const SIZES = { train: 60, validation: 30, test: 30 };

export default function open({
  split,
  broken,
  unreadable = 0,
  augmented = false,
  lacking = false,
  wrongLabel,
  validation = true,
}: {
  readonly split: Split;
  /** Index of a training sample that holds NaN. */
  readonly broken?: number;
  /** How many training samples, the first ones, cannot be read. */
  readonly unreadable?: number;
  /** Whether the loud modality says that it is augmented at random. */
  readonly augmented?: boolean;
  /** Whether the first training sample really has no loud modality. */
  readonly lacking?: boolean;
  /** The label of the first test sample. */
  readonly wrongLabel?: number;
  /** Whether there is such a split. */
  readonly validation?: boolean;
}): MultimodalDataset<Modality> | undefined {
  if (split === 'validation' && !validation) return undefined;
  const dataset = toyDataset(split, SIZES[split], { train: 1, validation: 2, test: 3 }[split]);
  if (split === 'test' && wrongLabel !== undefined) {
    return {
      ...dataset,
      sample: async (index, options) => {
        const sample = await dataset.sample(index, options);
        return index === 0 ? { ...sample, label: wrongLabel } : sample;
      },
    };
  }
  if (split !== 'train') return dataset;
  return {
    ...dataset,
    ...(augmented && { augmented: ['loud'] as const }),
    ...(lacking && { incomplete: ['loud'] as const }),
    sample: async (index, options) => {
      if (index < unreadable) throw new Error('The file is gone.');
      const sample = await dataset.sample(index, options);
      if (index === broken) sample.inputs.loud.fill(NaN);
      return lacking ? { ...sample, present: { loud: index > 0, quiet: true } } : sample;
    },
  };
}
