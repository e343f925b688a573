import { join } from 'node:path';
import { maskTable, missingModalities, missingShare, readMask, type MaskedDataset } from '@g2d/datasets';
import { formatNumber, type Label, type MultimodalDataset } from '@g2d/core';
import type { RunConfig } from './config-schema.js';

type Missing = NonNullable<RunConfig['data']['missing']>;

/** What is missing of a split. */
export interface SplitMask {
  /** `masks/<split>.csv`; absent where it is drawn again in every epoch. */
  readonly table?: string;
  /** Share of (sample, modality) cells that are missing, in [0, 1]: what rates of all protocols can be compared by. */
  readonly share: number;
  /** What can be meant, but hardly is: sentences for the user. */
  readonly remarks: readonly string[];
}

/**
 * Takes modalities away from a split, as the configuration says.
 *
 * @param inputs What stands in the place of what is missing, see `missingModalities`.
 * @throws {OptionError} If no mask can be drawn, or the file's is of other samples.
 */
export function maskSplit(
  dataset: MultimodalDataset<string>,
  { rate, seed = 0, sampler, masks }: Missing,
  inputs: 'zero' | 'complete' = 'zero',
): { readonly dataset: MultimodalDataset<string>; readonly mask: SplitMask } {
  const given = masks === undefined ? undefined : readMask(join(masks, `${dataset.split}.csv`), dataset);
  const masked = missingModalities(
    dataset,
    given
      ? { mask: given, inputs }
      : { seed, inputs, ...(rate !== undefined && { rate }), ...(sampler && { sampler }) },
  );
  const { mask, modalities } = masked;
  // Drawn again in every epoch: half of the cells on average, see `presenceMask`.
  if (!mask) return { dataset: masked, mask: { share: 0.5, remarks: [] } };
  const most = (modalities.length - 1) / modalities.length;
  const unmet =
    rate !== undefined && rate > most && sampler !== 'samples'
      ? [
          `"data.missing.rate" is ${rate}, but each of the ${modalities.length} modalities' samples keeps one: ${formatNumber(most, 3)} of the cells are missing.`,
        ]
      : [];
  return {
    dataset: masked,
    mask: {
      table: maskTable(dataset, mask),
      share: missingShare(mask),
      remarks: [...unmet, ...bareClasses(masked, mask)],
    },
  };
}

/** Classes of which no training sample has a modality: its encoder never sees them. */
function bareClasses(
  { name, split, labels, classNames, modalities }: MaskedDataset<string>,
  mask: Uint8Array,
): string[] {
  if (!labels || split !== 'train' || classNames.length === 0) return [];
  return modalities.flatMap((modality, j) => {
    const seen = new Set<number>();
    const all = new Set<number>();
    for (let i = 0; i < labels.length; i++) {
      for (const label of [labels[i] as Label].flat()) {
        all.add(label);
        if (mask[i * modalities.length + j] !== 0) seen.add(label);
      }
    }
    const bare = [...all]
      .filter((label) => !seen.has(label))
      .map((label) => JSON.stringify(classNames[label]));
    if (bare.length === 0) return [];
    const shown = `${bare.slice(0, 3).join(', ')}${bare.length > 3 ? ', …' : ''}`;
    return [
      `No training sample of ${name} of ${bare.length === 1 ? 'the class' : `${bare.length} classes`} ${shown} has ${modality}: its encoder never sees ${bare.length === 1 ? 'it' : 'them'}.`,
    ];
  });
}
