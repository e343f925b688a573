import { formatNumber, type AnyMethod, type Component, type Cost, type Needs, type Recipe } from '@g2d/core';

/** A method or a stack of some, as far as its recipe goes. */
export interface Described extends Component {
  readonly recipe?: Recipe | undefined;
  readonly needs?: Needs;
  readonly methods?: readonly Pick<AnyMethod, 'needs'>[];
}

/** Forward and backward pass together are a joint step, of which a backward pass is two thirds: it costs about two forward ones. */
export const inJointSteps = (forward: number, backward: number): number => (forward + 2 * backward) / 3;

/** `1`, or `0.5 to 1`. */
export const passWords = (passes: Cost['forward']): string =>
  typeof passes === 'number' ? number(passes) : `${number(passes[0])} to ${number(passes[1])}`;

const number = (value: number): string => String(Number(formatNumber(value, 2)));

/** What a training must have, in words; nothing if any will do. */
export function needsWords({ needs, methods = [] }: Described): string[] {
  const all = [...(needs ? [needs] : []), ...methods.flatMap((method) => method.needs ?? [])];
  return [...new Set(all.flatMap(wordsOf))];
}

const ROLES: Readonly<Record<NonNullable<Needs['parameters']>[number], string>> = {
  conv: 'convolutions',
  norm: 'normalizations',
  encoder: 'other layers of an encoder',
  head: 'a head of its own',
  shared: 'a shared head',
};

function wordsOf({ teachers, task, modalities, validation, parameters, inputs }: Needs): string[] {
  const { min, max } = modalities ?? {};
  return [
    ...(task === 'classification' ? ['classes (classification)'] : []),
    ...(task === 'regression' ? ['numbers to predict (regression)'] : []),
    ...(min !== undefined || max !== undefined ? [`${rangeOf({ min, max })} modalities`] : []),
    ...(teachers === 'unimodal' ? ['a trained teacher for each modality'] : []),
    ...(teachers === 'full' ? ['a trained teacher that has all modalities'] : []),
    ...(validation ? ['a validation part, evaluated after every epoch'] : []),
    ...(parameters ? [`in every modality ${parameters.map((role) => ROLES[role]).join(' or ')}`] : []),
    ...(inputs ? ['the true inputs of missing modalities too'] : []),
  ];
}

/** `2 or more`, `2 to 3`. */
export const rangeOf = ({
  min = 1,
  max,
}: {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}): string => (max === undefined ? `${min} or more` : min === max ? `${min}` : `${min} to ${max}`);

/** What a step costs against one of joint training, as sentences. */
export function costWords(component: Described): string[] {
  const { recipe } = component;
  if (!recipe) return [];
  const { forward, backward, more } = recipe.cost;
  const [low, high] = [0, 1].map((end) => inJointSteps(at(forward, end), at(backward, end))) as [
    number,
    number,
  ];
  const steps = passWords(low === high ? low : [low, high]);
  const passes = `${passWords(forward)} forward and ${passWords(backward)} backward passes of all encoders, where joint training has 1 and 1: ${steps} × a joint step (a backward pass counts as two forward ones)`;
  const teachers = needsWords(component).some((need) => need.includes('teacher'))
    ? [
        'and the teachers: their training, and in every step a forward pass of each, unless their outputs are stored',
      ]
    : [];
  return [`with two modalities ${passes}`, ...(more === undefined ? [] : [more]), ...teachers];
}

const at = (passes: Cost['forward'], end: number): number =>
  typeof passes === 'number' ? passes : (passes[end] as number);
