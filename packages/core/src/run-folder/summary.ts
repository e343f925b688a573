import { z } from 'zod';
import { withoutNulls } from './check-file.js';
import {
  kindSchema,
  numberSchema,
  numbersSchema,
  passesSchema,
  selectionSchema,
  splitMetricsSchema,
  taskSchema,
  textSchema,
  textsSchema,
  type Immutable,
} from './values.js';

const score = z.number().nullable().exactOptional();

const classScoresSchema = z
  .object({ precision: score, recall: score, f1: score, support: z.number() })
  .transform(withoutNulls);

const TABLES = 'square tables of counts, one per head';

const tableSchema = z
  .array(z.array(z.number()))
  .refine((table) => table.every((row) => row.length === table.length), TABLES);

/** Every file of a finished run has it, of whatever version. */
const always = {
  name: textSchema,
  seed: numberSchema,
  epochs: numberSchema,
  /** On the test split, by head, in percent: accuracy, mean absolute percentage error, or micro F1. */
  test: numbersSchema,
};

/** Runs write it; readers do without. */
const written = {
  method: textSchema,
  kind: kindSchema,
  modalities: textsSchema,
  /** The data in words. */
  dataset: textSchema,
  /** Default: classification. */
  task: taskSchema,
  /** How the epoch was chosen that the numbers are of. `test-best` is optimistic. */
  select: selectionSchema,
  /** The epoch whose weights were kept, and which the numbers are of. */
  selectedEpoch: numberSchema,
  /** The checkpoint with the weights; `null` for a run without training. */
  checkpoint: z
    .union([z.enum(['last', 'best']), z.templateLiteral(['epoch-', z.string()])])
    .nullable()
    .default(null)
    .describe('"last", "best" or an epoch such as "epoch-0042"'),
  seconds: numberSchema,
  /** Where they went. */
  stages: numbersSchema,
  metrics: splitMetricsSchema,
  /** Of the last epoch, whatever was selected. */
  last: z
    .looseObject({
      epoch: numberSchema,
      validation: numbersSchema.exactOptional(),
      test: numbersSchema.exactOptional(),
    })
    .describe('an object of { epoch, validation, test }'),
};

/** Not in every run. */
const sometimes = {
  /** Of the encoders in all steps of the training; absent where an epoch does not say it. */
  passes: passesSchema.exactOptional(),
  /** As `test`; absent where there is no validation split. */
  validation: numbersSchema.exactOptional(),
  /** On the test split, by head, in the order of the classes; a score that is not defined is absent. */
  perClass: z
    .record(z.string(), z.array(classScoresSchema))
    .describe('lists of { precision, recall, f1, support }, one per head')
    .exactOptional(),
  /** By split the share of (sample, modality) cells that a mask has taken away, in [0, 1]; absent where nothing was taken away. */
  missing: numbersSchema.exactOptional(),
  /** Test counts by head: rows are true classes, columns predicted classes. Of a classification. */
  confusion: z.record(z.string(), tableSchema).describe(TABLES).exactOptional(),
};

/** `summary.json` as runs write it. */
export const writtenSummarySchema = z.looseObject({ ...always, ...written, ...sometimes });

/** `summary.json` as far as a reader relies on it. */
export const summarySchema = z
  .object({ ...always, ...z.object(written).partial().shape, ...sometimes })
  .transform(({ validation = {}, confusion = {}, ...rest }) => ({ ...rest, validation, confusion }));

/** `summary.json` as a run writes it. */
export type WrittenSummary = Immutable<z.output<typeof writtenSummarySchema>>;

/** `summary.json` as it is read. */
export type RunSummary = Immutable<z.output<typeof summarySchema>>;

/** How well one class is told from the others: in percent, absent where it is not defined; `support` in samples. */
export type ClassScores = Immutable<z.output<typeof classScoresSchema>>;
