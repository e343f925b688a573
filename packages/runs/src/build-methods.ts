import { existsSync } from 'node:fs';
import type { MultimodalDataset } from '@g2d/core';
import { OptionError } from '@g2d/core';
import { type FrozenTeachers, type Method, teacherConfidence } from '@g2d/trainer';
import { assertMethod } from '@g2d/trainer/internal';
import {
  g2dDistillation,
  linearProbe,
  mla,
  mmPareto,
  modalityPrioritization,
  mses,
  ogm,
  ogmGe,
  ume,
  umt,
  type MsesOptions,
  type OgmGeOptions,
  type OgmOptions,
  type PrioritizationOptions,
} from '@g2d/methods';
import type { RunConfig } from './config-schema.js';
import { callModule } from './import-module.js';
import { targetVariance } from './open-data.js';

type AnyMethod = Method<string>;

/** Names for stacks of methods. */
const STACKS: Readonly<Record<string, readonly string[]>> = { joint: [], g2d: ['g2d-loss', 'smp'] };

/** Methods of `@g2d/methods`. */
const KNOWN = [
  'g2d-loss',
  'smp',
  'umt',
  'ume',
  'ogm',
  'ogm-ge',
  'mla',
  'mm-pareto',
  'mses',
  'linear-probe',
] as const;
type Known = (typeof KNOWN)[number];

/** What can stand in `method`, beside paths of modules. */
export const METHOD_NAMES: readonly string[] = [...Object.keys(STACKS), ...KNOWN];

const isModule = (name: string): boolean => /^[./]|\.[cm]?[jt]s$/.test(name);

/**
 * The methods of a stack: `'g2d'` is `['g2d-loss', 'smp']`, `'umt+smp'` is `['umt', 'smp']`.
 *
 * @throws {OptionError} If one is not known.
 */
export function methodNames(stack: string): readonly string[] {
  return stack.split('+').flatMap((name) => {
    const names = Object.hasOwn(STACKS, name) ? STACKS[name] : undefined;
    if (names) return names;
    if (isModule(name) || KNOWN.includes(name as Known)) return [name];
    throw new OptionError(
      `There is no method "${name}"; "method" can be ${METHOD_NAMES.join(', ')}, the path of a module such as ./mine.js, or several joined by "+".`,
      { option: 'method', value: name, accepted: METHOD_NAMES.join(', ') },
    );
  });
}

/**
 * @throws {OptionError} If there are options for a method that is none: neither known, nor an existing module, nor one of the run's.
 */
export function assertMethodOptions({ method, methodOptions }: RunConfig): void {
  const own = methodNames(method);
  for (const name of Object.keys(methodOptions)) {
    if (own.includes(name) || KNOWN.includes(name as Known) || (isModule(name) && existsSync(name))) continue;
    throw new OptionError(
      `"methodOptions" has "${name}", which is no method. Its keys are names of methods (${KNOWN.join(', ')}), or paths of modules as they stand in "method".`,
      { option: `methodOptions.${name}`, value: name, accepted: KNOWN.join(', ') },
    );
  }
}

/** What options cannot say. */
interface MethodContext {
  readonly data: { readonly train: MultimodalDataset<string> };
  /** Asked for only if a method needs them before the training. */
  readonly teachers: () => Promise<FrozenTeachers<string>>;
}

/**
 * Makes the methods of a run.
 *
 * @throws {OptionError} If a method is not known, or an option is missing.
 */
export async function buildMethods(config: RunConfig, context: MethodContext): Promise<readonly AnyMethod[]> {
  const methods: AnyMethod[] = [];
  for (const name of methodNames(config.method)) methods.push(await buildMethod(name, config, context));
  return methods;
}

/** The options of a run's methods, without those of methods that it lacks. */
export function usedMethodOptions({ method, methodOptions }: RunConfig): RunConfig['methodOptions'] {
  const names = methodNames(method);
  const used = Object.entries(methodOptions).filter(([name]) => names.includes(name));
  return Object.fromEntries(used) as RunConfig['methodOptions'];
}

async function buildMethod(name: string, config: RunConfig, context: MethodContext): Promise<AnyMethod> {
  const options = (config.methodOptions[name] ?? {}) as Readonly<Record<string, unknown>>;
  if (isModule(name)) {
    const method = await callModule<AnyMethod>(name, 'a method', options);
    assertMethod(method, name);
    return method;
  }
  switch (name as Known) {
    case 'g2d-loss':
      return g2dDistillation(options);
    case 'umt':
      return umt(options);
    case 'ume':
      return ume(options);
    case 'smp':
      return modalityPrioritization(await prioritization(options, config, context));
    case 'ogm':
      return ogm(options as unknown as OgmOptions);
    case 'ogm-ge':
      return ogmGe(options as unknown as OgmGeOptions);
    case 'mla':
      return mla(options);
    case 'mm-pareto':
      return mmPareto(options);
    case 'mses':
      return mses(options as unknown as MsesOptions);
    case 'linear-probe':
      return linearProbe(options);
  }
}

/** The options of SMP, with what only the data and the teachers know. */
async function prioritization(
  { ranking, ...options }: Readonly<Record<string, unknown>>,
  { method }: RunConfig,
  { data: { train }, teachers }: MethodContext,
): Promise<PrioritizationOptions> {
  const { phaseEpochs } = options;
  if (phaseEpochs === undefined) {
    throw new OptionError(
      `The method "${method}" needs "methodOptions.smp.phaseEpochs": how many epochs each phase takes, one for each modality, the last of them the joint phase, for example [150, 150].`,
      {
        option: 'methodOptions.smp.phaseEpochs',
        value: phaseEpochs,
        accepted: 'a list of numbers of epochs',
      },
    );
  }
  const variance = train.task === 'regression' ? await targetVariance(train) : undefined;
  const own = {
    ...(options as unknown as PrioritizationOptions),
    ...(variance !== undefined && { targetVariance: variance }),
  };
  if (ranking === undefined) return own;
  if (ranking !== 'dataset')
    return { ...own, ranking: ranking as NonNullable<PrioritizationOptions['ranking']> };
  const confidence = await teacherConfidence(
    await teachers(),
    train,
    variance === undefined ? {} : { targetVariance: variance },
  );
  return { ...own, ranking: { dataset: confidence } };
}
