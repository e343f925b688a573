import type { Split } from '@g2d/core';
import { z } from 'zod';
import { framesPerSecond, padding } from '../clips/clip-options.js';

const share = z.number().min(0).max(1);
const seed = z.int().default(0);

const splits = z.discriminatedUnion('by', [
  z
    .strictObject({
      by: z.literal('list'),
      train: z
        .string()
        .optional()
        .describe(
          'a list, lines `stem,emotion`; both lists or none. Default: `train.csv` and `test.csv` in `root`, or, where they are not, those that OGM-GE published and G2D uses (6,698 and 744 clips), which come with this package',
        ),
      test: z.string().optional().describe('the list of the test split'),
      validation: z
        .union([z.string(), share])
        .optional()
        .describe(
          'a list, or the share of the training list that is drawn at random. Default 0.1; with `official` 0',
        ),
      seed: seed.describe('of that draw'),
    })
    .describe('as lists say, in their order; relative paths are under `root`'),
  z
    .strictObject({
      by: z.enum(['clip', 'actor']),
      fractions: z
        .strictObject({ train: share, validation: share, test: share })
        .default({ train: 0.8, validation: 0.1, test: 0.1 }),
      seed: seed.describe('of the draw'),
    })
    .describe(
      'at random over all clips of the default lists, clip by clip, or so that no actor is in two splits',
    ),
]);

/** Options of `cremaD`. */
export const cremaDOptions = z.strictObject({
  root: z.string().describe('the folder that holds `AudioWAV/{stem}.wav` and `Image-01-FPS/{stem}/*.jpg`'),
  official: z
    .boolean()
    .default(false)
    .describe('as the released G2D code: no validation split, all of the training list trains'),
  splits: splits
    .optional()
    .describe(
      'how the clips are divided. Default: by the published lists, a tenth of the training list for validation',
    ),
  framesPerSecond,
  frames: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('how many are taken of each clip; clips with fewer are left out'),
  padding,
});

/** Settings of `cremaD`. */
export type CremaDOptions = z.input<typeof cremaDOptions> & { readonly split: Split };
/** How the clips are divided into splits. */
export type CremaDSplits = z.input<typeof splits>;
