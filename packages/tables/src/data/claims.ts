import { z } from 'zod';
import { metricSchema } from './paper-values.js';
import { readData } from './read-data.js';

const settingSchema = z.record(z.string(), z.unknown());

const termSchema = z.strictObject({
  method: z.string(),
  head: z.string(),
  metric: metricSchema.optional(),
  setting: settingSchema.optional(),
});

/** One side of a claim: a score of a run, in the paper's words. */
export type Term = Readonly<z.output<typeof termSchema>>;

const common = {
  id: z.string(),
  place: z.string(),
  dataset: z.string(),
  published: z.looseObject({ true: z.boolean() }),
};
const pair = { left: termSchema, right: termSchema };

const claimSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, ...pair, kind: z.literal('greater') }),
  z.strictObject({ ...common, ...pair, kind: z.literal('less') }),
  z.strictObject({
    ...common,
    kind: z.literal('best'),
    left: termSchema,
    others: z.array(termSchema).min(1),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('increasing'),
    levels: z.array(settingSchema).min(2),
    tolerance: z.number(),
  }),
  z.strictObject({ ...common, ...pair, kind: z.literal('smaller drop'), from: settingSchema }),
]);

/** A claim of the paper's about scores: an inequality that its published numbers either meet or not. */
export type Claim = Readonly<z.output<typeof claimSchema>>;

const ratioSchema = z.strictObject({
  id: z.string(),
  place: z.string(),
  kind: z.literal('ratio at most'),
  limit: z.number(),
  left: z.string(),
  right: z.string(),
  published: z.strictObject({ value: z.number(), true: z.boolean() }),
});

/** A claim about two measured numbers: left / right ≤ limit. */
export type RatioClaim = Readonly<z.output<typeof ratioSchema>>;

const fileSchema = z.strictObject({
  format: z.literal('g2d-claims/1'),
  claims: z.array(z.looseObject({ id: z.string(), place: z.string(), kind: z.string() })),
});

const ofPlace = (place: string): readonly unknown[] =>
  readData('claims.json', fileSchema).claims.filter((claim) => claim.place === place);

/** The paper's claims about a table of scores, such as `table-4`. */
export const claimsOf = (place: string): readonly Claim[] =>
  ofPlace(place).map((claim) => claimSchema.parse(claim));

/** The claims about what a batch costs: Table 10. */
export const ratioClaims = (): readonly RatioClaim[] =>
  ofPlace('table-10').map((claim) => ratioSchema.parse(claim));
