import type { Split } from '@g2d/core';
import { z } from 'zod';

const width = z.int().min(1).max(100_000).optional();

/** Options of `urFunny`. */
export const urFunnyOptions = z.strictObject({
  root: z
    .string()
    .describe(
      'the folder with the six raw pickles of version 2 or 1, or with the packed `humor.pkl` or `urfunny_punchline.pkl`',
    ),
  official: z
    .boolean()
    .default(false)
    .describe(
      "as the code the paper builds on: leaves out samples whose word vectors sum to exactly 0, not only those that are all zero, and with `sequence: 'padded'` pads text with the first word's vector, as the authors' notebook does",
    ),
  words: z
    .int()
    .min(1)
    .max(1000)
    .default(20)
    .describe('how many words of a sentence are taken, the first ones; of raw files only'),
  sequence: z
    .enum(['words', 'padded'])
    .default('words')
    .describe(
      "'words': the punchline's words, `[T, D]`, from the first one that has a word vector. 'padded': always as many rows, with zeros before the words; packed files as they are",
    ),
  contextSentences: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe(
      "how many sentences before the punchline, `[sentences + 1, words, D]`; of raw files with `sequence: 'padded'`",
    ),
  normalization: z
    .enum(['none', 'sample', 'train'])
    .default('none')
    .describe(
      "'sample': x − its feature's mean in the sample, divided by one standard deviation of all of the sample. 'train': (x − mean) / std of each feature over all words of the training split. Scales differ widely: millimetres, pixels, Hz",
    ),
  widths: z
    .strictObject({ audio: width, visual: width, text: width })
    .optional()
    .describe('numbers of features where they are not audio 81, visual 371 (75 in version 1), text 300'),
});

/** Settings of `urFunny`. */
export type UrFunnyOptions = z.input<typeof urFunnyOptions> & { readonly split: Split };
