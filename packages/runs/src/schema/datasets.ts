import { z } from 'zod';
import { countSchema, positiveSchema, seedSchema } from './numbers.js';

const root = z.string().describe('The folder of the data.');
const faithful = z.boolean().optional().describe("By the rules of the reference's loader.");
const padding = z.enum(['zeros', 'reflect']).optional();
const share = z.number().min(0).max(1);
const holdOut = {
  fold: z.number().int().min(1).max(5).optional(),
  validation: z.union([z.literal('session'), share]).optional(),
  seed: seedSchema.optional(),
};

/** The datasets and the options of their loaders. */
export const datasetSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('small-av-mnist'),
    root: root.describe(
      'The folder with the recordings and images: `data` in the repository. The set is built beside them.',
    ),
    draw: z.enum(['main', 'second']).default('main'),
  }),
  z.strictObject({ name: z.literal('av-mnist'), root, validationRows: countSchema.optional() }),
  z.strictObject({
    name: z.literal('crema-d'),
    root,
    faithful,
    parts: z
      .discriminatedUnion('by', [
        z.strictObject({
          by: z.literal('list'),
          train: z.string().optional(),
          test: z.string().optional(),
          validation: z.union([z.string(), share]).optional(),
          seed: seedSchema.optional(),
        }),
        z.strictObject({
          by: z.enum(['clip', 'actor']),
          fractions: z.strictObject({ train: share, validation: share, test: share }).optional(),
          seed: seedSchema.optional(),
        }),
      ])
      .optional(),
    frames: positiveSchema.optional(),
    framesPerSecond: z.number().positive().optional(),
    padding,
  }),
  z.strictObject({
    name: z.literal('vgg-sound'),
    root,
    faithful,
    csv: z.string().optional(),
    classes: z.union([z.enum(['sorted', 'csv', 'usable']), z.array(z.string())]).optional(),
    validation: share.optional(),
    seed: seedSchema.optional(),
    frames: positiveSchema.optional(),
    framesPerSecond: z.number().positive().optional(),
    audioStart: countSchema.optional(),
    padding,
  }),
  z.strictObject({
    name: z.literal('ur-funny'),
    root,
    faithful,
    words: positiveSchema.optional(),
    sequence: z.enum(['words', 'padded']).optional(),
    contextSentences: countSchema.optional(),
    normalization: z.enum(['none', 'sample', 'train']).optional(),
    widths: z
      .strictObject({
        audio: positiveSchema.optional(),
        visual: positiveSchema.optional(),
        text: positiveSchema.optional(),
      })
      .optional(),
  }),
  z.discriminatedUnion('form', [
    z.strictObject({
      name: z.literal('iemocap'),
      form: z.literal('mmin'),
      root,
      faithful,
      fold: z.number().int().min(1).max(10).optional(),
      audioNormalization: z.enum(['fold', 'utterance', 'none']).optional(),
    }),
    z.strictObject({
      name: z.literal('iemocap'),
      form: z.literal('gcnet'),
      root,
      faithful,
      ...holdOut,
      classes: z.union([z.literal(4), z.literal(6)]).optional(),
      labelFile: z.string().optional(),
      speakers: z.enum(['own', 'both']).optional(),
    }),
    z.strictObject({
      name: z.literal('iemocap'),
      form: z.literal('mla'),
      root,
      faithful,
      ...holdOut,
      parts: z.enum(['lists', 'session']).optional(),
      listFolder: z.string().optional(),
    }),
  ]),
  z.strictObject({
    name: z.literal('mis-me'),
    root,
    format: z.enum(['xlsx', 'csv']).optional(),
    imageFolder: z.string().optional(),
    tableFolder: z.string().optional(),
  }),
  z
    .strictObject({
      name: z.literal('module'),
      path: z
        .string()
        .describe(
          'Of a module whose default export opens a part: (options with `split`) => MultimodalDataset.',
        ),
      options: z.record(z.string(), z.unknown()).optional(),
    })
    .describe('A dataset of your own.'),
]);

export type DatasetConfig = z.output<typeof datasetSchema>;
