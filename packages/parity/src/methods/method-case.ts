import { z } from 'zod';
import { flag, integer, list, number, object, oneOf, text, tuple } from '../strict-json.js';

// What a `case.json` of `g2d-method-case/1` specifies beside what one method alone has, and what a method's file adds.

export const METHOD_CASE = 'g2d-method-case/1';

export const count = integer({ min: 1 });
export const epoch = integer({ min: 0 });
export const atLeast0 = number({ min: 0 });

/** First and last epoch, both inside, counted from 0. */
export const epochWindow = tuple(epoch, epoch);

/** The same for every modality, or whatever `entry` says of each. */
export const byModality = <S extends z.ZodType>(entry: S) => z.record(z.string(), entry, 'an object');

const layer = z.discriminatedUnion(
  'layer',
  [
    object({ layer: z.literal('linear'), name: text }),
    object({
      layer: z.literal('conv'),
      name: text,
      kernel: count,
      stride: count,
      padding: integer({ min: 0 }),
    }),
    object({ layer: z.literal('batchnorm'), name: text }),
    object({ layer: z.literal('relu') }),
    object({ layer: z.literal('mean') }),
  ],
  'a layer',
);

/** A layer of an encoder or of a head. */
export type CaseLayer = Readonly<z.output<typeof layer>>;

const model = object({
  prefix: text,
  encoders: byModality(list(layer)),
  fusion: z.strictObject({
    type: text,
    name: text.optional(),
    layers: list(layer).optional(),
    heads: text.optional(),
  }),
  columns: tuple(oneOf('name'), oneOf('shape'), oneOf('offset'), oneOf('scale')),
  tensors: list(tuple(text, z.array(count, 'a list'), number(), number())),
});

const input = object({ shape: list(count), offset: number(), scale: number() });

const common = {
  format: z.literal(METHOD_CASE),
  id: text,
  description: text,
  seed: integer({ min: 0 }),
  source: z.looseObject({ repository: text, commit: text }, 'an object'),
  modalities: list(text),
  classes: count,
  batch: count,
  inputs: byModality(input),
  model,
  /** Labels by the batch's tag. */
  batches: byModality(list(integer({ min: 0 }))),
  optimizer: z.looseObject(
    {
      type: z.literal('sgd', '"sgd"'),
      learningRate: atLeast0,
      momentum: atLeast0,
      weightDecay: atLeast0,
      newAtEachPhase: flag.optional(),
    },
    'an object',
  ),
};

const commonSchema = object({ ...common, method: text });

/** A case without what is its method's: `options`, `steps` and further keys. */
export type CommonCase = Readonly<z.output<typeof commonSchema>>;

/** What every training step of a case says. */
export const trainStep = { do: z.literal('train'), batch: text, epoch, step: epoch, learningRate: atLeast0 };

/** A case with what is its method's. */
export type MethodCase<O = unknown, S = unknown> = CommonCase & {
  readonly options: O;
  readonly steps: readonly S[];
};

/** Values by key, as deep as `truth` in an `expected.json`. */
export type Tree =
  number | string | boolean | null | undefined | readonly Tree[] | { readonly [key: string]: Tree };

/** How the cases of one method are read and run. */
export interface Driver {
  /** In cases. */
  readonly method: string;
  readonly schema: z.ZodType<MethodCase>;
  /** What `truth` is compared with. */
  run(given: MethodCase): Promise<Tree>;
}

/**
 * Defines how the cases of a method are read and run. What an option may be stands in its schema: a value that our method does not follow
 * is refused there, by the option's name.
 */
export function defineDriver<O extends z.ZodType, S extends z.ZodType, K extends z.core.$ZodLooseShape>({
  method,
  options,
  steps,
  keys,
  run,
}: {
  readonly method: string;
  readonly options: O;
  /** One entry of `steps`. */
  readonly steps: S;
  /** Further keys of the file. */
  readonly keys?: K;
  readonly run: (given: MethodCase<z.output<O>, z.output<S>> & z.output<z.ZodObject<K>>) => Promise<Tree>;
}): Driver {
  const schema = object({ ...common, method: z.literal(method), options, steps: list(steps), ...keys });
  return {
    method,
    schema: schema as unknown as z.ZodType<MethodCase>,
    run: (given) => run(given as never),
  };
}
