import { modalities, type EncoderCase, type LossesCase, type ParityCase, type TrainCase } from './case.js';
import { isRunningStatistic, type TorchTensor } from './torch-tensors.js';

/**
 * What a quantity is computed from. `'forward'`: from weights and inputs as the case gives them; these must agree.
 * `'gradient'`: it is a gradient or depends on one. A ReLU input that rounding moves across zero makes gradients jump,
 * so an excess there alone can be an accident.
 */
export type Origin = 'forward' | 'gradient';

/** A number, a list of numbers, or something that must be equal. */
export interface Quantity {
  /** Keys that lead to it in `truth`. */
  readonly path: readonly (string | number)[];
  /** Sizes of a list, `[]` for a number; a word, a boolean, or a number that is copied from the case. */
  readonly holds: readonly number[] | 'word' | 'boolean' | 'setting';
  readonly origin: Origin;
}

/** A table with one row for each tensor. */
export interface Table {
  readonly path: readonly string[];
  readonly columns: readonly string[];
  /** Columns of its table of deviations. */
  readonly deviations: readonly string[];
  readonly rows: readonly TorchTensor[];
  readonly origin: Origin;
}

/** Everything that a case computes, in the order in which it is computed: what `expected.json` has to hold. */
export function outline(parityCase: ParityCase): readonly (Quantity | Table)[] {
  switch (parityCase.kind) {
    case 'encoder':
      return encoderOutline(parityCase);
    case 'train':
      return trainOutline(parityCase);
    case 'losses':
      return lossesOutline(parityCase);
  }
}

export const isTable = (item: Quantity | Table): item is Table => 'rows' in item;

/** Quantities of one kind and origin below a path. */
const quantities = (
  path: readonly (string | number)[],
  holds: Quantity['holds'],
  origin: Origin,
  names: readonly string[],
): Quantity[] => names.map((name) => ({ path: [...path, name], holds, origin }));

const both = (name: string): string[] => [`${name}Audio`, `${name}Visual`];

function encoderOutline({ batch, model }: EncoderCase): (Quantity | Table)[] {
  const features = (pass: string): Quantity[] => [
    ...quantities([pass], [batch, 8], 'forward', ['first8']),
    ...quantities([pass], [batch], 'forward', ['l2', 'proj']),
  ];
  return [
    ...features('evalBefore'),
    ...features('train'),
    ...quantities(['train'], [], 'forward', ['objective']),
    buffers(model.tensors, 'forward'),
    {
      path: ['gradients'],
      columns: ['l2', 'e0', 'e1', 'e2', 'proj'],
      deviations: ['value'],
      rows: model.tensors.filter(({ name }) => !isRunningStatistic(name)),
      origin: 'gradient',
    },
    ...features('evalAfter'),
  ];
}

const buffers = (tensors: readonly TorchTensor[], origin: Origin): Table => ({
  path: ['buffers'],
  columns: ['l2', 'proj'],
  deviations: ['value'],
  rows: tensors.filter(({ name }) => isRunningStatistic(name)),
  origin,
});

/** The groups of parameters whose gradients' norms are compared. */
export const convolutionGroups = modalities.map((modality) => `${modality}.conv`);
export const parameterGroups = [
  ...modalities.flatMap((modality) => [`${modality}.conv`, `${modality}.norm`]),
  'fusion',
];

function trainOutline(parityCase: TrainCase): (Quantity | Table)[] {
  const { batch, classes, steps, method, student } = parityCase;
  const stepOutline = (t: number): Quantity[] => {
    const step = ['steps', t];
    // From the second step on, the weights are results of gradients. The teachers' never are.
    const origin: Origin = t === 0 ? 'forward' : 'gradient';
    const inWindow = actsIn(parityCase, t);
    return [
      ...quantities(step, [], origin, [...both('lossUnimodal'), 'lossCe']),
      ...(method === 'g2d'
        ? quantities(step, [], origin, [...both('lossLogit'), ...both('lossFeature')])
        : []),
      ...quantities(step, [], origin, ['lossTotal']),
      ...quantities(step, [batch, classes], origin, ['logitsFused', ...both('logits')]),
      ...quantities(step, [batch], origin, both('featureL2')),
      ...quantities(step, [], origin, both('score')),
      ...(method === 'joint' ? [] : quantities(step, 'boolean', 'forward', ['inWindow'])),
      ...(method === 'g2d'
        ? [
            ...quantities(step, [], 'forward', [...both('teacherScore'), ...both('rho')]),
            ...quantities(step, 'word', 'forward', ['strongest', 'suppressed']),
            ...quantities(step, [batch, classes], 'forward', t === 0 ? both('teacherLogits') : []),
          ]
        : []),
      ...(method === 'ogm' || method === 'ogm-ge'
        ? quantities(step, [], origin, ['ratioVisual', ...both('coeff')])
        : []),
      ...quantities([...step, 'gradNormBefore'], [], 'gradient', parameterGroups),
      ...(method === 'ogm-ge' && inWindow
        ? quantities([...step, 'noiseNorm'], [], 'gradient', convolutionGroups)
        : []),
      ...quantities([...step, 'gradNormAfter'], [], 'gradient', parameterGroups),
    ];
  };
  return [
    ...steps.flatMap((_, t) => stepOutline(t)),
    {
      path: ['parameters'],
      columns: ['grad0L2', 'grad0Proj', 'sum', 'l2', 'deltaL2', 'deltaProj', 'momentumL2', 'momentumProj'],
      deviations: ['grad0', 'delta', 'momentum'],
      rows: student.tensors.filter(({ name }) => !isRunningStatistic(name)),
      origin: 'gradient',
    },
    // The running statistics of a single step were computed before its gradients.
    buffers(student.tensors, steps.length === 1 ? 'forward' : 'gradient'),
    ...quantities(['evalAfter'], [], 'gradient', ['lossCe', ...both('lossUnimodal')]),
    ...quantities(['evalAfter'], [batch, classes], 'gradient', ['logitsFused', ...both('logits')]),
  ];
}

/** Whether the method acts in a step: its epoch is in the window, whose ends are both inside. */
export function actsIn({ steps, ogm, g2d }: TrainCase, t: number): boolean {
  const window = ogm?.window ?? g2d?.window;
  const epoch = steps[t]?.epoch as number;
  return window !== undefined && epoch >= window[0] && epoch <= window[1];
}

function lossesOutline({ tables }: LossesCase): Quantity[] {
  // No network, so no ReLU whose input could cross zero: gradients have to agree too.
  const term = (path: readonly (string | number)[], size: number): Quantity[] => [
    ...quantities(path, [], 'forward', ['value', 'gradL2', 'gradProj']),
    ...quantities(path, [Math.min(6, size)], 'forward', ['gradFirst6']),
  ];
  const ogm = (path: readonly (string | number)[]): Quantity[] => [
    ...quantities(path, 'setting', 'forward', ['alpha']),
    ...quantities(path, [], 'forward', ['ratioVisual', ...both('coeff')]),
  ];
  return tables.flatMap(({ batch, classes, features, temperatures, ogmAlphas }, i) => {
    const table = ['tables', i];
    return [
      ...term([...table, 'ce'], batch * classes),
      ...quantities(table, [batch], 'forward', ['cePerSample']),
      ...temperatures.flatMap((_, j) => [
        ...quantities([...table, 'distill', j], 'setting', 'forward', ['temperature']),
        ...modalities.flatMap((modality) => term([...table, 'distill', j, modality], batch * classes)),
      ]),
      ...term([...table, 'feature'], batch * features),
      ...quantities(table, [], 'forward', [...both('score'), ...both('rho')]),
      ...quantities(table, 'word', 'forward', ['strongest']),
      ...ogmAlphas.flatMap((_, j) => ogm([...table, 'ogm', j])),
    ];
  });
}
