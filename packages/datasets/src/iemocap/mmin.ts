import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openHdf5, openNpy, readNpyText, type Hdf5File, type NumberArray } from '@g2d/formats/node';
import { DatasetNotFoundError, FileFormatError, perModality } from '@g2d/core';
import type { Split } from '@g2d/core';
import { assertSampleIndex } from '../sample-index.js';
import { featureStatistics, standardize, type FeatureStatistics } from '../transforms/normalize.js';
import {
  HOW_TO_GET,
  MODALITIES,
  type IemocapDataset,
  type IemocapModality,
  type IemocapOptions,
} from './options.js';
import { assertFinite, checkUtterances } from './utterances.js';

export const MMIN_FOLDS = 10;
const CLASSES = 4;
const WIDTHS: Readonly<Record<IemocapModality, number>> = { audio: 130, visual: 342, text: 1024 };
const FILES: Readonly<Record<IemocapModality, string>> = {
  audio: 'A/comparE.h5',
  visual: 'V/denseface.h5',
  text: 'L/bert_large.h5',
};
const STATISTICS = 'A/comparE_mean_std.h5';
const PARTS: Readonly<Record<Split, string>> = { train: 'trn', validation: 'val', test: 'tst' };

/** The files that a split of a fold needs. */
export const mminFiles = (root: string, fold: number, split: Split) => ({
  audio: join(root, FILES.audio),
  visual: join(root, FILES.visual),
  text: join(root, FILES.text),
  statistics: join(root, STATISTICS),
  names: join(root, `target/${fold}/${PARTS[split]}_int2name.npy`),
  labels: join(root, `target/${fold}/${PARTS[split]}_label.npy`),
});

/** IEMOCAP as MMIN's features; see `iemocap`. */
export async function mmin(options: IemocapOptions): Promise<IemocapDataset> {
  const { root, split, fold = 1, audioNormalization = 'fold' } = options;
  const { statistics: statisticsFile, ...files } = mminFiles(root, fold, split);
  const needed = [...Object.values(files), ...(audioNormalization === 'fold' ? [statisticsFile] : [])];
  const missing = needed.filter((path) => !existsSync(path));
  if (missing.length > 0) {
    throw new DatasetNotFoundError({ dataset: 'IEMOCAP (MMIN)', root, missing, howToGet: HOW_TO_GET.mmin });
  }
  const { ids, labels } = readMminTargets(files.names, files.labels);
  const statistics = audioNormalization === 'fold' ? await readStatistics(statisticsFile, fold) : undefined;
  const size = ids.length;

  const opened: Hdf5File[] = [];
  const close = (): void => {
    for (const file of opened) file.close();
  };
  try {
    for (const modality of MODALITIES) {
      const file = await openHdf5(files[modality]);
      opened.push(file);
      assertAll(ids, file);
    }
    const [audio, visual, text] = opened as [Hdf5File, Hdf5File, Hdf5File];
    const features = { audio, visual, text };
    const lengths = perModality(
      MODALITIES,
      (modality) => mminShape(features[modality], ids[0] as string, modality)[0],
    );
    return {
      name: 'iemocap-mmin',
      split,
      task: 'classification',
      modalities: MODALITIES,
      shapes: {
        audio: [null, WIDTHS.audio],
        visual: [lengths.visual, WIDTHS.visual],
        text: [lengths.text, WIDTHS.text],
      },
      // Nothing published says which is which.
      classNames: Array.from({ length: CLASSES }, (_, label) => String(label)),
      ids,
      labels,
      size,
      dropped: {},
      preprocessing: {
        audio: {
          from: `ComParE features of ${FILES.audio}${audioNormalization === 'utterance' ? ', of each utterance (x − its mean) / its unbiased deviation' : ''}`,
          ...(statistics && { mean: [...statistics.mean], std: [...statistics.std] }),
        },
        visual: { from: `features of ${FILES.visual}` },
        text: { from: `features of ${FILES.text}` },
      },
      source: { module: '@g2d/datasets', name: 'iemocap', options },
      async sample(index, { modalities = MODALITIES } = {}) {
        assertSampleIndex(index, { split, size });
        const id = ids[index] as string;
        return {
          id,
          label: labels[index] as number,
          inputs: perModality<IemocapModality, Float32Array>(modalities, (modality) => {
            const values = readMmin(features[modality], id, modality);
            if (modality !== 'audio') {
              assertLength(features[modality].path, id, values.length / WIDTHS[modality], lengths[modality]);
              return Float32Array.from(values);
            }
            if (audioNormalization === 'none') return Float32Array.from(values);
            // A single frame varies by nothing: its unbiased deviation is taken as 1.
            const by = statistics ?? featureStatistics(values, WIDTHS.audio, { deviation: 'unbiased' });
            return standardize(values, by);
          }),
        };
      },
      files: (_, modality) => [
        features[modality].path,
        ...(modality === 'audio' && statistics ? [statisticsFile] : []),
      ],
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * An utterance's features, `[T, D]`.
 *
 * @throws {FileFormatError} If they are not of this shape, or not finite.
 */
export function readMmin(file: Hdf5File, id: string, modality: IemocapModality): NumberArray {
  mminShape(file, id, modality);
  const { values } = file.read(id);
  assertFinite(values, file.path, id);
  return values;
}

function mminShape(file: Hdf5File, id: string, modality: IemocapModality): readonly [number, number] {
  const shape = file.shape(id);
  const [steps, width] = shape;
  if (shape.length !== 2 || !steps || width !== WIDTHS[modality]) {
    throw new FileFormatError(
      file.path,
      `${id} has the shape [${shape.join(', ')}]; expected [steps, ${WIDTHS[modality]}]. Take the file that belongs to these targets.`,
      { id },
    );
  }
  return [steps, width];
}

function assertLength(path: string, id: string, steps: number, expected: number): void {
  if (steps === expected) return;
  throw new FileFormatError(
    path,
    `${id} has ${steps} steps, but the first utterance of the split has ${expected}; expected the same of all.`,
    { id },
  );
}

const SHOWN = 3;

function assertAll(ids: readonly string[], file: Hdf5File): void {
  const there = new Set(file.names());
  const lacking = ids.filter((id) => !there.has(id));
  if (lacking.length === 0) return;
  throw new FileFormatError(
    file.path,
    `lacks ${lacking.length} of the ${ids.length} utterances of this split: ${lacking.slice(0, SHOWN).join(', ')}` +
      `${lacking.length > SHOWN ? ', …' : ''}. Take the files without "aligned" in their names, or download them again.`,
    { missing: lacking },
  );
}

/** @throws {FileFormatError} If the fold is not there, or not of 130 numbers. */
export async function readStatistics(path: string, fold: number): Promise<FeatureStatistics> {
  const file = await openHdf5(path);
  try {
    const numbers = (name: string): Float64Array => {
      if (!file.names().includes(String(fold)))
        throw new FileFormatError(path, `has no group "${fold}" for fold ${fold}.`, { fold });
      const { values } = file.read(`${fold}/${name}`);
      if (values.length !== WIDTHS.audio || !values.every(Number.isFinite)) {
        throw new FileFormatError(
          path,
          `"${fold}/${name}" must be ${WIDTHS.audio} finite numbers; it has ${values.length}.`,
        );
      }
      return Float64Array.from(values);
    };
    // A feature that does not vary is only centred.
    return { mean: numbers('mean'), std: numbers('std').map((std) => (std === 0 ? 1 : std)) };
  } finally {
    file.close();
  }
}

/**
 * Names and classes of a split.
 *
 * @throws {FileFormatError} If a row is not all 0 but one 1, or the files do not belong together.
 */
export function readMminTargets(
  namesPath: string,
  labelsPath: string,
): { readonly ids: readonly string[]; readonly labels: Uint8Array } {
  const ids = readNpyText(namesPath).values;
  checkUtterances(ids, namesPath);
  if (ids.length === 0) throw new FileFormatError(namesPath, 'lists no utterances.');
  const file = openNpy(labelsPath);
  try {
    if (file.shape.length !== 2 || file.rowLength !== CLASSES || file.shape[0] !== ids.length) {
      throw new FileFormatError(
        labelsPath,
        `has the shape [${file.shape.join(', ')}]; expected [${ids.length}, ${CLASSES}], a row for each utterance of ${namesPath}.`,
      );
    }
    const oneHot = file.all();
    const labels = Uint8Array.from(ids, (_, row) => {
      const cells = Array.from(oneHot.subarray(row * CLASSES, (row + 1) * CLASSES));
      if (
        cells.every((cell) => cell === 0 || cell === 1) &&
        cells.filter((cell) => cell === 1).length === 1
      ) {
        return cells.indexOf(1);
      }
      throw new FileFormatError(
        labelsPath,
        `row ${row} is [${cells.join(', ')}]; expected one 1, the class, and 0 else.`,
        { row },
      );
    });
    return { ids, labels };
  } finally {
    file.close();
  }
}
