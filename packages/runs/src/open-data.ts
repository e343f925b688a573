import { datasets, decodedCache, inMemory, missingModalities } from '@g2d/datasets';
import {
  G2DError,
  isComponent,
  OptionError,
  type AnyDataset,
  type MultimodalDataset,
  type Split,
} from '@g2d/core';
import type { RunComponents } from '@g2d/core/run-folder';
import { componentWords } from './component-words.js';
import type { RunConfig } from './config-schema.js';
import { callExport, describeValue, importDefault } from './import-module.js';
import type { DatasetConfig } from './schema/datasets.js';

/** The splits of a run's dataset. */
export interface RunData {
  readonly train: MultimodalDataset<string>;
  /** Absent where the dataset has none, as some published protocols. */
  readonly validation?: MultimodalDataset<string>;
  readonly test: MultimodalDataset<string>;
  /** What the dataset says about itself; empty for a function of the user's. */
  readonly components: Pick<RunComponents, 'dataset'>;
  close(): Promise<void>;
}

/**
 * Opens the splits of the dataset that a configuration names.
 *
 * @throws {OptionError} If an option is wrong, or the run selects on a validation split and there is none.
 * @throws {DatasetNotFoundError} If the data are not there; the message says how to get them.
 */
export async function openData(config: RunConfig): Promise<RunData> {
  const found = await findDataset(config.dataset);
  const opened: MultimodalDataset<string>[] = [];
  const close = async (): Promise<void> => {
    for (const dataset of opened) await dataset.close();
  };
  const open = async (split: Split): Promise<MultimodalDataset<string>> => {
    const dataset = await wrapped(await openSplit(found, config.dataset, split), config);
    opened.push(dataset);
    if (dataset.size > 0) return dataset;
    throw new OptionError(`The ${split} split of ${dataset.name} has no samples.`, {
      option: 'dataset',
      value: 0,
      accepted: 'one sample or more',
    });
  };
  try {
    const [train, test] = [await open('train'), await open('test')];
    const validation = await open('validation').catch((error: unknown) => withoutValidation(error, config));
    const words = componentWords(found, 'dataset');
    const components = { ...(words && { dataset: words }) };
    return { train, test, ...(validation && { validation }), components, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The other splits could be opened: an option that is wrong for this one alone means that it is not there. */
function withoutValidation(error: unknown, { select }: RunConfig): undefined {
  if (!(G2DError.isInstance(error) && error.code === 'G2D_OPTION')) throw error;
  if (select !== 'validation-best') return undefined;
  throw new OptionError(
    `The run selects on the validation split, and there is none: ${error.message} Or set "select" to "last", or to "test-best" as published.`,
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

const KNOWN: ReadonlyMap<string, AnyDataset> = new Map(datasets.map((each) => [each.name, each]));

/** A definition, or what else a module of the user's exports. */
const findDataset = async ({ name, path = '' }: DatasetConfig): Promise<unknown> =>
  KNOWN.get(name) ?? (await importDefault(path, 'the dataset'));

async function openSplit(
  found: unknown,
  { name, path = '', ...own }: DatasetConfig,
  split: Split,
): Promise<MultimodalDataset<string>> {
  const where = 'the configuration';
  const known = KNOWN.get(name);
  if (known) return known.make(split, own, { where, prefix: 'dataset' });
  const what = `the ${split} split of the dataset`;
  const { options = {} } = own;
  const dataset = isComponent(found, 'dataset')
    ? await (found as AnyDataset).make(split, options, { where, prefix: 'dataset.options' })
    : await callExport<MultimodalDataset<string> | undefined>(found, { ...options, split }, { path, what });
  const isDataset = typeof dataset === 'object' && PARTS_OF_DATASET.every((part) => part in dataset);
  if (isDataset) return dataset;
  throw new OptionError(
    dataset === undefined
      ? `${path} gives nothing for ${what}.`
      : `${path} must give ${what}, an object with ${PARTS_OF_DATASET.join(', ')} (\`fromSamples\` of @g2d/datasets makes one), but gave ${describeValue(dataset)}.`,
    { option: 'dataset.path', value: path, accepted: 'a MultimodalDataset' },
  );
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
