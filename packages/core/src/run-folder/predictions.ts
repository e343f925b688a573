import { z } from 'zod';
import { textsSchema, type Immutable } from './values.js';

// Of a regression, a number that was not finite is `null`.
const listSchema = z.array(z.number().nullable());
const labelsSchema = z.union([listSchema, z.array(z.array(z.number()))]);
type Labels = z.output<typeof labelsSchema>;

/** `predictions.json` of a run: what each head says about every test sample. */
export const predictionsSchema = z
  .looseObject({
    ids: textsSchema,
    /** Empty for a regression. */
    classNames: textsSchema,
    /** True class ids; for a regression the true numbers; of a multi-label task a list of class ids for each sample. */
    labels: labelsSchema.describe('a list of numbers, or of lists of class ids'),
    /** By head as `labels`; NaN where a number was not finite. */
    predictions: z.record(z.string(), labelsSchema).describe('lists of numbers, or of lists of class ids'),
    /**
     * By head, a row for each sample with the probability of each class; those of a multi-label task do not add up to 1. Absent for a regression, in older folders, and of the heads that
     * would bring them above a million numbers.
     */
    probabilities: z.record(z.string(), z.array(listSchema)).describe('lists of rows').exactOptional(),
  })
  .superRefine(({ ids, classNames, labels, predictions, probabilities = {} }, context) => {
    const count = ids.length;
    const classes = classNames.length;
    const isClass = (id: number | null): boolean =>
      id !== null && Number.isInteger(id) && id >= 0 && id < classes;
    const isSets = isOfSets(labels) || Object.values(predictions).some(isOfSets);
    const fits = (list: Labels): boolean =>
      list.length === count &&
      (isSets
        ? list.every((set) => Array.isArray(set) && set.every(isClass) && new Set(set).size === set.length)
        : classes === 0 || (list as z.output<typeof listSchema>).every(isClass));
    const expected = isSets
      ? `${count} lists of class ids (one per entry of \`ids\`), each id once and from 0 to ${classes - 1}`
      : classes === 0
        ? `${count} numbers (one per entry of \`ids\`; a regression has no \`classNames\`)`
        : `${count} class ids (one per entry of \`ids\`), each from 0 to ${classes - 1}`;
    const refuse = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    if (!fits(labels)) refuse('labels', expected);
    const isRow = (row: readonly (number | null)[]): boolean =>
      row.length === classes && row.every((p) => p === null || (p >= 0 && p <= 1));
    if (!Object.values(probabilities).every((rows) => rows.length === count && rows.every(isRow)))
      refuse('probabilities', `${count} rows (one per entry of \`ids\`) of ${classes} numbers from 0 to 1`);
    if (!Object.values(predictions).every(fits)) refuse('predictions', `lists of ${expected}`);
  })
  .transform(({ ids, classNames, labels, predictions, probabilities }) => ({
    ids,
    labels: readable(labels),
    classNames,
    predictions: Object.fromEntries(
      Object.entries(predictions).map(([head, list]) => [head, readable(list)]),
    ),
    ...(probabilities && {
      probabilities: Object.fromEntries(
        Object.entries(probabilities).map(([head, rows]) => [head, rows.map(finiteOrNaN)]),
      ),
    }),
  }));

const isOfSets = (list: Labels): list is number[][] => Array.isArray(list[0]);

const readable = (list: Labels): number[] | number[][] =>
  isOfSets(list) ? list : finiteOrNaN(list as (number | null)[]);

const finiteOrNaN = (list: readonly (number | null)[]): number[] => list.map((value) => value ?? Number.NaN);

/** `predictions.json` of a run. */
export type RunPredictions = Immutable<z.output<typeof predictionsSchema>>;
