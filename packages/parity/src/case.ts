import { z } from 'zod';
import { flag, integer, list, number, object, oneOf, text, tuple } from './strict-json.js';
import { fusionNames, type TorchTensor } from './torch-tensors.js';

// What a `case.json` specifies: a schema, and the types that follow from it.

export const modalities = ['audio', 'visual'] as const;
export type Modality = (typeof modalities)[number];

const methods = ['joint', 'ogm', 'ogm-ge', 'g2d'] as const;
type MethodName = (typeof methods)[number];

const count = integer({ min: 1 });
const epoch = integer({ min: 0 });
const atLeast0 = number({ min: 0 });

const head = { format: text, id: text, description: text, seed: integer({ min: 0 }) };

const modelFile = object({
  prefix: text,
  columns: tuple(oneOf('name'), oneOf('shape'), oneOf('offset'), oneOf('scale')),
  tensors: list(tuple(text, list(count), number(), number())),
});
export type ModelFile = z.output<typeof modelFile>;

/** `[B, C, H, W]`, or with frames `[B, C, T, H, W]`. */
const inputOf = (modality: Modality) =>
  object({ shape: list(count, modality === 'audio' ? 4 : 5), offset: number(), scale: number() });
const inputs = { audio: inputOf('audio'), visual: inputOf('visual') };

/** A batch of inputs: PyTorch's shape and the range of its values. */
export type InputRecipe = Readonly<z.output<typeof inputs.audio>>;

const encoderFile = <M extends Modality>(modality: M) =>
  object({
    ...head,
    kind: z.literal('encoder'),
    modality: z.literal(modality),
    batch: count,
    batchTag: text,
    inputs: object({ [modality]: inputs[modality] }),
    models: object({ encoder: modelFile }),
  });

const optimizer = object({
  type: oneOf('sgd'),
  learningRate: atLeast0,
  momentum: atLeast0,
  weightDecay: atLeast0,
  dampening: atLeast0,
  nesterov: flag,
})
  .refine(({ nesterov, momentum, dampening }) => !nesterov || (momentum > 0 && dampening === 0), {
    path: ['nesterov'],
    error: 'false without momentum or with dampening',
  })
  .transform(({ learningRate, momentum, weightDecay, dampening, nesterov }) => ({
    learningRate,
    momentum,
    weightDecay,
    dampening,
    nesterov,
  }));

/** SGD as PyTorch defines it. */
type OptimizerSettings = Readonly<z.output<typeof optimizer>>;

/** First and last epoch, both inside, counted from 0. */
const epochWindow = tuple(epoch, epoch).refine(
  ([first, last]) => first <= last,
  'a first and a last epoch, in this order',
);

const ogm = { alpha: atLeast0, window: epochWindow, scope: oneOf('conv') };
const ogmSchema = object(ogm);
const ogmGeSchema = object({ ...ogm, noiseScale: atLeast0 });
const g2dSchema = object({
  alpha: atLeast0,
  beta: atLeast0,
  temperature: number({ above: 0 }),
  window: epochWindow,
  scope: oneOf('conv'),
  onZero: oneOf('zero-grad'),
  featureReduction: oneOf('mean'),
  ranking: oneOf('batch'),
  suppression: oneOf('complete'),
});

export type OgmSettings = Readonly<
  z.output<typeof ogmSchema> & Partial<Pick<z.output<typeof ogmGeSchema>, 'noiseScale'>>
>;
export type G2DSettings = Readonly<z.output<typeof g2dSchema>>;

const batch = { batchTag: text, labels: list(integer()) };
const batchSchema = object(batch);
const stepSchema = object({ epoch, ...batch });

export type LabelledBatch = Readonly<z.output<typeof batchSchema>>;
/** Its epoch is counted from 0. */
export type TrainStep = Readonly<z.output<typeof stepSchema>>;

const trainFile = <N extends MethodName, S extends z.core.$ZodLooseShape, T extends z.core.$ZodLooseShape>(
  method: N,
  settings: S,
  teachers: T,
) =>
  object({
    ...head,
    kind: z.literal('train'),
    method: z.literal(method),
    fusion: oneOf(...fusionNames),
    classes: count,
    batch: count,
    inputs: object(inputs),
    optimizer,
    steps: list(stepSchema),
    evalBatch: batchSchema,
    models: object({ student: modelFile, ...teachers }),
    ...settings,
  });

const tableSchema = object({
  batch: count,
  classes: count,
  logitScale: number(),
  temperatures: list(number({ above: 0 })),
  features: count,
  featureScale: number(),
  ogmAlphas: list(atLeast0),
  labels: list(integer()),
});

/** Logits and features without a model. */
export type LossTable = Readonly<z.output<typeof tableSchema>>;

/** A `case.json` by itself: labels, batches and tensors are not yet checked against one another. */
export const caseFileSchema = z.discriminatedUnion(
  'kind',
  [
    z.discriminatedUnion('modality', [encoderFile('audio'), encoderFile('visual')]),
    z.discriminatedUnion('method', [
      trainFile('joint', {}, {}),
      trainFile('ogm', { ogm: ogmSchema }, {}),
      trainFile('ogm-ge', { ogm: ogmGeSchema }, {}),
      trainFile('g2d', { g2d: g2dSchema }, { teacher_audio: modelFile, teacher_visual: modelFile }),
    ]),
    object({ ...head, kind: z.literal('losses'), tables: list(tableSchema) }),
  ],
  'an object',
);

export type CaseFile = z.output<typeof caseFileSchema>;

/** A tensor of a model and the range of its values. */
export interface TensorRecipe extends TorchTensor {
  readonly offset: number;
  readonly scale: number;
}

/** The tensors of one model; `prefix` goes before their names in the hash. */
export interface ModelRecipe {
  readonly prefix: string;
  readonly tensors: readonly TensorRecipe[];
}

type CaseHead = Readonly<Pick<CaseFile, 'id' | 'description' | 'seed'>>;

/** One encoder: inference, a training pass with gradients, inference again. */
export interface EncoderCase extends CaseHead {
  readonly kind: 'encoder';
  readonly modality: Modality;
  readonly batch: number;
  readonly batchTag: string;
  readonly input: InputRecipe;
  readonly model: ModelRecipe;
}

/** A few optimizer steps of a student, then an evaluation. */
export interface TrainCase extends CaseHead {
  readonly kind: 'train';
  readonly method: MethodName;
  /** With the methods `ogm` and `ogm-ge`. */
  readonly ogm?: OgmSettings;
  /** With the method `g2d`. */
  readonly g2d?: G2DSettings;
  /** With the method `g2d`. */
  readonly teachers?: Readonly<Record<Modality, ModelRecipe>>;
  readonly fusion: (typeof fusionNames)[number];
  readonly classes: number;
  readonly batch: number;
  readonly inputs: Readonly<Record<Modality, InputRecipe>>;
  readonly optimizer: OptimizerSettings;
  readonly steps: readonly TrainStep[];
  readonly evalBatch: LabelledBatch;
  readonly student: ModelRecipe;
}

/** Losses and scores alone. */
export interface LossesCase extends CaseHead {
  readonly kind: 'losses';
  readonly tables: readonly LossTable[];
}

/** What a `case.json` specifies. */
export type ParityCase = EncoderCase | TrainCase | LossesCase;
