// A dataset of a user's own, in one file.
import { defineDataset } from '@g2d/core';
import { z } from 'zod';
import openToy from './toy-dataset.js';

export default defineDataset({
  name: 'toys',
  label: 'Toys',
  summary: 'a loud and a quiet modality',
  task: 'classification',
  modalities: ['loud', 'quiet'],
  options: z.strictObject({
    validation: z.boolean().default(true).describe('whether there is a validation split'),
  }),
  open: ({ split, validation }) => (split === 'validation' && !validation ? undefined : openToy({ split })),
});
