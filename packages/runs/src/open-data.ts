import { decodedCache, inMemory, missingModalities } from '@g2d/datasets';
import { G2DError, OptionError, type MultimodalDataset, type Split } from '@g2d/core';
import type { RunConfig } from './config-schema.js';
import type { RunPlan } from './plan-run.js';

/** The splits of a run's dataset. */
export interface RunData {
  readonly train: MultimodalDataset<string>;
  /** Absent where the dataset has none, as some published protocols. */
  readonly validation?: MultimodalDataset<string>;
  readonly test: MultimodalDataset<string>;
  close(): Promise<void>;
}

/**
 * Opens the splits of a run's dataset.
 *
 * @throws {OptionError} If an option is wrong, or the run selects on a validation split and there is none.
 * @throws {DatasetNotFoundError} If the data are not there; the message says how to get them.
 */
export async function openData({
  dataset: found,
  config,
}: Pick<RunPlan, 'dataset' | 'config'>): Promise<RunData> {
  const opened: MultimodalDataset<string>[] = [];
  const close = async (): Promise<void> => {
    for (const dataset of opened) await dataset.close();
  };
  const open = async (split: Split): Promise<MultimodalDataset<string>> => {
    const dataset = await wrapped(await found.make({ split }), config);
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
    return { train, test, ...(validation && { validation }), close };
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
