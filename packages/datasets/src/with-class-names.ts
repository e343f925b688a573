import { OptionError } from '@g2d/core';
import type { Label, MultimodalDataset } from '@g2d/core';
import { descriptionOf } from './pipeline/description.js';

/**
 * A dataset whose class ids are those of another list of names: for a model that was trained with this list, on data whose classes
 * stand in another order or are fewer.
 *
 * @param dataset A classification or a multi-label dataset. It is closed with the wrapper.
 * @param options `classNames`: the classes by id. Classes that the dataset lacks may be among them.
 * @throws {OptionError} If the dataset has a class that is not in the list.
 * @example
 * const test = withClassNames(await vggSound({ root, split: 'test' }), { classNames: train.classNames });
 */
export function withClassNames<M extends string>(
  dataset: MultimodalDataset<M>,
  { classNames }: { readonly classNames: readonly string[] },
): MultimodalDataset<M> {
  const { name, split, source, labels } = dataset;
  const ids = dataset.classNames.map((own) => {
    const id = classNames.indexOf(own);
    if (id !== -1) return id;
    throw new OptionError(
      `${name} (${split}) has the class ${JSON.stringify(own)}, which is none of the ${classNames.length} that are asked for: ${classNames.map((each) => JSON.stringify(each)).join(', ')}.`,
      { option: 'classNames', value: own, accepted: classNames.join(', ') },
    );
  });
  const idOf = (label: number): number => ids[label] ?? label;
  const mapped = (label: Label): Label => (typeof label === 'number' ? idOf(label) : label.map(idOf));
  return {
    ...descriptionOf(dataset),
    classNames: [...classNames],
    ...(labels && { labels: Array.from(labels, mapped) }),
    ...(source && {
      source: { module: '@g2d/datasets', name: 'withClassNames', options: { inner: source, classNames } },
    }),
    async sample(index, options) {
      const sample = await dataset.sample(index, options);
      return { ...sample, label: mapped(sample.label) };
    },
    ...(dataset.files && { files: dataset.files.bind(dataset) }),
    close: () => dataset.close(),
  };
}
