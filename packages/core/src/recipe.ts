import { z } from 'zod';

/** What `recipe` of a definition must be. Made when it is asked for: whoever defines nothing has no schemas in his bundle. */
export function recipeSchema() {
  const line = z
    .string()
    .trim()
    .regex(/^[^\r\n]+$/, 'one line of text');
  const passes = z.union([z.number().min(0), z.tuple([z.number().min(0), z.number().min(0)]).readonly()]);
  return z.strictObject({
    formula: line,
    cost: z.strictObject({ forward: passes, backward: passes, more: line.exactOptional() }),
    advice: z.array(z.strictObject({ claim: line, source: line })).readonly(),
  });
}

/** What a reader wants to know of a method before he uses it. */
export interface Recipe {
  /** What it computes, in one line. */
  readonly formula: string;
  /** What a step costs; a step of joint training has one pass of every encoder forward and one backward. */
  readonly cost: Cost;
  /** When it tends to help, and when not. */
  readonly advice: readonly Claim[];
}

/** Passes of a step with two modalities, each a share of all encoders: as the log of a training counts them. */
export interface Cost {
  /** Least and most, where not all steps have as many. */
  readonly forward: number | readonly [least: number, most: number];
  /** Of these, how many are differentiated. */
  readonly backward: number | readonly [least: number, most: number];
  /** Why, with how many for more modalities, and what comes beside the steps; without a full stop. */
  readonly more?: string;
}

/** What somebody found, and who. */
export interface Claim {
  /** Without a full stop. */
  readonly claim: string;
  readonly source: string;
}
