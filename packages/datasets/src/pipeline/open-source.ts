import { OptionError } from '@g2d/core';
import type { DatasetSource, MultimodalDataset } from '@g2d/core';
import { ownDatasets, ownWrappers } from './own-datasets.js';

/** This package in a `DatasetSource`: its datasets are found without importing its index, and TensorFlow.js with it. */
const OWN = '@g2d/datasets';

/**
 * Opens a dataset again in another thread.
 *
 * @throws {OptionError} If the module has no such function or it gives no dataset; what opening throws comes as it is.
 */
export async function openSource({
  module,
  name,
  options,
}: DatasetSource): Promise<MultimodalDataset<string>> {
  if (module === OWN && Object.hasOwn(ownWrappers, name)) {
    const { inner, ...rest } = options as { readonly inner: DatasetSource };
    return (ownWrappers[name] as (typeof ownWrappers)[string])(await openSource(inner), rest as never);
  }
  const exported: Readonly<Record<string, unknown>> =
    module === OWN ? ownDatasets : await importModule(module);
  const open = Object.hasOwn(exported, name) ? exported[name] : undefined;
  const fail = (problem: string): OptionError =>
    new OptionError(
      `${problem} \`source\` names an ES module and its exported function that takes \`options\` and gives the dataset.`,
      { option: 'source', value: { module, name }, accepted: 'a module and a function it exports' },
    );
  if (typeof open !== 'function') throw fail(`${module} has no function "${name}".`);
  const dataset = (await (open as (options: unknown) => unknown)(options)) as
    Partial<MultimodalDataset<string>> | undefined;
  if (typeof dataset?.sample !== 'function') throw fail(`"${name}" of ${module} gave no dataset.`);
  return dataset as MultimodalDataset<string>;
}

/** Node 20 does not hand `--import tsx` on to workers, so a module in TypeScript asks for it here, if it is installed. */
async function importModule(module: string): Promise<Readonly<Record<string, unknown>>> {
  if (/\.[cm]?tsx?$/.test(module))
    await import('tsx/esm/api').then(({ register }) => register()).catch(() => {});
  return (await import(module)) as Record<string, unknown>;
}
