// Samples of three classes that have any number of them, as a dataset of the user's own.
import { readFileSync } from 'node:fs';
import { defineDataset, type Label } from '@g2d/core';
import { fromSamples } from '@g2d/datasets';
import { randomStream } from '@g2d/tensor-ops';
import { z } from 'zod';

const labelIn = (file: string): Label => JSON.parse(readFileSync(file, 'utf8')) as Label;

const SIZES = { train: 60, validation: 30, test: 30 };

export default defineDataset({
  name: 'tags',
  label: 'Tags',
  summary: 'a loud and a quiet modality, each with a number for each tag',
  task: 'multi-label',
  modalities: ['loud', 'quiet'],
  options: z.strictObject({
    first: z
      .string()
      .optional()
      .describe('a JSON file with the label of the first training sample, whatever it is'),
    lacking: z.boolean().default(false).describe('whether every third sample lacks the quiet modality'),
  }),
  open({ split, first, lacking }) {
    const random = randomStream({ train: 1, validation: 2, test: 3 }[split]);
    const samples = Array.from({ length: SIZES[split] }, (_, i) => {
      // Every set of three classes comes in turn, the empty one too.
      const ids = [0, 1, 2].filter((id) => (i >> id) & 1);
      const values = (signal: number): number[] =>
        [0, 1, 2].map((id) => 0.5 * random.normal() + (ids.includes(id) ? signal : -signal));
      return {
        label: first !== undefined && split === 'train' && i === 0 ? labelIn(first) : ids,
        inputs: { loud: values(1.5), quiet: lacking && i % 3 === 0 ? null : values(0.5) },
      };
    });
    return fromSamples({ name: 'tags', split, task: 'multi-label', classNames: ['a', 'b', 'c'], samples });
  },
});
