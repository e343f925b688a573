import { z } from 'zod';
import { TASKS } from '../dataset.js';
import { withoutNulls } from './check-file.js';

// What the files of a run folder are made of. A description says what a value must be: errors are made of it.

/** Numbers by name; `null`, as JSON writes NaN and infinity, is left out on reading. */
export const numbersSchema = z
  .record(z.string(), z.number().nullable())
  .transform((numbers) => withoutNulls(numbers) as Record<string, number>)
  .describe('an object of numbers');

export const numberSchema = z.number().describe('a number');
export const textSchema = z.string().describe('a string');
export const textsSchema = z.array(z.string()).describe('a list of strings');

/** What is predicted: a class, scored by its accuracy, a number, scored by its error (MAPE), or a set of classes, scored by its micro F1. */
export const taskSchema = z.enum(TASKS).describe(`one of ${TASKS.map((task) => `"${task}"`).join(', ')}`);

export const kindSchema = z.enum(['teacher', 'student']).describe('"teacher" or "student"');

/** By what the epoch was chosen whose weights count: the best on validation, the best on test, or simply the last. */
export const selectionSchema = z
  .enum(['validation-best', 'test-best', 'last'])
  .describe('one of "validation-best", "test-best", "last"');

/** Numbers by split, head and metric. */
export const splitMetricsSchema = z
  .record(z.string(), z.record(z.string(), numbersSchema))
  .describe('an object of { validation, test }, each with numbers by head and metric');

/** How often encoders ran in each direction, and teachers, by modality. */
export const passesSchema = z
  .object({
    forward: numbersSchema,
    backward: numbersSchema,
    teachers: numbersSchema.exactOptional(),
  })
  .describe('an object of { forward, backward, teachers }, each with numbers by modality');

/** What was parsed, as it is handed to readers. */
export type Immutable<T> = T extends readonly (infer Entry)[]
  ? readonly Immutable<Entry>[]
  : T extends object
    ? { readonly [K in keyof T]: Immutable<T[K]> }
    : T;
