import { checkOptions, OptionError, type AnyDataset, type Split } from '@g2d/core';
import { datasets } from '@g2d/datasets';
import { findDataset as findConfigured } from '@g2d/runs/internal';
import { z } from 'zod';
import type { Output } from '../command.js';
import { findComponent } from '../components/find-component.js';
import { required } from './arguments.js';

/** Names of the datasets, for help. */
export const DATASET_NAMES = `${datasets.map(({ name }) => name).join(', ')}, or the path of a module of your own, whose folder may be left out`;

/**
 * A dataset by its name, or a user's own by its module.
 *
 * @param err Told what of the options the module does not read.
 * @throws {OptionError} If there is none.
 */
export const findDataset = (name: string | undefined, { err }: Pick<Output, 'err'>): Promise<AnyDataset> =>
  findComponent(name, {
    noun: 'dataset',
    kinds: ['dataset'],
    components: datasets,
    other: (exported, path) => ofFunction(exported, path, err),
  });

/** What is known of a dataset that a module's function makes, as runs take it too: its options are whatever the function takes. */
function ofFunction(exported: unknown, path: string, err: Output['err']): AnyDataset | undefined {
  if (typeof exported !== 'function') return undefined;
  const said = new Set<string>();
  return {
    kind: 'dataset',
    name: path,
    label: path,
    summary: 'a module of your own',
    task: 'classification',
    modalities: [],
    options: z.looseObject({ root: z.string().optional() }),
    make: async (split, options) => {
      const { make, unread } = await findConfigured({ name: 'module', path, options: options as never });
      const made = await make({ split });
      for (const line of unread()) {
        if (!said.has(line)) err(`${line}\n`);
        said.add(line);
      }
      return made;
    },
  };
}

/** What the command line says about how a dataset is opened. */
interface GivenOptions {
  /** The folder; empty if there is none. */
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
  { name, label, options }: AnyDataset,
  { root, official, settings }: Omit<GivenOptions, 'split'>,
): Readonly<Record<string, unknown>> {
  const own: z.ZodType | undefined = options.shape['root'];
  if (root !== '' && !own) {
    throw new OptionError(
      `${label} takes no folder, but "${root}" was given: its options are given with --set.`,
      {
        option: '<folder>',
        value: root,
        accepted: 'no folder',
      },
    );
  }
  if (own && !own.safeParse(undefined).success) required('<folder>', root, `the folder of ${label}`);
  const rules = official && 'official' in options.shape;
  return checkOptions(
    options,
    { ...(root !== '' && { root }), ...(rules && { official }), ...settings },
    name,
  );
}
