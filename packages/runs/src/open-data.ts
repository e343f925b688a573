import { decodedCache, fingerprint, inMemory, withClassNames } from '@g2d/datasets';
import { G2DError, OptionError, type Method, type MultimodalDataset, type Split } from '@g2d/core';
import { classDifference, type SplitFingerprint } from '@g2d/core/run-folder';
import { checkSplits } from './check-splits.js';
import { findDataset } from './components.js';
import type { RunConfig } from './config-schema.js';
import { contentOf, type DataIdentity } from './identity.js';
import { sha256 } from './node/checkpoints/checkpoint.js';
import { moduleFile } from './import-module.js';
import { settledMissing } from './mask-settings.js';
import { maskSplit, type SplitMask } from './mask-split.js';
import { modalitiesOf } from './modalities.js';
import type { RunPlan } from './plan-run.js';

/** The splits of a run's dataset. */
export interface RunData {
  readonly train: MultimodalDataset<string>;
  /** Absent where the dataset has none, as some published protocols. */
  readonly validation?: MultimodalDataset<string>;
  readonly test: MultimodalDataset<string>;
  /**
   * The training split with the true inputs of modalities that its mask hides, for the steps of methods that need them. Absent where no method does, or no mask is
   * drawn. It is closed with `train`.
   */
  readonly complete?: MultimodalDataset<string>;
  /** What the splits are, as they lie there. */
  readonly identity: DataIdentity;
  /** What is missing of each split; empty unless the configuration takes modalities away. */
  readonly masks: Partial<Readonly<Record<Split, SplitMask>>>;
  /** What can be meant, but hardly is. */
  readonly remarks: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens the splits of a run's dataset.
 *
 * @param options `classNames`: those of a run that has begun, by class id; data whose classes stand in another order get these ids.
 * @throws {OptionError} If an option is wrong, or the run selects on a validation split and there is none; if the splits do not go
 * together, or have a class that the run has not.
 * @throws {DatasetNotFoundError} If the data are not there; the message says how to get them.
 */
export async function openData(
  {
    dataset: found,
    config,
    methods = [],
  }: Pick<RunPlan, 'dataset' | 'config'> & Partial<Pick<RunPlan, 'methods'>>,
  { classNames }: { readonly classNames?: readonly string[] | undefined } = {},
): Promise<RunData> {
  const { splits, close } = await openSplits({ dataset: found, config });
  try {
    const { train } = splits;
    const remarks = checkSplits(splits);
    if (classNames) assertKnownClasses(train, classNames);
    const needing = methods.find(({ needs }) => needs?.inputs === 'complete');
    if (needing) assertNothingLacks(needing, train, modalitiesOf(config, train));
    const identity = await fingerprints(splits, config);
    const masks: Partial<Record<Split, SplitMask>> = {};
    let complete: MultimodalDataset<string> | undefined;
    for (const split of Object.keys(splits) as Split[]) {
      const dataset = splits[split] as MultimodalDataset<string>;
      const own = identity[split] as SplitFingerprint;
      // Where it is closed from now on.
      const { masked, whole, mask } = await wrapped(
        dataset,
        { config, found: own, classNames },
        needing !== undefined && split === 'train',
      );
      splits[split] = masked;
      complete = whole ?? complete;
      if (mask) masks[split] = mask;
    }
    // Of a rate all splits say the same.
    const all = new Set([...remarks, ...Object.values(masks).flatMap((mask) => mask.remarks)]);
    return { ...splits, ...(complete && { complete }), identity, masks, remarks: [...all], close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * What the data of a configuration are, whether a run could have them or not.
 *
 * @throws As `openData`, if a split cannot be opened.
 */
export async function identifyData(config: RunConfig): Promise<DataIdentity> {
  const { splits, close } = await openSplits({ dataset: await findDataset(config.dataset), config });
  try {
    return await fingerprints(splits, config);
  } finally {
    await close();
  }
}

type Splits = Record<'train' | 'test', MultimodalDataset<string>> &
  Partial<Record<'validation', MultimodalDataset<string>>>;

/** The splits as the dataset gives them; whatever stands in `splits` by then is closed. */
async function openSplits({
  dataset: found,
  config,
}: Pick<RunPlan, 'dataset' | 'config'>): Promise<{ readonly splits: Splits; close(): Promise<void> }> {
  const opened: MultimodalDataset<string>[] = [];
  const open = async (split: Split): Promise<MultimodalDataset<string>> => {
    const dataset = await found.make({ split });
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
    const splits: Splits = { train, ...(validation && { validation }), test };
    return { splits, close: () => closeAll(Object.values(splits)) };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

async function closeAll(datasets: readonly MultimodalDataset<string>[]): Promise<void> {
  for (const dataset of datasets) await dataset.close();
}

async function fingerprints(splits: Splits, config: RunConfig): Promise<DataIdentity> {
  const modalities = modalitiesOf(config, splits.train);
  const found: Partial<Record<Split, SplitFingerprint>> = {};
  for (const [split, dataset] of Object.entries(splits) as [Split, MultimodalDataset<string>][])
    found[split] = await fingerprint(dataset, { modalities });
  return found as DataIdentity;
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

/** @throws {OptionError} If the data have a class that the run has not. */
function assertKnownClasses(
  { name, classNames: own }: MultimodalDataset<string>,
  known: readonly string[],
): void {
  const difference = classDifference(known, own);
  const strange = own.find((each) => !known.includes(each));
  if (!difference || strange === undefined) return;
  throw new OptionError(
    `The data of ${name} have the class ${JSON.stringify(strange)}, which the run has not: it has the classes ${difference.before}, and the data have ${difference.now}. Give data with the classes of the run.`,
    { option: 'dataset', value: own, accepted: known.join(', ') },
  );
}

interface Wrapping {
  readonly config: RunConfig;
  readonly found: SplitFingerprint;
  readonly classNames: readonly string[] | undefined;
}

/** @param hidden Whether what masks hide is asked for too. */
interface Wrapped {
  readonly masked: MultimodalDataset<string>;
  /** The same with the true inputs of what the mask hides. */
  readonly whole?: MultimodalDataset<string> | undefined;
  readonly mask?: SplitMask;
}

async function wrapped(
  dataset: MultimodalDataset<string>,
  { config, found, classNames }: Wrapping,
  hidden: boolean,
): Promise<Wrapped> {
  const { cache, inMemory: whole } = config.data;
  let all = dataset;
  if (cache !== undefined)
    all = decodedCache(all, { folder: cache, ...versionOf(config, found, dataset.modalities) });
  // After the cache, whose entries do not depend on it.
  if (classNames && classDifference(classNames, all.classNames)) all = withClassNames(all, { classNames });
  const missing = settledMissing(config, dataset);
  // Those that read what is hidden and those that do not read the same samples, which are in memory once.
  if (whole && (hidden || !missing)) all = await inMemory(all);
  if (!missing) return { masked: all };
  const { dataset: masked, complete, mask } = maskSplit(all, missing, { complete: hidden });
  return { masked: whole && !hidden ? await inMemory(masked) : masked, whole: complete, mask };
}

/** @throws {OptionError} If samples really lack what a method is to learn from. */
function assertNothingLacks(
  { name: method }: Method<string>,
  { name, incomplete = [] }: MultimodalDataset<string>,
  modalities: readonly string[],
): void {
  const lacking = modalities.filter((modality) => incomplete.includes(modality));
  if (lacking.length === 0) return;
  throw new OptionError(
    `The method "${method}" learns from the true inputs of what masks hide ("data.missing"), but samples of ${name} really lack ${lacking.join(', ')}: nobody knows what would be there. Leave these out of "modalities", or choose another method.`,
    { option: 'method', value: lacking, accepted: 'data in which nothing is missing' },
  );
}

/** What the cached inputs of a dataset of the user's own depend on; others say it themselves. */
function versionOf(
  { dataset: { path, options } }: RunConfig,
  { contents }: SplitFingerprint,
  modalities: readonly string[],
): { version?: Readonly<Record<string, string>> } {
  if (path === undefined) return {};
  // The file itself too: it may read what lies beside it.
  const made = [moduleFile(path), contentOf(path), options ?? null];
  return {
    version: Object.fromEntries(
      modalities.map((modality) => [modality, sha256(JSON.stringify([made, contents[modality] ?? null]))]),
    ),
  };
}
