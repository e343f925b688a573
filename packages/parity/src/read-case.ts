import { FileFormatError, perModality } from '@g2d/core';
import {
  methods,
  modalities,
  type EncoderCase,
  type InputRecipe,
  type LossesCase,
  type LossTable,
  type Modality,
  type ModelRecipe,
  type OptimizerSettings,
  type ParityCase,
  type TensorRecipe,
  type TrainCase,
} from './case.js';
import {
  flag,
  inside,
  integer,
  jsonObject,
  list,
  number,
  object,
  oneOf,
  readJson,
  text,
  tuple,
  variant,
  wrong,
  type Place,
  type Reader,
} from './strict-json.js';
import {
  FEATURES,
  fusionNames,
  fusionTensors,
  linearTensors,
  resnet18Tensors,
  type TorchTensor,
} from './torch-tensors.js';

/**
 * Reads a `case.json` strictly: every key must be known and every value one that this version can run, so that a case
 * which asks for more than is computed never looks as if it had passed.
 *
 * @throws {FileFormatError} Naming the file, the key, what is allowed and what is there.
 */
export function readCase(file: string): ParityCase {
  return readJson(file, (value, place) => {
    // First of all: what the other keys mean depends on the version.
    oneOf('g2d-parity-case/1')(jsonObject(value, place)['format'], inside(place, 'format'));
    return variant<ParityCase>('kind', { encoder: readEncoder, train: readTrain, losses: readLosses })(
      value,
      place,
    );
  });
}

const head = {
  format: text,
  id: text,
  description: text,
  seed: integer({ min: 0 }),
};
const count = integer({ min: 1 });
const atLeast0 = number({ min: 0 });

/** The keys of a case of the kind `train`, before they are checked against one another. */
interface TrainFile extends Omit<TrainCase, 'student' | 'teachers'> {
  readonly format: string;
  readonly models: {
    readonly student: ModelFile;
    readonly teacher_audio?: ModelFile;
    readonly teacher_visual?: ModelFile;
  };
}

const modelFile = object({
  prefix: text,
  columns: tuple(oneOf('name'), oneOf('shape'), oneOf('offset'), oneOf('scale')),
  tensors: list(tuple(text, list(count), number(), number())),
});
type ModelFile = ReturnType<typeof modelFile>;

const readEncoder: Reader<EncoderCase> = (value, place) => {
  // Which modality it is decides which keys `inputs` has.
  const modality = oneOf(...modalities)(jsonObject(value, place)['modality'], inside(place, 'modality'));
  const { id, description, seed, batch, batchTag, inputs, models } = object({
    ...head,
    kind: oneOf('encoder'),
    modality: oneOf(...modalities),
    batch: count,
    batchTag: text,
    inputs: object({ [modality]: readInput(modality) }) as Reader<Partial<Record<Modality, InputRecipe>>>,
    models: object({ encoder: modelFile }),
  })(value, place);
  const input = inputs[modality] as InputRecipe;
  checkBatch(batch, { [modality]: input }, place);
  const model = modelOf(
    models.encoder,
    resnet18Tensors('net', channelsOf(input)),
    at(place, 'models', 'encoder'),
  );
  return { kind: 'encoder', id, description, seed, modality, batch, batchTag, input, model };
};

const optimizer: Reader<OptimizerSettings> = (value, place) => {
  const { learningRate, momentum, weightDecay, dampening, nesterov } = object({
    type: oneOf('sgd'),
    learningRate: atLeast0,
    momentum: atLeast0,
    weightDecay: atLeast0,
    dampening: atLeast0,
    nesterov: flag,
  })(value, place);
  if (nesterov && !(momentum > 0 && dampening === 0)) {
    wrong(inside(place, 'nesterov'), 'false without momentum or with dampening', nesterov);
  }
  return { learningRate, momentum, weightDecay, dampening, nesterov };
};

const epochWindow: Reader<readonly [number, number]> = (value, place) => {
  const window = tuple(integer({ min: 0 }), integer({ min: 0 }))(value, place);
  return window[0] <= window[1] ? window : wrong(place, 'a first and a last epoch, in this order', value);
};

const methodKeys = {
  joint: {},
  ogm: { ogm: object({ alpha: atLeast0, window: epochWindow, scope: oneOf('conv') }) },
  'ogm-ge': {
    ogm: object({ alpha: atLeast0, window: epochWindow, scope: oneOf('conv'), noiseScale: atLeast0 }),
  },
  g2d: {
    g2d: object({
      alpha: atLeast0,
      beta: atLeast0,
      temperature: number({ above: 0 }),
      window: epochWindow,
      scope: oneOf('conv'),
      onZero: oneOf('zero-grad'),
      featureReduction: oneOf('mean'),
      ranking: oneOf('batch'),
      suppression: oneOf('complete'),
    }),
  },
};

const readTrain: Reader<TrainCase> = (value, place) => {
  const method = oneOf(...methods)(jsonObject(value, place)['method'], inside(place, 'method'));
  const file = object<TrainFile>({
    ...head,
    kind: oneOf('train'),
    method: oneOf(...methods),
    fusion: oneOf(...fusionNames),
    classes: count,
    batch: count,
    inputs: object({ audio: readInput('audio'), visual: readInput('visual') }),
    optimizer,
    steps: list(object({ epoch: integer({ min: 0 }), batchTag: text, labels: list(integer()) })),
    evalBatch: object({ batchTag: text, labels: list(integer()) }),
    models: object<TrainFile['models']>({
      student: modelFile,
      ...(method === 'g2d' && { teacher_audio: modelFile, teacher_visual: modelFile }),
    }),
    ...methodKeys[method],
  })(value, place);
  const { id, description, seed, fusion, classes, batch, inputs, steps, evalBatch, models } = file;

  checkBatch(batch, inputs, place);
  steps.forEach(({ labels }, i) => checkLabels(labels, batch, classes, at(place, 'steps', i)));
  checkLabels(evalBatch.labels, batch, classes, at(place, 'evalBatch'));
  const student = modelOf(
    models.student,
    [
      ...fusionTensors(fusion, classes),
      ...modalities.flatMap((modality) => resnet18Tensors(`${modality}_net`, channelsOf(inputs[modality]))),
    ],
    at(place, 'models', 'student'),
  );
  const teacher = (modality: Modality): ModelRecipe =>
    modelOf(
      models[`teacher_${modality}`] as ModelFile,
      [
        ...resnet18Tensors('net', channelsOf(inputs[modality])),
        ...linearTensors('classifier', classes, FEATURES),
      ],
      at(place, 'models', `teacher_${modality}`),
    );
  return {
    kind: 'train',
    id,
    description,
    seed,
    method,
    fusion,
    classes,
    batch,
    inputs,
    steps,
    evalBatch,
    student,
    optimizer: file.optimizer,
    ...(file.ogm && { ogm: file.ogm }),
    ...(file.g2d && { g2d: file.g2d, teachers: perModality(modalities, teacher) }),
  };
};

const readLosses: Reader<LossesCase> = (value, place) => {
  const { id, description, seed, tables } = object({
    ...head,
    kind: oneOf('losses'),
    tables: list(
      object<LossTable>({
        batch: count,
        classes: count,
        logitScale: number(),
        temperatures: list(number({ above: 0 })),
        features: count,
        featureScale: number(),
        ogmAlphas: list(atLeast0),
        labels: list(integer()),
      }),
    ),
  })(value, place);
  tables.forEach(({ labels, batch, classes }, i) =>
    checkLabels(labels, batch, classes, at(place, 'tables', i)),
  );
  return { kind: 'losses', id, description, seed, tables };
};

const at = (place: Place, ...keys: readonly (string | number)[]): Place => keys.reduce(inside, place);

/** `[B, C, H, W]`, or with frames `[B, C, T, H, W]`. */
function readInput(modality: Modality): Reader<InputRecipe> {
  return object({ shape: list(count, modality === 'audio' ? 4 : 5), offset: number(), scale: number() });
}

const channelsOf = ({ shape }: InputRecipe): number => shape[1] as number;

function checkBatch(batch: number, inputs: Partial<Record<Modality, InputRecipe>>, place: Place): void {
  for (const [modality, { shape }] of Object.entries(inputs)) {
    if (shape[0] !== batch)
      wrong(at(place, 'inputs', modality, 'shape', 0), `${batch}, the \`batch\``, shape[0]);
  }
}

function checkLabels(labels: readonly number[], batch: number, classes: number, place: Place): void {
  list(integer({ min: 0, max: classes - 1 }), batch)(labels, inside(place, 'labels'));
}

/** Checks that a model has exactly the tensors of its architecture. */
function modelOf(
  { prefix, tensors }: ModelFile,
  expected: readonly TorchTensor[],
  place: Place,
): ModelRecipe {
  const shapes = new Map(expected.map(({ name, shape }) => [name, shape]));
  const given = new Map<string, TensorRecipe>();
  const names = `${expected[0]?.name} to ${expected.at(-1)?.name}`;
  for (const [i, [name, shape, offset, scale]] of tensors.entries()) {
    const row = at(place, 'tensors', i);
    const known = shapes.get(name);
    if (!known) wrong(inside(row, 0), `one of this model's ${expected.length} tensors, ${names}`, name);
    if (given.has(name)) wrong(inside(row, 0), 'named once', name);
    if (shape.join() !== known.join()) wrong(inside(row, 1), `[${known.join(', ')}] for ${name}`, shape);
    given.set(name, { name, shape, offset, scale });
  }
  const missing = expected.find(({ name }) => !given.has(name));
  if (missing) {
    throw new FileFormatError(
      place.file,
      `\`${at(place, 'tensors').at}\` has ${given.size} tensors, but this model has ${expected.length}: ${missing.name} is missing.`,
    );
  }
  return { prefix, tensors: expected.map(({ name }) => given.get(name) as TensorRecipe) };
}
