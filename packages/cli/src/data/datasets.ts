import { checkOptions, type AnyDataset, type Split } from '@g2d/core';
import { datasets } from '@g2d/datasets';
import { findComponent } from '../components/find-component.js';

/** Names of the datasets, for help. */
export const DATASET_NAMES = datasets.map(({ name }) => name).join(', ');

/**
 * A dataset by its name, or a user's own by its module.
 *
 * @throws {OptionError} If there is none.
 */
export const findDataset = (name: string | undefined): Promise<AnyDataset> =>
  findComponent(name, { noun: 'dataset', kinds: ['dataset'], components: datasets });

/** What the command line says about how a dataset is opened. */
interface GivenOptions {
  readonly root: string;
  readonly split: Split;
  /** By the rules of the reference; of datasets that have others. */
  readonly official: boolean;
  /** Of `--set`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * The options of a dataset, with their defaults.
 *
 * @throws {OptionError} If one is wrong.
 */
export function datasetOptions(
  { name, options }: AnyDataset,
  { root, official, settings }: Omit<GivenOptions, 'split'>,
): Readonly<Record<string, unknown>> {
  const rules = official && 'official' in options.shape;
  return checkOptions(options, { root, ...(rules && { official }), ...settings }, name);
}
