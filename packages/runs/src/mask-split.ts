import { join } from 'node:path';
import { maskTable, missingModalities, missingShare, readMask, type MaskedDataset } from '@g2d/datasets';
import { formatNumber, type Label, type MultimodalDataset } from '@g2d/core';
import type { SettledMissing } from './mask-settings.js';

/** What is missing of a split. */
export interface SplitMask {
  /** `masks/<split>.csv`; absent where it is drawn again in every epoch. */
  readonly table?: string;
  /** Share of (sample, modality) cells that are missing, in [0, 1]: what rates of all protocols can be compared by. */
  readonly share: number;
  /** What can be meant, but hardly is: sentences for the user. */
  readonly remarks: readonly string[];
}

/** A split under its mask. */
export interface MaskedSplit {
  /** With zeros in place of what is missing. */
  readonly dataset: MultimodalDataset<string>;
  /** With what is really there, under the same mask; closes the same dataset. */
  readonly complete?: MultimodalDataset<string>;
  readonly mask: SplitMask;
}

/**
 * Takes modalities away from a split, as the configuration says.
 *
 * @param complete Whether the true inputs of what is missing are asked for too.
 * @throws {OptionError} If no mask can be drawn, or the file's is of other samples.
 */
export function maskSplit(
  dataset: MultimodalDataset<string>,
  { rate, seed = 0, sampler, masks, modalities: chosen }: SettledMissing,
  { complete = false }: { readonly complete?: boolean } = {},
): MaskedSplit {
  const columns = dataset.modalities.filter((name) => chosen === 'all' || chosen.includes(name));
  const described = { ...dataset, modalities: columns };
  const drawing =
    masks === undefined
      ? { seed, ...(rate !== undefined && { rate }), ...(sampler && { sampler }) }
      : { mask: readMask(join(masks, `${dataset.split}.csv`), described) };
  const masked = missingModalities(dataset, { ...drawing, modalities: columns });
  const { mask } = masked;
  // Drawn once; what is drawn again in every epoch follows from the seed.
  const whole =
    complete &&
    missingModalities(dataset, { ...(mask ? { mask } : drawing), modalities: columns, inputs: 'complete' });
  const parts = { dataset: masked, ...(whole && { complete: whole }) };
  // Half of the cells on average, see `presenceMask`.
  if (!mask) return { ...parts, mask: { share: 0.5, remarks: [] } };
  const remarks = [
    ...(rate === undefined ? [] : unmetRate(rate, columns, sampler)),
    ...bareClasses(masked, mask),
  ];
  return { ...parts, mask: { table: maskTable(described, mask), share: missingShare(mask), remarks } };
}

/** Every sample keeps one modality. */
function unmetRate(rate: number, columns: readonly string[], sampler: SettledMissing['sampler']): string[] {
  const k = columns.length;
  if (k === 1 && rate > 0)
    return [
      `"data.missing.rate" is ${rate}, but every sample keeps its only modality, ${columns[0]}: nothing is missing. "data.missing.modalities" names those of which samples keep one.`,
    ];
  const most = (k - 1) / k;
  // There it is a share of samples, each of which lacks one.
  if (sampler === 'samples' || rate <= most) return [];
  return [
    `"data.missing.rate" is ${rate}, but every sample keeps one of the ${k} modalities: ${formatNumber(most, 3)} of the cells are missing.`,
  ];
}

/** Classes of which no training sample has a modality: its encoder never sees them. */
function bareClasses(
  { name, split, labels, classNames, masked: modalities }: MaskedDataset<string>,
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
