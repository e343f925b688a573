import { FileFormatError, perModality } from '@g2d/core';
import {
  caseFileSchema,
  modalities,
  type CaseFile,
  type EncoderCase,
  type InputRecipe,
  type LossesCase,
  type Modality,
  type ModelFile,
  type ModelRecipe,
  type ParityCase,
  type TensorRecipe,
  type TrainCase,
} from './case.js';
import { keyOf, readJson, wrong, type Path } from './strict-json.js';
import {
  FEATURES,
  fusionTensors,
  linearTensors,
  resnet18Tensors,
  type TorchTensor,
} from './torch-tensors.js';

export const PARITY_CASE = 'g2d-parity-case/1';

/**
 * Reads a `case.json` strictly: every key must be known and every value one that this version can run, so that a case
 * which asks for more than is computed never looks as if it had passed.
 *
 * @throws {FileFormatError} Naming the file, the key, what is allowed and what is there.
 */
export function readCase(file: string): ParityCase {
  const content = readJson(file, PARITY_CASE, caseFileSchema);
  switch (content.kind) {
    case 'encoder':
      return encoderCase(content, file);
    case 'train':
      return trainCase(content, file);
    case 'losses':
      return lossesCase(content, file);
  }
}

type FileOf<K extends CaseFile['kind']> = Extract<CaseFile, { kind: K }>;

function encoderCase({ inputs, models, ...rest }: FileOf<'encoder'>, file: string): EncoderCase {
  const input = inputs[rest.modality] as InputRecipe;
  checkBatch(rest.batch, { [rest.modality]: input }, file);
  const tensors = resnet18Tensors('net', channelsOf(input));
  return { ...rest, input, model: modelOf(models.encoder, tensors, { file, path: ['models', 'encoder'] }) };
}

function trainCase({ models, ...rest }: FileOf<'train'>, file: string): TrainCase {
  const { batch, classes, inputs, steps, evalBatch, fusion } = rest;
  checkBatch(batch, inputs, file);
  steps.forEach(({ labels }, i) => checkLabels(labels, { batch, classes }, { file, path: ['steps', i] }));
  checkLabels(evalBatch.labels, { batch, classes }, { file, path: ['evalBatch'] });
  const encoder = (name: string, modality: Modality): TorchTensor[] =>
    resnet18Tensors(name, channelsOf(inputs[modality]));
  const recipe = (name: string, model: ModelFile, tensors: readonly TorchTensor[]): ModelRecipe =>
    modelOf(model, tensors, { file, path: ['models', name] });
  const student = recipe('student', models.student, [
    ...fusionTensors(fusion, classes),
    ...modalities.flatMap((modality) => encoder(`${modality}_net`, modality)),
  ]);
  if (!('teacher_audio' in models)) return { ...rest, student };
  const teachers = perModality(modalities, (modality) =>
    recipe(`teacher_${modality}`, models[`teacher_${modality}`], [
      ...encoder('net', modality),
      ...linearTensors('classifier', classes, FEATURES),
    ]),
  );
  return { ...rest, student, teachers };
}

function lossesCase(content: FileOf<'losses'>, file: string): LossesCase {
  content.tables.forEach((table, i) => checkLabels(table.labels, table, { file, path: ['tables', i] }));
  return content;
}

/** Where in a case something stands. */
interface Place {
  readonly file: string;
  readonly path: Path;
}

const channelsOf = ({ shape }: InputRecipe): number => shape[1] as number;

function checkBatch(batch: number, inputs: Partial<Record<Modality, InputRecipe>>, file: string): void {
  for (const [modality, { shape }] of Object.entries(inputs)) {
    if (shape[0] !== batch)
      wrong(file, ['inputs', modality, 'shape', 0], `${batch}, the \`batch\``, shape[0]);
  }
}

function checkLabels(
  labels: readonly number[],
  { batch, classes }: { readonly batch: number; readonly classes: number },
  { file, path }: Place,
): void {
  const at = [...path, 'labels'];
  if (labels.length !== batch) wrong(file, at, `a list of ${batch}`, labels);
  const strange = labels.findIndex((label) => label < 0 || label >= classes);
  if (strange >= 0) wrong(file, [...at, strange], `a whole number from 0 to ${classes - 1}`, labels[strange]);
}

/** Checks that a model has exactly the tensors of its architecture. */
function modelOf(
  { prefix, tensors }: ModelFile,
  expected: readonly TorchTensor[],
  { file, path }: Place,
): ModelRecipe {
  const shapes = new Map(expected.map(({ name, shape }) => [name, shape]));
  const given = new Map<string, TensorRecipe>();
  const names = `${expected[0]?.name} to ${expected.at(-1)?.name}`;
  for (const [i, [name, shape, offset, scale]] of tensors.entries()) {
    const row = [...path, 'tensors', i];
    const known = shapes.get(name);
    if (!known) wrong(file, [...row, 0], `one of this model's ${expected.length} tensors, ${names}`, name);
    if (given.has(name)) wrong(file, [...row, 0], 'named once', name);
    if (shape.join() !== known.join()) wrong(file, [...row, 1], `[${known.join(', ')}] for ${name}`, shape);
    given.set(name, { name, shape, offset, scale });
  }
  const missing = expected.find(({ name }) => !given.has(name));
  if (missing) {
    throw new FileFormatError(
      file,
      `\`${keyOf([...path, 'tensors'])}\` has ${given.size} tensors, but this model has ${expected.length}: ${missing.name} is missing.`,
    );
  }
  return { prefix, tensors: expected.map(({ name }) => given.get(name) as TensorRecipe) };
}
