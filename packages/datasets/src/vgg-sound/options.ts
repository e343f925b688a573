import type { Split } from '@g2d/core';
import { z } from 'zod';
import { framesPerSecond, padding } from '../clips/clip-options.js';

/** Options of `vggSound`. */
export const vggSoundOptions = z.strictObject({
  root: z
    .string()
    .describe(
      'the folder that holds the table, `audio/{train,test}/{stem}.wav` and `video/frames/{train,test}/Image-01-FPS/{stem}/*.jpg`',
    ),
  official: z
    .boolean()
    .default(false)
    .describe("as the released G2D code: classes in the order 'usable', no validation split"),
  csv: z
    .string()
    .default('vggsound.csv')
    .describe('the table, with or without a header; a relative path is under `root`'),
  classes: z
    .union([z.enum(['sorted', 'csv', 'usable']), z.array(z.string()).readonly()])
    .optional()
    .describe(
      "which class has which id. 'sorted': all labels of the table, sorted. 'csv': in the order in which the table first names them. 'usable': as 'csv', but among the training clips whose files are there, so that it changes with the files. Or the labels themselves, such as a checkpoint's: clips with other labels are left out. Default 'sorted'; with `official` 'usable'",
    ),
  validation: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe(
      'share of the training clips that is drawn for validation; what is cut from one video stays together. Default 0.1; with `official` 0',
    ),
  seed: z
    .int()
    .default(0)
    .describe('of that draw, and of where the sound of a sample begins when it is not augmented'),
  framesPerSecond,
  frames: z
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .describe('how many are taken of each clip; clips with fewer, or with fewer than 4, are left out'),
  audioStart: z
    .int()
    .min(0)
    .max(80_000)
    .optional()
    .describe('where the five seconds of sound begin, in samples. Default: drawn for each sample'),
  padding,
});

/** Settings of `vggSound`. */
export type VggSoundOptions = z.input<typeof vggSoundOptions> & { readonly split: Split };
