import { SAMPLERS } from '@g2d/datasets';
import { encoders } from '@g2d/encoders';
import { fusions } from '@g2d/fusion';
import { methods } from '@g2d/methods';
import { z } from 'zod';
import { componentSchema } from './schema/components.js';
import { datasetSchema } from './schema/datasets.js';
import { methodOptionsSchema } from './schema/method-options.js';
import { countSchema, positiveSchema, seedSchema } from './schema/numbers.js';

const weights = z
  .union([
    z.string(),
    z.strictObject({
      path: z.string().describe('A PyTorch checkpoint, or a run folder.'),
      prefix: z
        .string()
        .optional()
        .describe(
          'Of a checkpoint with several networks: what stands before the encoder\'s names, such as "model_ema.".',
        ),
      channels: z
        .enum(['sum', 'mean'])
        .optional()
        .describe(
          'Weights for several input channels, such as colours, for an encoder with one: add up the first kernel over them (as timm does), or take the mean.',
        ),
    }),
  ])
  .describe(
    'Initial weights: a PyTorch checkpoint (.pth, .safetensors), or a run folder, whose encoder of this modality is taken.',
  );

const encoderSchema = componentSchema(
  'type',
  encoders,
  'an encoder (`defineEncoder`), or a function that makes it: (options) => LayersModel',
  { weights: weights.optional() },
);

const fusionSchema = componentSchema(
  'type',
  fusions,
  'a fusion (`defineFusion`), or a function that makes it: (options) => Fusion',
);

const scheduleSchema = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('step'),
      every: positiveSchema.optional(),
      after: z.array(countSchema).optional(),
      ratio: z.number().positive().optional(),
    })
    .refine(({ every, after }) => (every === undefined) !== (after === undefined), {
      error: 'with "every" (a number of epochs) or with "after" (a list of epochs)',
    }),
  z.strictObject({
    type: z.literal('cosine'),
    epochs: positiveSchema,
    min: z.number().min(0).optional(),
  }),
  z
    .strictObject({
      type: z.literal('linear'),
      constant: countSchema.optional().describe('Epochs before it falls. Default 0.'),
      epochs: positiveSchema.describe('The last epoch of the fall.'),
    })
    .refine(({ constant = 0, epochs }) => constant <= epochs, {
      error: 'with a "constant" of at most "epochs", the last epoch of the fall',
    }),
  z.strictObject({
    type: z.literal('plateau'),
    metric: z
      .string()
      .optional()
      .describe(
        'What is watched on the validation split: loss (default), accuracy, macroF1, calibrationError, confidence; of a regression loss, meanAbsolutePercentageError, rSquared; of a multi-label task loss, microF1, macroF1, subsetAccuracy, meanAveragePrecision, confidence.',
      ),
    mode: z
      .enum(['min', 'max'])
      .optional()
      .describe('Whether smaller or larger is better. Default: as the metric has it.'),
    factor: z.number().min(0).lt(1).optional().describe('What the rate is multiplied by. Default 0.1.'),
    patience: countSchema
      .optional()
      .describe('It falls after more than so many evaluated epochs that were no better. Default 10.'),
    threshold: z.number().min(0).optional().describe('By how much an epoch must be better. Default 1e-4.'),
    thresholdMode: z
      .enum(['rel', 'abs'])
      .optional()
      .describe('rel (default): by a part of the best number. abs: by the threshold itself.'),
    cooldown: countSchema
      .optional()
      .describe('Evaluated epochs after a fall that do not count as bad. Default 0.'),
    min: z.number().min(0).optional().describe('No rate falls below. Default 0.'),
  }),
]);

const aboveZero = z.number().positive();

const clippingSchema = z
  .strictObject({
    norm: aboveZero.optional(),
    per: z
      .enum(['model', 'network'])
      .optional()
      .describe(
        'Whose gradients "norm" is of: all of the model (default), or those of each network: a modality\'s encoder, or a part of the fusion such as head/audio or fusion/classifier.',
      ),
    value: aboveZero.optional(),
  })
  .refine(({ norm, value }) => (norm === undefined) !== (value === undefined), {
    error: 'with "norm" (the most that all gradients together may be long) or with "value" (for each number)',
  })
  .refine(({ per, value }) => per === undefined || value === undefined, {
    error: 'with "per" beside a "norm" only',
  })
  .describe(
    'A limit for the gradients of a step, after the methods have edited them: the norm of all together, or the size of each number.',
  );

const rateSchema = z.union([z.number().min(0), z.strictObject({ factor: z.number().min(0) })]);

const anyOptimizer = {
  learningRate: z.number().min(0),
  weightDecay: z.number().min(0).optional(),
  schedule: scheduleSchema.optional(),
  warmUp: z
    .strictObject({ epochs: positiveSchema, start: z.number().positive().max(1).optional() })
    .optional(),
  clipping: clippingSchema.optional(),
  learningRates: z
    .record(z.string(), rateSchema)
    .optional()
    .describe(
      'Part of the model → its learning rate, or { "factor": … } of "learningRate". Parts: a modality (its encoder), head/<modality>, fusion (all heads and what is shared).',
    ),
};

const adamSettings = {
  ...anyOptimizer,
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).optional(),
  epsilon: z.number().positive().optional(),
  epsilonAt: z
    .enum(['corrected', 'uncorrected'])
    .optional()
    .describe(
      'Added to the root of the corrected average (default), or of the average as it is, as in TensorFlow.',
    ),
};

const precisionSchema = z.enum(['float32', 'bfloat16', 'auto']).default('float32');

const optimizerSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('sgd'),
    ...anyOptimizer,
    momentum: z.number().min(0).lt(1).optional(),
    dampening: z.number().min(0).max(1).optional(),
    nesterov: z.boolean().optional(),
  }),
  z.strictObject({ type: z.literal('adam'), ...adamSettings }),
  z.strictObject({ type: z.literal('adam-w'), ...adamSettings }),
]);

const lossSchema = z
  .strictObject({
    classWeights: z
      .union([z.literal('balanced'), z.array(z.number().min(0)), z.record(z.string(), z.number().min(0))])
      .optional()
      .describe(
        'A weight for each class, as a list, or by name (1 for classes that are not named); balanced: n / (k · n_c), from the training split. Of a multi-label task what the samples that have the class count (pos_weight); balanced: (n − n_c) / n_c.',
      ),
    labelSmoothing: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('The part of the true class that all classes share. Default 0; a multi-label task has none.'),
    output: z
      .enum(['sigmoid', 'identity'])
      .optional()
      .describe(
        'Of a regression: what its value is, the sigmoid of the output, for targets in [0, 1], or the output itself. Default: sigmoid.',
      ),
  })
  .describe(
    "Of classes: how errors weigh in training, as in PyTorch's CrossEntropyLoss, of a multi-label task BCEWithLogitsLoss. Of a regression: what its value is.",
  );

const earlyStoppingSchema = z
  .strictObject({
    patience: positiveSchema.describe(
      'The run ends after so many evaluated epochs one after another that were no better.',
    ),
    minDelta: z
      .number()
      .min(0)
      .optional()
      .describe('By more than this an epoch must be better than the best one. Default 0.'),
    metric: z
      .string()
      .optional()
      .describe(
        'What is watched on the validation split. Default: accuracy, meanAbsolutePercentageError of a regression, microF1 of a multi-label task; also loss and the others that plateau schedules know.',
      ),
    after: countSchema
      .optional()
      .describe("Epochs that do not count, such as those of SMP's phases before the joint one. Default 0."),
  })
  .describe('Ends the run before its last epoch.');

const dataSchema = z.strictObject({
  inMemory: z.boolean().default(false).describe('Read every sample once, and keep it.'),
  cache: z.string().optional().describe('A folder for decoded inputs, so that they are decoded once.'),
  workers: countSchema.default(0).describe('Threads that read and decode.'),
  prefetch: countSchema.optional().describe('Batches that are read ahead. Default: 2 with workers, else 0.'),
  dropLast: z.boolean().default(false).describe('Leave out the last batch of an epoch if it is not full.'),
  transform: z
    .enum(['train', 'test'])
    .default('train')
    .describe("Of training batches: with the dataset's own augmentation, or without."),
  augment: z
    .record(
      z.string(),
      z.strictObject({
        type: z.literal('random-affine-crop'),
        area: z.tuple([z.number(), z.number()]).optional(),
        aspect: z.number().optional(),
        rotation: z.number().optional(),
      }),
    )
    .default({})
    .describe('Modality → augmentation of the finished input, in training.'),
  onError: z
    .union([z.enum(['fail', 'skip']), z.strictObject({ retry: positiveSchema })])
    .default('fail')
    .describe('What happens when a sample cannot be read.'),
  missing: z
    .strictObject({
      rate: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe(
          'share of (sample, modality) cells; with the sampler "samples" of samples that lack one modality',
        ),
      seed: seedSchema.optional().describe("Of the masks. Default: the run's."),
      modalities: z
        .union([z.array(z.string()).min(1), z.literal('all')])
        .optional()
        .describe(
          "of which every sample keeps one; the others are always there. Default: those of the run; for a teacher of one of them, those of its student. all: every one of the dataset's",
        ),
      sampler: z
        .enum(SAMPLERS)
        .optional()
        .describe(
          'exact (default); official: the generator of CPM-Net, MLA and GCNet; samples: TATE; patterns: MMIN, drawn again in every epoch',
        ),
      masks: z
        .string()
        .optional()
        .describe(
          'a folder with train.csv, validation.csv and test.csv: columns id and a modality each, 1 present, 0 missing; such as "masks" of another run',
        ),
    })
    .refine(
      ({ rate, sampler, masks }) =>
        Number(rate !== undefined) + Number(sampler === 'patterns') + Number(masks !== undefined) === 1,
      {
        error: 'one of "rate", "sampler": "patterns" and "masks"',
      },
    )
    .refine(
      ({ seed, sampler, masks }) => masks === undefined || (seed === undefined && sampler === undefined),
      {
        path: ['masks'],
        error: 'alone: nothing is drawn then',
      },
    )
    .optional()
    .describe('What is missing of the data, in every split.'),
});

/** `config.json`: everything that a run depends on. */
export const configSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().min(1).optional().describe('What tables call the run. Default: its method.'),
  dataset: datasetSchema,
  data: dataSchema.prefault({}),
  modalities: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      "Which of the dataset's modalities the model has. One alone: a teacher. Default: all with an encoder.",
    ),
  encoders: z.record(z.string(), encoderSchema).describe('Modality → encoder.'),
  absentRows: z
    .enum(['zeros', 'skip'])
    .default('zeros')
    .describe(
      'What encoders see of samples that lack their modality: zeros, which batch normalization counts, or nothing.',
    ),
  fusion: fusionSchema.prefault({ type: 'late' }).describe('A method that needs another fusion brings it.'),
  method: z
    .string()
    .default('joint')
    .describe(
      `${methods.map(({ name }) => name).join(', ')}, the path of a module or an installed package, or several joined by "+".`,
    ),
  methodOptions: methodOptionsSchema
    .prefault({})
    .describe('Method → its options; those of methods that the run lacks are not used.'),
  teachers: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      "Modality → the folder of its teacher's run; fused → that of a run of all modalities, for methods that learn from one.",
    ),
  teacherOutputs: z
    .enum(['online', 'stored'])
    .default('online')
    .describe('Teachers run on every batch, or once before the training: for inputs that are not augmented.'),
  allowChanged: z
    .boolean()
    .optional()
    .describe(
      'Go on although data, modules or teachers are not what they were; the run records what was other. Default: false.',
    ),
  seed: seedSchema.default(0),
  epochs: countSchema,
  batchSize: positiveSchema,
  optimizer: optimizerSchema,
  accumulate: positiveSchema
    .default(1)
    .describe(
      'Batches of one step: as one batch that is so many times as large, but for batch normalization, which sees each for itself.',
    ),
  loss: lossSchema.optional(),
  freeze: z
    .array(z.string())
    .default([])
    .describe(
      'Parts that stay as they are, with their running statistics: a modality (its encoder), head/<modality>, fusion (all heads and what is shared).',
    ),
  earlyStopping: earlyStoppingSchema.optional(),
  parallel: z
    .strictObject({
      batchNorm: z
        .enum(['local', 'synchronized'])
        .optional()
        .describe(
          'By what batch normalization normalizes: the rows of the batch that a process has (default), or the whole batch, as in one process, at three small sums for each layer.',
        ),
    })
    .optional()
    .describe('Of a run on several processes.'),
  precision: precisionSchema.describe(
    'Of convolutions and matrix products in training. auto: bfloat16 where it is faster, on processors with AMX (both) or AVX512-BF16 (products), else float32.',
  ),
  teacherPrecision: precisionSchema.describe(
    "Of the teachers' convolutions and products, if they run on every batch.",
  ),
  select: z
    .enum(['validation-best', 'test-best', 'last'])
    .default('validation-best')
    .describe(
      'Which epoch the results are of. test-best is what most published code does, and is optimistic.',
    ),
  evaluation: z
    .strictObject({
      every: positiveSchema.default(1).describe('Evaluate after every so many epochs, and after the last.'),
      splits: z
        .array(z.enum(['validation', 'test']))
        .default(['validation', 'test'])
        .describe('Splits that are evaluated during training. After it, both are.'),
      batchSize: positiveSchema.default(250),
    })
    .prefault({}),
  checkpoints: z
    .strictObject({
      every: positiveSchema.default(1).describe('Save after every so many epochs, and after the last.'),
      minutes: z.number().positive().default(10).describe('And in the middle of epochs that take longer.'),
      keepEvery: positiveSchema.optional().describe('Keep a checkpoint of every so many epochs for good.'),
    })
    .prefault({}),
});

/** A configuration with every default in its place. */
export type RunConfig = z.output<typeof configSchema>;
export type EncoderConfig = z.output<typeof encoderSchema>;
export type FusionConfig = z.output<typeof fusionSchema>;
