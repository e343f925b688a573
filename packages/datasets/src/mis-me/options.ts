import type { Split } from '@g2d/core';
import { z } from 'zod';

/** Options of `misMe`. */
export const misMeOptions = z.strictObject({
  root: z.string().describe('the folder that holds `imageFolder` and `tableFolder`'),
  station: z
    .enum(['OK001', 'OK002', 'OK003'])
    .optional()
    .describe("the test split of one station alone, only with `split: 'test'`. Default: the combined one"),
  format: z
    .enum(['xlsx', 'csv'])
    .optional()
    .describe('of the tables. Default: `.xlsx` as published, or `.csv` where that is not there'),
  imageFolder: z.string().default('all_three_stations/images').describe('within `root`'),
  tableFolder: z.string().default('labels/classification').describe('within `root`'),
});

/** Settings of `misMe`. */
export type MisMeOptions = z.input<typeof misMeOptions> & { readonly split: Split };
