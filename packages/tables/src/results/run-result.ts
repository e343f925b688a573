import { z } from 'zod';

const text = z.string().describe('a text');
const whole = z.int().min(0).describe('a whole number from 0');
const settings = z.record(z.string(), z.unknown()).describe('an object of settings');

/** By head and name of the metric. */
const scores = z
  .record(z.string(), z.record(z.string(), z.number()))
  .describe('an object of numbers by head and metric');

/**
 * What a table takes of a finished run: small enough that a file has all of them, and enough to judge every claim.
 */
export const runResultSchema = z.strictObject({
  /** By what it is known, wherever it was trained: its settings and those of its teachers. */
  key: text,
  kind: z.enum(['teacher', 'student']).describe('"teacher" or "student"'),
  method: text,
  modalities: z.array(z.string()).min(1).describe('a list of names'),
  seed: whole,
  epochs: whole,
  selectedEpoch: whole.optional(),
  /** How the epoch was chosen that the scores are of. */
  select: text,
  seconds: z.number().min(0).describe('seconds').optional(),
  /** Accuracy and MAPE in percent, by split. */
  scores: z
    .strictObject({ test: scores, validation: scores.optional() })
    .describe('an object of scores by split'),
  /** Which samples the test split has, and what is true of them. */
  split: text.optional(),
  /** Of the test split, by head: a bit for each sample that is 1 if the answer was right, the first sample the lowest bit; base64. */
  right: z
    .strictObject({ count: whole, heads: z.record(z.string(), z.string()) })
    .describe('an object of { count, heads }')
    .optional(),
  /** What can change numbers beside the settings. */
  versions: z.record(z.string(), z.string()).describe('an object of texts'),
  machine: z.record(z.string(), z.union([z.string(), z.number()])).describe('an object of texts and numbers'),
  commit: text.nullable().optional(),
  /** As they were resolved, without folders. */
  settings,
});

/** A finished run, as tables know it. */
export type RunResult = Readonly<z.output<typeof runResultSchema>>;

/** @param right In the order of the split. */
export function packBits(right: readonly boolean[]): string {
  const bytes = new Uint8Array(Math.ceil(right.length / 8));
  for (const [at, isRight] of right.entries()) if (isRight) bytes[at >> 3]! |= 1 << (at & 7);
  return Buffer.from(bytes).toString('base64');
}

/** @returns `undefined` if there are fewer bits than samples. */
export function unpackBits(text: string, count: number): boolean[] | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== Math.ceil(count / 8)) return undefined;
  return Array.from({ length: count }, (_, at) => ((bytes[at >> 3] as number) & (1 << (at & 7))) !== 0);
}
