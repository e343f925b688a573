import { z } from 'zod';
import { numberSchema, numbersSchema, textSchema, type Immutable } from './values.js';

/** `summary.json` of a folder of runs. */
export const groupSummarySchema = z.object({
  seed: numberSchema,
  backend: textSchema,
  tensorflow: z.string().nullable().default(null).describe('a string or null'),
  device: textSchema,
  /** By stage. */
  seconds: numbersSchema,
  results: z
    .record(z.string(), z.object({ test: numbersSchema, validation: numbersSchema.exactOptional() }))
    .describe('an object of { test, validation } by method'),
  /** Test accuracy in percent of each modality's teacher. */
  teachers: numbersSchema,
  /** ρ in [0, 1] of each modality's teacher on the training split. */
  confidences: numbersSchema.prefault({}),
});

/** `summary.json` of a folder of runs: same data, same seed, different methods. */
export type GroupSummary = Immutable<z.output<typeof groupSummarySchema>>;
