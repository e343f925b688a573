import { z } from 'zod';
import { count } from '../methods/method-case.js';
import type { Tree } from '../methods/method-case.js';
import { integer, list, number, object, text, tuple } from '../strict-json.js';

// What a `case.json` of `g2d-missing-case/1` specifies beside what one system alone has, and what a system's file adds.

export const MISSING_CASE = 'g2d-missing-case/1';

const common = {
  format: z.literal(MISSING_CASE),
  id: text,
  description: text,
  source: z.looseObject({ repository: text, commit: text }, 'an object'),
};

const commonSchema = object({ ...common, system: text });

/** A case without what is its system's. */
export type MissingCase = Readonly<z.output<typeof commonSchema>>;

/** Of hashed tensors. */
export const seed = integer({ min: 0 });

const shape = z.array(count, 'a list').readonly();

/** Shapes and ranges of what is hashed as `<batch tag>/<name>`. */
export const inputs = z.record(z.string(), object({ shape, offset: number(), scale: number() }), 'an object');

/** Rows of name, shape, offset and scale; what is hashed is `<prefix>/<name>`. */
export const hashedModel = object({
  prefix: text,
  tensors: list(tuple(text, shape, number(), number())),
});

export type HashedModel = Readonly<z.output<typeof hashedModel>>;

/** 1 where a sample has the modality: a row for each sample. */
export const masks = list(list(integer({ min: 0, max: 1 })));

/** How many time steps of each sample are real, by input. */
export const lengths = z.record(z.string(), list(count), 'an object');

/** By the batch's tag. */
export const batches = <S extends z.ZodType>(batch: S) => z.record(z.string(), batch, 'an object');

/** How the cases of one system are read and run. */
export interface SystemDriver {
  /** In cases. */
  readonly system: string;
  readonly schema: z.ZodType<MissingCase>;
  /** What `truth` is compared with. */
  run(given: MissingCase): Promise<Tree>;
}

/**
 * Defines how the cases of a system are read and run. What an option may be stands in its schema: a value that our system does not follow
 * is refused there, by the option's name.
 *
 * @param keys All keys of the file that not every system has.
 */
export function defineSystemDriver<K extends z.core.$ZodLooseShape>({
  system,
  keys,
  run,
}: {
  readonly system: string;
  readonly keys: K;
  readonly run: (given: MissingCase & z.output<z.ZodObject<K>>) => Promise<Tree>;
}): SystemDriver {
  const schema = object({ ...common, system: z.literal(system), ...keys });
  return {
    system,
    schema: schema as unknown as z.ZodType<MissingCase>,
    run: (given) => run(given as never),
  };
}
