import { createHash, type Hash } from 'node:crypto';
import { checkKeys, perModality } from '@g2d/core';
import type { Label, MultimodalDataset } from '@g2d/core';
import type { SplitFingerprint } from '@g2d/core/run-folder';
import { readSample } from './pipeline/read-sample.js';
import { hasFreeLength, unitLength, type SampleShape } from './pipeline/shapes.js';

/** How many numbers of each modality of a split are looked at: 4 MB. */
const NUMBERS = 2 ** 20;
/** Steps that a sequence of free length is taken to have. */
const STEPS = 64;
/** Samples that are looked at whatever their size. */
const FEWEST = 4;
/** Labels that are looked at of a dataset that says them sample by sample. */
const LABELS = 256;
/** First ids, for people. */
const SHOWN = 3;

/**
 * What a split is, so that it is known again: ids, labels and class names, and checksums of what some samples hold without augmentation.
 *
 * It costs about as much for a large split as for a small one. Ids and class names are taken as they are, and the labels too where the
 * dataset has them by index. Inputs of a modality are read of as many samples as make up a million numbers (all of a small split; of
 * CREMA-D 21 sounds and 6 pictures), and never of fewer than four; labels that only reading tells, of 256. Which samples depends on the ids
 * alone. So a change of samples that were not chosen is not seen, and every change of all samples is. A modality whose inputs come out differently when
 * they are read again has no checksum.
 *
 * @param options `modalities`: whose inputs are looked at. Default: all.
 * @example
 * const before = await fingerprint(train);
 * splitDifferences(before, await fingerprint(train)); // []
 */
export async function fingerprint<M extends string>(
  dataset: MultimodalDataset<M>,
  options: { readonly modalities?: readonly M[] } = {},
): Promise<SplitFingerprint> {
  const { modalities = dataset.modalities } = checkKeys(options, { modalities: true }, 'fingerprint');
  const { size, classNames, ids } = dataset;
  const order = drawnOrder(ids);
  return {
    size,
    classNames: [...classNames],
    ids: sha256(JSON.stringify(ids)),
    firstIds: ids.slice(0, SHOWN),
    labels: await labelsOf(dataset, order),
    contents: await contentsOf(dataset, order, modalities),
  };
}

/**
 * All indices in an order that looks random and depends on the ids alone: a sample more changes the first of them hardly.
 * FNV-1a, since SHA-256 of a million ids takes seconds.
 */
function drawnOrder(ids: readonly string[]): number[] {
  const keys = ids.map((id) => {
    let hash = 0x811c9dc5;
    for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
    return hash >>> 0;
  });
  // By code units where two are equal: the same on every machine.
  const later = (a: number, b: number): number => ((ids[a] as string) < (ids[b] as string) ? -1 : 1);
  return ids
    .map((_, index) => index)
    .sort((a, b) => (keys[a] as number) - (keys[b] as number) || later(a, b));
}

async function labelsOf(
  dataset: MultimodalDataset<string>,
  order: readonly number[],
): Promise<SplitFingerprint['labels']> {
  // As a batch has them.
  const exact = (label: Label): Label => {
    // The order in which a sample's classes are listed says nothing.
    if (typeof label !== 'number') return label.toSorted((a, b) => a - b);
    return dataset.task === 'regression' ? Math.fround(label) : label;
  };
  const found: (Label | null)[] = [];
  if (dataset.labels) found.push(...Array.from(dataset.labels, exact));
  else {
    for (const index of order.slice(0, LABELS).sort((a, b) => a - b)) {
      const { sample } = await readSample(dataset, index, { modalities: [], ...HOW });
      found.push(sample ? exact(sample.label) : null);
    }
  }
  return { count: found.length, sha256: sha256(JSON.stringify(found)) };
}

const HOW = { augmentation: undefined, retries: 1 };

/** By modality, without those that vary. */
async function contentsOf<M extends string>(
  dataset: MultimodalDataset<M>,
  order: readonly number[],
  modalities: readonly M[],
): Promise<SplitFingerprint['contents']> {
  const [first] = order;
  if (first === undefined) return {};
  // Each on its own, so that a teacher of one modality looks at the samples that its student looks at.
  const counts = perModality(modalities, (modality) => countOf(dataset.shapes[modality], order.length));
  const hashes = (): Record<M, Hash> => perModality(modalities, () => createHash('sha256'));
  const add = async (index: number, wanted: readonly M[], into: Readonly<Record<M, Hash>>): Promise<void> => {
    const { sample } = await readSample(dataset, index, { modalities: wanted, ...HOW });
    for (const modality of wanted) {
      const values = sample?.inputs[modality];
      const state = values ? sample?.present?.[modality] !== false : 'unreadable';
      into[modality].update(`${JSON.stringify(dataset.ids[index])} ${state}\n`);
      if (values) into[modality].update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  };
  const [once, again, all] = [hashes(), hashes(), hashes()];
  await add(first, modalities, once);
  await add(first, modalities, again);
  for (let at = 0; at < Math.max(...Object.values<number>(counts)); at++) {
    const wanted = modalities.filter((modality) => at < counts[modality]);
    await add(order[at] as number, wanted, all);
  }
  return Object.fromEntries(
    modalities
      .filter((modality) => once[modality].digest('hex') === again[modality].digest('hex'))
      .map((modality) => [modality, { count: counts[modality], sha256: all[modality].digest('hex') }]),
  );
}

function countOf(shape: SampleShape, size: number): number {
  const numbers = unitLength(shape) * (hasFreeLength(shape) ? STEPS : 1);
  return Math.min(size, Math.max(FEWEST, Math.floor(NUMBERS / numbers)));
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
