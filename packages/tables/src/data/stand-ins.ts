import { z } from 'zod';
import { readData } from './read-data.js';

const heads = z.record(z.string(), z.string());

const fileSchema = z.strictObject({
  format: z.literal('g2d-stand-ins/1'),
  note: z.string(),
  standIns: z.array(
    z.strictObject({
      tables: z.array(z.number()),
      /** The paper's dataset. */
      paper: z.string(),
      /** The folder of `examples` of the dataset that stands for it. */
      ours: z.string(),
      heads,
      claimed: heads.optional(),
      why: z.string(),
      /** Claims that are tested with a tolerance, by their ids: see `judgeAtLeast`. */
      atLeast: z.record(z.string(), z.number()).optional(),
    }),
  ),
});

/** A dataset in the place of one of the paper's. */
export interface StandIn {
  readonly paper: string;
  readonly ours: string;
  readonly why?: string | undefined;
  readonly atLeast?: Readonly<Record<string, number>> | undefined;
  /** The paper's modality as ours, beside the published numbers. */
  head(name: string): string;
  /** The same, in claims. */
  claimed(name: string): string;
}

/** What stands for the paper's datasets in a table: at the small scale others, else themselves. */
export function standIns(number: number, scale: string, datasets: readonly string[]): readonly StandIn[] {
  if (scale !== 'small') {
    const same = (name: string): string => name;
    return datasets.map((name) => ({ paper: name, ours: name, head: same, claimed: same }));
  }
  return readData('stand-ins.json', fileSchema)
    .standIns.filter(({ tables, ours }) => tables.includes(number) && datasets.includes(ours))
    .map(({ paper, ours, heads: names, claimed = names, why, atLeast }) => ({
      paper,
      ours,
      why,
      atLeast,
      head: (name) => names[name] ?? name,
      claimed: (name) => claimed[name] ?? name,
    }));
}
