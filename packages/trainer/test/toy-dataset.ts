// The toy data as a dataset of the user's own: `"dataset": { "name": "module", "path": … }`.
import type { MultimodalDataset, Split } from '@g2d/datasets';
import { toyDataset, type Modality } from './toy.js';

const SIZES = { train: 60, validation: 30, test: 30 };

export default function open({
  split,
  broken,
}: {
  readonly split: Split;
  /** Index of a training sample that holds NaN. */
  readonly broken?: number;
}): MultimodalDataset<Modality> {
  const dataset = toyDataset(split, SIZES[split], { train: 1, validation: 2, test: 3 }[split]);
  if (broken === undefined || split !== 'train') return dataset;
  return {
    ...dataset,
    sample: async (index, options) => {
      const sample = await dataset.sample(index, options);
      if (index === broken) sample.inputs.loud.fill(NaN);
      return sample;
    },
  };
}
