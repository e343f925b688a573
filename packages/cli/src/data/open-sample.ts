import { OptionError, type AnyDataset, type MultimodalDataset, type Sample, type Split } from '@g2d/core';
import type { CommandOptions, Output } from '../command.js';
import { datasetAndFolder, parseSettings, parseSplit, parseWhole } from './arguments.js';
import { datasetOptions, findDataset } from './datasets.js';

/** The options of the commands that read one sample. */
export const sampleOptions = {
  split: { value: 'NAME', help: 'train, validation, test' },
  index: { value: 'N', help: 'which sample, from 0' },
  id: { value: 'ID', help: 'which sample, by its id' },
  out: { value: 'PATH', help: 'where the result goes' },
  official: { also: 'faithful', help: 'by the rules of the reference' },
  set: {
    value: 'KEY=VALUE',
    multiple: true,
    help: 'an option of the loader, such as format=csv for mis-me; may be given several times',
  },
} as const satisfies CommandOptions;

interface SampleValues {
  readonly split?: string | undefined;
  readonly index?: string | undefined;
  readonly id?: string | undefined;
  readonly official: boolean;
  readonly set: readonly string[];
}

/** One sample and where it is from. */
interface OpenedSample {
  readonly name: string;
  readonly definition: AnyDataset;
  readonly options: Readonly<Record<string, unknown>> & { readonly split: Split };
  readonly dataset: Omit<MultimodalDataset<string>, 'sample' | 'close'>;
  readonly index: number;
  readonly sample: Sample<string>;
}

/**
 * Opens a dataset, reads the sample that the command line names, and closes it.
 *
 * @throws {OptionError} If the command line names none, or one that is not there; what the loader throws comes as it is.
 */
export async function openSample(
  positionals: readonly string[],
  { split, index, id, official, set }: SampleValues,
  output: Pick<Output, 'err'>,
): Promise<OpenedSample> {
  const [name, folder] = datasetAndFolder(positionals);
  const definition = await findDataset(name, output);
  if ((index === undefined) === (id === undefined)) {
    throw new OptionError(
      index === undefined
        ? 'No sample is named: give --index N, or --id ID.'
        : '--index and --id both name a sample: give one of them.',
      { option: 'index', value: index, accepted: '--index N or --id ID' },
    );
  }
  const at = index === undefined ? undefined : parseWhole('index', index, 0);
  const chosen = parseSplit(split);
  const options = datasetOptions(definition, { root: folder, official, settings: parseSettings(set) });
  const dataset = await definition.make(chosen, options);
  try {
    const found = at ?? indexOf(dataset, id as string, chosen);
    return {
      name: name as string,
      definition,
      options: { ...options, split: chosen },
      dataset,
      index: found,
      sample: await dataset.sample(found),
    };
  } finally {
    await dataset.close();
  }
}

function indexOf({ ids, name }: MultimodalDataset<string>, id: string, split: Split): number {
  const index = ids.indexOf(id);
  if (index >= 0) return index;
  throw new OptionError(
    `${name} has no sample "${id}" in its ${split} split; its ids are of the form "${ids[0] ?? ''}".`,
    { option: 'id', value: id, accepted: `an id of the ${split} split` },
  );
}
