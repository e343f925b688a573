import { join } from 'node:path';
import { type MultimodalDataset, type Split } from '@g2d/core';
import {
  avMnist,
  buildSmallAvMnist,
  cremaD,
  decodedCache,
  inMemory,
  iemocap,
  misMe,
  missingModalities,
  urFunny,
  vggSound,
  type IemocapOptions,
} from '@g2d/datasets';
import { G2DError, OptionError } from '@g2d/core';
import type { RunConfig } from './config-schema.js';
import { defined, type Defined } from './defined.js';
import { callModule, describeValue } from './import-module.js';
import type { DatasetConfig } from './schema/datasets.js';

/** The parts of a run's dataset. */
export interface RunData {
  readonly train: MultimodalDataset<string>;
  /** Absent where the dataset has none, as some published protocols. */
  readonly validation?: MultimodalDataset<string>;
  readonly test: MultimodalDataset<string>;
  close(): Promise<void>;
}

/**
 * Opens the parts of the dataset that a configuration names.
 *
 * @throws {OptionError} If an option is wrong, or the run selects on a validation part and there is none.
 * @throws {DatasetNotFoundError} If the data are not there; the message says how to get them.
 */
export async function openData(config: RunConfig): Promise<RunData> {
  const opened: MultimodalDataset<string>[] = [];
  const close = async (): Promise<void> => {
    for (const dataset of opened) await dataset.close();
  };
  const open = async (split: Split): Promise<MultimodalDataset<string>> => {
    const dataset = await wrapped(await openPart(config.dataset, split), config);
    opened.push(dataset);
    if (dataset.size > 0) return dataset;
    throw new OptionError(`The ${split} part of ${dataset.name} has no samples.`, {
      option: 'dataset',
      value: 0,
      accepted: 'one sample or more',
    });
  };
  try {
    const [train, test] = [await open('train'), await open('test')];
    const validation = await open('validation').catch((error: unknown) => withoutValidation(error, config));
    return { train, test, ...(validation && { validation }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The other parts could be opened: an option that is wrong for this one alone means that it is not there. */
function withoutValidation(error: unknown, { select }: RunConfig): undefined {
  if (!(G2DError.isInstance(error) && error.code === 'G2D_OPTION')) throw error;
  if (select !== 'validation-best') return undefined;
  throw new OptionError(
    `The run selects on the validation part, and there is none: ${error.message} Or set "select" to "last", or to "test-best" as published.`,
    { option: 'select', value: select, accepted: 'last, test-best' },
  );
}

/** Without one of them a dataset of the user's own cannot be read. */
const PARTS_OF_DATASET = [
  'name',
  'task',
  'modalities',
  'shapes',
  'classNames',
  'ids',
  'size',
  'sample',
  'close',
];

async function openPart(config: DatasetConfig, split: Split): Promise<MultimodalDataset<string>> {
  switch (config.name) {
    case 'small-av-mnist': {
      const out = join(config.root, 'built', `av-mnist-small-${config.draw}`);
      return avMnist({
        ...(await buildSmallAvMnist({ sources: config.root, out, draw: config.draw })),
        split,
      });
    }
    case 'av-mnist':
      return avMnist({ ...optionsOf(config), split });
    case 'crema-d':
      return cremaD({ ...optionsOf(config), split });
    case 'vgg-sound':
      return vggSound({ ...optionsOf(config), split });
    case 'ur-funny':
      return urFunny({ ...optionsOf(config), split });
    case 'iemocap':
      return iemocap({ ...optionsOf(config), split } as IemocapOptions);
    case 'mis-me':
      return misMe({ ...optionsOf(config), split });
    case 'module': {
      const what = `the ${split} part of the dataset`;
      const dataset = await callModule<MultimodalDataset<string> | undefined>(config.path, what, {
        ...config.options,
        split,
      });
      const isDataset = typeof dataset === 'object' && PARTS_OF_DATASET.every((part) => part in dataset);
      if (isDataset) return dataset;
      throw new OptionError(
        dataset === undefined
          ? `${config.path} gives nothing for ${what}.`
          : `${config.path} must give ${what}, an object with ${PARTS_OF_DATASET.join(', ')} (\`fromSamples\` of @g2d/datasets makes one), but gave ${describeValue(dataset)}.`,
        { option: 'dataset.path', value: config.path, accepted: 'a MultimodalDataset' },
      );
    }
  }
}

/** A loader's own options. */
function optionsOf<T extends { readonly name: string }>(config: T): Defined<Omit<T, 'name'>> {
  const { name: _, ...options } = config;
  return defined(options);
}

async function wrapped(
  dataset: MultimodalDataset<string>,
  { data: { cache, missing, inMemory: whole } }: RunConfig,
): Promise<MultimodalDataset<string>> {
  let all = dataset;
  if (cache !== undefined) all = decodedCache(all, { folder: cache });
  if (missing) {
    const { rate, sampler } = missing;
    all = missingModalities(all, { rate, seed: missing.seed ?? 0, ...(sampler && { sampler }) });
  }
  return whole ? inMemory(all) : all;
}

/**
 * Variance of a regression's targets in the training part.
 */
export async function targetVariance(dataset: MultimodalDataset<string>): Promise<number> {
  const targets: number[] = [];
  for (let i = 0; i < dataset.size; i++) targets.push((await dataset.sample(i, { modalities: [] })).label);
  const mean = targets.reduce((sum, target) => sum + target, 0) / targets.length;
  return targets.reduce((sum, target) => sum + (target - mean) ** 2, 0) / targets.length;
}
