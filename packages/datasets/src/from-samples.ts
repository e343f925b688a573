import {
  FileFormatError,
  labelProblem,
  OptionError,
  perModality,
  TASKS,
  UnknownModalityError,
  shown,
  assertModalityNames,
  checkKeys,
} from '@g2d/core';
import type {
  DatasetSource,
  Label,
  MultimodalDataset,
  Sample,
  SampleOptions,
  Split,
  Task,
  Preprocessing,
} from '@g2d/core';
import { flatInput, inferShapes, type Values } from './pipeline/nested-values.js';
import { unitLength, written, type SampleShape } from './pipeline/shapes.js';
import { assertSampleIndex } from './sample-index.js';

/** One example of your own. */
export interface OwnSample<M extends string> {
  /** Default: `<name>/<split>/<index>`. */
  readonly id?: string;
  /**
   * Class id in [0, C), or the target of a regression; of a multi-label sample the ids of its classes, `[]` if it has none. A bigint, as tables
   * of Python's int64 hold, is a number.
   */
  readonly label: number | bigint | readonly (number | bigint)[];
  /** What the sample has; a modality that is not there, or `null`, is missing. */
  readonly inputs: Readonly<Partial<Record<M, Values | null>>>;
}

/**
 * Reads one example: the inputs of `modalities`, with a random stream per modality where training augmentation is wanted. A
 * modality that the sample lacks is `null`, also where it was not asked for.
 */
export type OwnRead<M extends string> = (
  id: string,
  options: { readonly index: number } & Required<Pick<SampleOptions<M>, 'modalities'>> &
    Pick<SampleOptions<M>, 'random'>,
) => Omit<OwnSample<M>, 'id'> | Promise<Omit<OwnSample<M>, 'id'>>;

interface Common {
  readonly name: string;
  readonly split: Split;
  /** By class id. Left out for a regression. */
  readonly classNames?: readonly string[];
  /** Default `'classification'`. */
  readonly task?: Task;
  /** What was done to the inputs, by modality; goes with an exported model. */
  readonly preprocessing?: Readonly<Record<string, Preprocessing>>;
  /** NaN and ±infinity in an input: `'refuse'` (default) is an error that names the place, `'zero'` makes them 0. */
  readonly nonFinite?: 'refuse' | 'zero';
}

/** Examples in memory, or a function that reads one when it is asked for. */
export type FromSamplesOptions<M extends string> = Common &
  (
    | {
        readonly samples: readonly OwnSample<M>[];
        /**
         * Shape per modality, channels last; `null` for a first axis of free length. Default: as the inputs are nested; where
         * their lengths differ in the first axis only, it is free.
         */
        readonly shapes?: Readonly<Record<M, SampleShape>>;
      }
    | {
        readonly ids: readonly string[];
        readonly shapes: Readonly<Record<M, SampleShape>>;
        readonly read: OwnRead<M>;
        /** The modalities that samples may lack. Default: none. */
        readonly incomplete?: readonly M[];
        /** The modalities that `read` changes with `random`. Default: none. */
        readonly augmented?: readonly M[];
        /** The labels, by index, where they are known without reading; `read` must give the same. */
        readonly labels?: readonly Label[];
        /** The files that `read` reads of a sample, so that a cache sees that one was replaced. */
        readonly files?: (id: string, modality: M) => readonly string[];
        /** How a worker thread makes this dataset again. Default: it cannot. */
        readonly source?: DatasetSource;
      }
  );

/**
 * A dataset from data of your own: any number of modalities of any shape, in memory or read when asked for.
 *
 * Samples in memory are checked at once, others when they are read. For workers, put the function that makes the dataset into
 * a module of its own (not the one that trains: a worker imports it) and name it in `source`.
 *
 * @throws {OptionError} If names, labels, ids or shapes do not fit; the message names the sample.
 * @throws {FileFormatError} By `sample()`, if `read` gives something that does not fit.
 * @example
 * const train = fromSamples({
 *   name: 'leaves',
 *   split: 'train',
 *   classNames: ['healthy', 'ill'],
 *   samples: [
 *     { label: 0, inputs: { photo: [[0, 1], [1, 0]], weather: [21.5, 0.4, 3] } },
 *     { label: 1, inputs: { photo: [[1, 1], [0, 0]], weather: [19.0, 0.9, 7] } },
 *   ],
 * });
 * train.shapes; // { photo: [2, 2], weather: [3] }
 * @example
 * // In a module of its own, leaves.js; `workers: 4` reads it in four threads then.
 * export const leaves = ({ folder, split }) =>
 *   fromSamples({
 *     name: 'leaves', split, classNames, shapes: { photo: [224, 224, 3], sound: [null, 64] },
 *     ids: readdirSync(join(folder, split)),
 *     read: async (id) => ({ label: labelOf(id), inputs: await decode(join(folder, split, id)) }),
 *     source: { module: import.meta.url, name: 'leaves', options: { folder, split } },
 *   });
 */
export function fromSamples<M extends string>(options: FromSamplesOptions<M>): MultimodalDataset<M> {
  checkKeys(
    options,
    {
      name: true,
      split: true,
      classNames: true,
      task: true,
      nonFinite: true,
      samples: true,
      shapes: true,
      ids: true,
      read: true,
      incomplete: true,
      augmented: true,
      preprocessing: true,
      files: true,
      labels: true,
      source: true,
    },
    'fromSamples',
  );
  const { name, split, task = 'classification', classNames = [], nonFinite = 'refuse' } = options;
  checkCommon(options);
  const refuse = (problem: string): OptionError =>
    new OptionError(`${name} (${split}): ${problem}`, {
      option: 'samples',
      value: name,
      accepted: 'see the message',
    });
  const stored = 'samples' in options ? options.samples : undefined;
  const ids = stored
    ? stored.map(({ id }, i) => id ?? `${name}/${split}/${i}`)
    : [...(options as { readonly ids: readonly string[] }).ids];
  const duplicate = firstDuplicate(ids);
  if (duplicate !== undefined)
    throw refuse(`the id "${duplicate}" comes twice; each sample needs one of its own.`);

  const shapes =
    options.shapes ??
    inferShapes(
      (stored ?? []).map(({ inputs }, i) => ({ id: ids[i] as string, inputs })),
      refuse,
    );
  checkShapes(shapes, refuse);
  const modalities = Object.keys(shapes) as M[];
  assertModalityNames(modalities, `The dataset ${name}`);
  const size = ids.length;

  /** Checked for what is read later; what is in memory shows what it lacks. */
  const incomplete = 'read' in options ? (options.incomplete ?? []) : undefined;
  /** A sample as the dataset gives it, or what is wrong with it. */
  const checked = (
    id: string,
    { label: written, inputs }: Omit<OwnSample<M>, 'id'>,
    wanted: readonly M[],
    fail: (problem: string) => Error,
  ): Sample<M> => {
    const label = labelOf(written);
    const problem = labelProblem(label, { task, classNames });
    if (problem !== undefined) throw fail(`sample "${id}" ${problem}`);
    for (const modality of Object.keys(inputs)) {
      if (!modalities.includes(modality as M)) {
        throw new UnknownModalityError({ modality, known: modalities, where: `Sample "${id}" of ${name}` });
      }
    }
    const present = perModality(
      modalities,
      (modality) =>
        inputs[modality] !== null && !(wanted.includes(modality) && inputs[modality] === undefined),
    );
    for (const modality of modalities) {
      if (!present[modality] && incomplete && !incomplete.includes(modality)) {
        throw fail(`sample "${id}" lacks ${modality}, which \`incomplete\` does not name.`);
      }
    }
    return {
      id,
      label,
      inputs: perModality(wanted, (modality) => {
        const values = inputs[modality] ?? null;
        const shape = shapes[modality];
        if (values === null) return new Float32Array(unitLength(shape));
        return flatInput(values, shape, nonFinite, (problem) =>
          fail(`sample "${id}", ${modality}: ${problem}`),
        );
      }),
      ...(!Object.values(present).every(Boolean) && { present }),
    };
  };

  const { preprocessing } = options;
  for (const modality of Object.keys(preprocessing ?? {})) {
    if (modalities.includes(modality as M)) continue;
    throw new UnknownModalityError({ modality, known: modalities, where: `\`preprocessing\` of ${name}` });
  }
  const described = {
    name,
    split,
    task,
    modalities,
    shapes,
    classNames: [...classNames],
    ids,
    size,
    ...(preprocessing && { preprocessing: preprocessing as Readonly<Partial<Record<M, Preprocessing>>> }),
  };
  if (stored) {
    let samples = stored.map((sample, i) => checked(ids[i] as string, sample, modalities, refuse));
    const lacking = modalities.filter((modality) =>
      samples.some(({ present }) => present?.[modality] === false),
    );
    return {
      ...described,
      labels: samples.map(({ label }) => label),
      ...(lacking.length > 0 && { incomplete: lacking }),
      async sample(index, { modalities: wanted = modalities } = {}) {
        assertSampleIndex(index, { split, size: samples.length });
        const sample = samples[index] as Sample<M>;
        return { ...sample, inputs: perModality(wanted, (modality) => sample.inputs[modality].slice()) };
      },
      close() {
        samples = [];
      },
    };
  }

  const { read, source, augmented, labels, files } = options as Extract<
    FromSamplesOptions<M>,
    { readonly read: OwnRead<M> }
  >;
  const failed = (problem: string): FileFormatError => new FileFormatError(`${name} (${split})`, problem);
  return {
    ...described,
    ...(incomplete && incomplete.length > 0 && { incomplete }),
    ...(augmented && { augmented }),
    ...(source && { source }),
    ...(labels && { labels: checkedLabels(labels, described, refuse) }),
    ...(files && { files: (index: number, modality: M) => files(ids[index] as string, modality) }),
    async sample(index, { modalities: wanted = modalities, random } = {}) {
      assertSampleIndex(index, { split, size });
      const id = ids[index] as string;
      const sample = await read(id, { index, modalities: wanted, ...(random && { random }) });
      return checked(id, sample, wanted, failed);
    },
    close() {},
  };
}

function checkCommon({
  name,
  split,
  task = 'classification',
  classNames,
  ...options
}: Common & object): void {
  const fail = (option: string, value: unknown, accepted: string): OptionError =>
    new OptionError(`\`${option}\` is ${shown(value)}; it must be ${accepted}.`, {
      option,
      value,
      accepted,
    });
  if (typeof name !== 'string' || name === '') throw fail('name', name, 'a name');
  if (!['train', 'validation', 'test'].includes(split)) {
    throw fail('split', split, "'train', 'validation' or 'test'");
  }
  if (!TASKS.includes(task)) throw fail('task', task, TASKS.map((each) => `'${each}'`).join(' or '));
  if (!['refuse', 'zero', undefined].includes(options.nonFinite)) {
    throw fail('nonFinite', options.nonFinite, "'refuse' or 'zero'");
  }
  const classes = classNames ?? [];
  if (task !== 'regression' && classes.length === 0) {
    throw fail('classNames', classes, "the classes' names by id (or give `task: 'regression'`)");
  }
  if (task === 'regression' && classes.length > 0)
    throw fail('classNames', classes, 'left out for a regression');
  const duplicate = firstDuplicate(classes);
  if (duplicate !== undefined) throw fail('classNames', classes, `distinct: "${duplicate}" comes twice`);
}

function checkedLabels(
  labels: readonly Label[],
  { ids, ...data }: Pick<MultimodalDataset<string>, 'ids' | 'task' | 'classNames'>,
  refuse: (problem: string) => Error,
): readonly Label[] {
  if (labels.length !== ids.length)
    throw refuse(`\`labels\` has ${labels.length} entries for ${ids.length} ids; give one for each.`);
  labels.forEach((label, i) => {
    const problem = labelProblem(label, data);
    if (problem !== undefined) throw refuse(`sample "${ids[i]}" ${problem}`);
  });
  return [...labels];
}

function firstDuplicate(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

/** With numbers for bigints. */
function labelOf(label: OwnSample<string>['label']): Label {
  const numberOf = (value: number | bigint): number => (typeof value === 'bigint' ? Number(value) : value);
  return Array.isArray(label) ? label.map(numberOf) : numberOf(label as number | bigint);
}

function checkShapes(
  shapes: Readonly<Record<string, SampleShape>>,
  refuse: (problem: string) => Error,
): void {
  if (Object.keys(shapes).length === 0) throw refuse('there is no modality.');
  for (const [modality, shape] of Object.entries(shapes)) {
    const whole = shape.every((axis, i) =>
      axis === null ? i === 0 : Number.isSafeInteger(axis) && axis > 0,
    );
    if (shape.length === 0 || !whole) {
      throw refuse(
        `${modality} has the shape ${written(shape)}; expected whole numbers of at least 1, and null for a first axis of free length.`,
      );
    }
  }
}
