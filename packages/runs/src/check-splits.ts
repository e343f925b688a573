import { OptionError, shown, TASKS, taskWords, type MultimodalDataset, type Split } from '@g2d/core';
import { classDifference } from '@g2d/core/run-folder';

type Splits = Partial<Readonly<Record<Split, MultimodalDataset<string>>>>;

/**
 * Checks that splits are of one kind, before anything is read of them.
 *
 * @returns What can be meant, but hardly is: samples that two splits share. Some published protocols have such.
 * @throws {OptionError} If there is no such task, if two splits have other classes, another order of them, another task, or other modalities or shapes, or an id
 * comes twice in one of them: everything that is kept by sample is found by its id.
 */
export function checkSplits(splits: Splits): readonly string[] {
  const entries = Object.entries(splits) as [Split, MultimodalDataset<string>][];
  for (const [split, { name, ids }] of entries) {
    const twice = firstTwice(ids);
    if (twice === undefined) continue;
    throw refused(
      `The ${split} split of ${name} has the id ${JSON.stringify(twice)} twice. Give each sample an id of its own.`,
      twice,
      'ids that differ',
    );
  }
  for (const [split, dataset] of entries) assertTask(split, dataset);
  const [[first, one], ...others] = entries as [(typeof entries)[number], ...typeof entries];
  for (const [split, other] of others) assertAlike([first, one], [split, other]);
  return entries.flatMap(([split, { ids, name }], at) => {
    const own = new Set(ids);
    return entries.slice(at + 1).flatMap(([second, other]) => {
      const shared = other.ids.filter((id) => own.has(id));
      if (shared.length === 0) return [];
      const shown = shared.slice(0, 3).map((id) => JSON.stringify(id));
      return [
        `The ${split} and the ${second} split of ${name} share ${shared.length} of ${other.size} ${second} samples by their ids (${shown.join(', ')}${shared.length > 3 ? ', …' : ''}): what is measured on them is not of new samples.`,
      ];
    });
  });
}

/** @throws {OptionError} If it is none, or lacks the classes that it needs. */
function assertTask(split: Split, { name, task, classNames }: MultimodalDataset<string>): void {
  const tasks = TASKS.map((each) => `"${each}"`).join(', ');
  if (!TASKS.includes(task)) {
    throw refused(
      `The ${split} split of ${name} has the task ${shown(task)}; it is one of ${tasks}.`,
      task,
      tasks,
    );
  }
  if (task === 'regression' || classNames.length > 0) return;
  throw refused(
    `The ${split} split of ${name} is a ${taskWords(task)} without \`classNames\`. Give the names of the classes, by id.`,
    classNames,
    'the names of the classes',
  );
}

function assertAlike(
  [first, one]: readonly [Split, MultimodalDataset<string>],
  [split, other]: readonly [Split, MultimodalDataset<string>],
): void {
  const classes = classDifference(one.classNames, other.classNames);
  if (classes) {
    throw refused(
      `The ${split} split of ${other.name} has the classes ${classes.now}, and the ${first} split has ${classes.before}: the same class ids would be other classes. Make all splits with one list of classes, that of the training.`,
      other.classNames,
      one.classNames.join(', '),
    );
  }
  const parts = { task: 'the task', modalities: 'the modalities', shapes: 'samples of the shapes' } as const;
  for (const [part, words] of Object.entries(parts) as [keyof typeof parts, string][]) {
    const [found, needed] = [JSON.stringify(sorted(other[part])), JSON.stringify(sorted(one[part]))];
    if (found === needed) continue;
    throw refused(
      `The ${split} split of ${other.name} has ${words} ${found}, and the ${first} split has ${needed}. Make all splits alike.`,
      other[part],
      needed,
    );
  }
}

/** In whatever order modalities stand. */
const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Array.isArray(value)
      ? value.toSorted()
      : Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    : value;

function firstTwice(ids: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return ids.find((id) => seen.size === seen.add(id).size);
}

const refused = (problem: string, value: unknown, accepted: string): OptionError =>
  new OptionError(problem, { option: 'dataset', value, accepted });
