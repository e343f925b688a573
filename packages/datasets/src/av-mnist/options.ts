import type { Split } from '@g2d/core';
import { z } from 'zod';

/** Options of `avMnist`. */
export const avMnistOptions = z.strictObject({
  root: z
    .string()
    .describe(
      'the folder with `image/`, `audio/` and the label files, or the folder whose `avmnist/` holds them',
    ),
  official: z
    .boolean()
    .default(false)
    .describe("as the paper's released code: trains on all rows, without a validation split"),
  validationRows: z
    .int()
    .min(0)
    .optional()
    .describe(
      "rows at the end of the train files that are the validation split; 0: none. Default 5000, MultiBench's and the paper's; with `official` 0",
    ),
});

/** Settings of `avMnist`. */
export type AvMnistOptions = z.input<typeof avMnistOptions> & { readonly split: Split };
