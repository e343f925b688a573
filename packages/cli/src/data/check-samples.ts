import {
  G2DError,
  labelProblem,
  type AnyDataset,
  type DatasetCheck,
  type Label,
  type MultimodalDataset,
  type Split,
} from '@g2d/core';

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];

/**
 * The check of a dataset that has none of its own: every sample of every split is read.
 *
 * @param folder Where it lies; empty if that is not known.
 */
export const samplesCheck =
  ({ label, make }: AnyDataset, folder: string): NonNullable<AnyDataset['check']> =>
  async (options, onProgress): Promise<DatasetCheck> => {
    const problems = new Map<string, string[]>();
    const report = (reason: string, id: string): void => {
      problems.set(reason, [...(problems.get(reason) ?? []), id]);
    };
    const found: Record<string, number> = {};
    const splitOf = new Map<string, Split>();
    for (const [index, split] of SPLITS.entries()) {
      const dataset = await open(make, split, options);
      if (!dataset) continue;
      found[split] = dataset.size;
      for (const id of dataset.ids) {
        const earlier = splitOf.get(id);
        if (earlier !== undefined) report(earlier === split ? 'id that comes twice' : 'id in two splits', id);
        splitOf.set(id, split);
      }
      const counts = countsOf(dataset);
      try {
        for (let i = 0; i < dataset.size; i++) {
          const problem = await problemOf(dataset, i, counts.add);
          if (problem) report(problem.reason, problem.id);
          onProgress?.((index + (i + 1) / dataset.size) / SPLITS.length);
        }
      } finally {
        await dataset.close();
      }
      for (const [name, count] of counts.found) found[`${split}, ${name}`] = count;
    }
    return {
      dataset: label,
      folder,
      licence: '',
      howToGet: '',
      expected: {},
      found,
      problems: Array.from(problems, ([reason, ids]) => ({ reason, ids })),
      asPublished: problems.size === 0,
    };
  };

/** A dataset may have no validation split. */
async function open(
  make: AnyDataset['make'],
  split: Split,
  options: unknown,
): Promise<MultimodalDataset<string> | undefined> {
  try {
    return await make(split, options);
  } catch (error) {
    if (split === 'validation' && G2DError.isInstance(error) && error.code === 'G2D_OPTION') return undefined;
    throw error;
  }
}

/**
 * How many samples of a multi-label split have each class, and how many have none: what the size of a split does not tell where a sample has any
 * number of them.
 */
function countsOf({ task, classNames }: MultimodalDataset<string>): {
  readonly found: ReadonlyMap<string, number>;
  add(label: Label): void;
} {
  const found = new Map<string, number>();
  if (task !== 'multi-label') return { found, add: () => {} };
  const nameOf = (id: number): string => `class ${classNames[id]}`;
  for (const id of classNames.keys()) found.set(nameOf(id), 0);
  found.set('no class', 0);
  const count = (name: string): void => void found.set(name, (found.get(name) ?? 0) + 1);
  return {
    found,
    add(label) {
      const ids = label as readonly number[];
      ids.forEach((id) => count(nameOf(id)));
      if (ids.length === 0) count('no class');
    },
  };
}

async function problemOf(
  dataset: MultimodalDataset<string>,
  index: number,
  onLabel: (label: Label) => void,
): Promise<{ readonly reason: string; readonly id: string } | undefined> {
  const { ids, task, classNames, shapes } = dataset;
  const id = ids[index] as string;
  try {
    const { label, inputs, present } = await dataset.sample(index);
    const problem = labelProblem(label, { task, classNames });
    if (problem !== undefined) return { reason: 'label that is none of the task', id: `${id}: ${problem}` };
    onLabel(label);
    for (const [modality, shape] of Object.entries(shapes)) {
      const values = inputs[modality];
      if (present?.[modality] === false) continue;
      const unit = shape.reduce<number>((product, axis) => product * (axis ?? 1), 1);
      const isFree = shape.includes(null);
      const fits =
        values && values.length > 0 && (isFree ? values.length % unit === 0 : values.length === unit);
      if (!fits) return { reason: `${modality} that is not of the shape [${shape.join(', ')}]`, id };
      if (!values.every((value) => Number.isFinite(value)))
        return { reason: `${modality} with NaN or infinity`, id };
    }
    return undefined;
  } catch (error) {
    return { reason: 'sample that cannot be read', id: `${id}: ${(error as Error).message}` };
  }
}
