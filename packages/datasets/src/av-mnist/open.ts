import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openNpy, type NpyFile } from '@g2d/formats/node';
import { DatasetNotFoundError, FileFormatError, OptionError, perModality } from '@g2d/core';
import type { MultimodalDataset, Split } from '@g2d/core';
import { assertSampleIndex } from '../sample-index.js';
import type { avMnistOptions } from './options.js';
import type { z } from 'zod';

const MODALITIES = ['audio', 'image'] as const;
const CLASSES = 10;
/** The stored numbers are divided by it. */
const SCALE = 255;
export const AV_MNIST_HOW_TO_GET =
  'AV-MNIST is one archive, avmnist.tar.gz, linked from the MultiBench repository (pliang279/MultiBench): unpack it and ' +
  'give its folder as `root`. Without it, `buildSmallAvMnist` makes a small set of the same layout from free data.';

export async function openAvMnist(
  options: z.output<typeof avMnistOptions> & { readonly split: Split },
): Promise<MultimodalDataset<'audio' | 'image'>> {
  const { split, official, validationRows = official ? 0 : 5000 } = options;
  checkSplit(split, validationRows);
  const part = split === 'test' ? 'test' : 'train';
  const names = namesOf(part);
  const root = findRoot(options.root, names);

  const opened: NpyFile[] = [];
  const open = (name: string): NpyFile => {
    const file = openNpy(join(root, name));
    opened.push(file);
    return file;
  };
  const close = (): void => {
    for (const file of opened) file.close();
  };
  try {
    const image = open(names[0]);
    const audio = open(names[1]);
    const labelFile = open(names[2]);
    const imageShape = imageShapeOf(image);
    const audioShape = pictureShapeOf(audio);
    const rows = image.shape[0] as number;
    for (const file of [audio, labelFile]) {
      if (file.shape[0] !== rows) {
        throw new FileFormatError(
          file.path,
          `${file.shape[0] ?? 'no'} rows, but ${image.path} has ${rows}. Take all files from the same archive.`,
        );
      }
    }
    const labels = readLabels(labelFile);
    if (split !== 'test' && validationRows >= rows) {
      throw new OptionError(
        `\`validationRows\` is ${validationRows}, but ${image.path} has only ${rows} rows, so that nothing is left to ` +
          'train on. Give fewer (1000 for the small set, 0 to train on all).',
        { option: 'validationRows', value: validationRows, accepted: `0 to ${rows - 1}` },
      );
    }
    const first = split === 'validation' ? rows - validationRows : 0;
    const size = split === 'train' ? rows - validationRows : rows - first;
    const idOf = (row: number): string => `avmnist/${part}/${row}`;

    return {
      name: 'av-mnist',
      split,
      task: 'classification',
      modalities: MODALITIES,
      shapes: { audio: audioShape, image: imageShape },
      classNames: Array.from({ length: CLASSES }, (_, digit) => String(digit)),
      size,
      preprocessing: perModality(MODALITIES, (modality) => ({
        from: `the numbers of ${modality}/${part}_data.npy`,
        divideBy: SCALE,
      })),
      // By the file's row, so that another `validationRows` does not rename samples.
      ids: Array.from({ length: size }, (_, index) => idOf(first + index)),
      labels: labels.subarray(first, first + size),
      source: { module: '@g2d/datasets', name: 'av-mnist', options },
      async sample(index, { modalities = MODALITIES } = {}) {
        assertSampleIndex(index, { split, size });
        const row = first + index;
        return {
          id: idOf(row),
          label: labels[row] as number,
          inputs: perModality<'audio' | 'image', Float32Array>(modalities, (modality) =>
            scaledRow({ audio, image }[modality], row),
          ),
        };
      },
      files: (_, modality) => [{ audio, image }[modality].path],
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function checkSplit(split: Split, validationRows: number): void {
  if (split === 'validation' && validationRows === 0) {
    throw new OptionError(
      '`validationRows` is 0, so there is no validation split. Give its size (5000 in MultiBench), or open "test".',
      { option: 'validationRows', value: 0, accepted: 'an integer ≥ 1 for the validation split' },
    );
  }
}

const namesOf = (part: 'train' | 'test') =>
  [`image/${part}_data.npy`, `audio/${part}_data.npy`, `${part}_labels.npy`] as const;

/** The files of a split, in whichever of the two folders there are more of them. */
export function avMnistFiles(root: string, part: 'train' | 'test'): readonly string[] {
  const there = (folder: string): number =>
    namesOf(part).filter((name) => existsSync(join(folder, name))).length;
  const below = join(root, 'avmnist');
  const folder = there(below) > there(root) ? below : root;
  return namesOf(part).map((name) => join(folder, name));
}

function findRoot(root: string, names: readonly string[]): string {
  const missing = (folder: string): string[] => names.filter((name) => !existsSync(join(folder, name)));
  const here = missing(root);
  if (here.length === 0) return root;
  const below = join(root, 'avmnist');
  const there = missing(below);
  if (there.length === 0) return below;
  const nearer = there.length < here.length ? { root: below, missing: there } : { root, missing: here };
  throw new DatasetNotFoundError({ dataset: 'AV-MNIST', ...nearer, howToGet: AV_MNIST_HOW_TO_GET });
}

/** (N, pixels) with a square number of pixels, or (N, H, W). */
function imageShapeOf(file: NpyFile): readonly number[] {
  if (file.shape.length !== 2) return pictureShapeOf(file);
  const side = Math.round(Math.sqrt(file.rowLength));
  if (side * side !== file.rowLength || side === 0 || file.shape[0] === 0) {
    throw new FileFormatError(
      file.path,
      `shape [${file.shape.join(', ')}]; expected [rows, pixels] with a square number of pixels, such as 784 = 28 × 28.`,
    );
  }
  return [side, side, 1];
}

function pictureShapeOf(file: NpyFile): readonly number[] {
  const [rows, height, width] = file.shape;
  if (file.shape.length !== 3 || !rows || !height || !width) {
    throw new FileFormatError(file.path, `shape [${file.shape.join(', ')}]; expected [rows, height, width].`);
  }
  return [height, width, 1];
}

function readLabels(file: NpyFile): Uint8Array {
  if (file.rowLength !== 1) {
    throw new FileFormatError(file.path, `labels of shape [${file.shape.join(', ')}]; expected [rows].`);
  }
  const labels = file.all();
  labels.forEach((label, row) => {
    if (!(Number.isInteger(label) && label >= 0 && label < CLASSES)) {
      throw new FileFormatError(
        file.path,
        `label ${label} in row ${row}; expected a digit, 0 to ${CLASSES - 1}.`,
      );
    }
  });
  return Uint8Array.from(labels);
}

/** x / 255 as float32; the division is done in double precision. */
function scaledRow(file: NpyFile, row: number): Float32Array {
  const stored = file.row(row);
  const scaled = new Float32Array(stored.length);
  for (let i = 0; i < scaled.length; i++) {
    const value = (stored[i] as number) / SCALE;
    if (!Number.isFinite(value)) {
      throw new FileFormatError(
        file.path,
        `row ${row} holds ${stored[i]} at column ${i}: it would spoil the training unnoticed. Make the file again.`,
        { row, column: i },
      );
    }
    scaled[i] = value;
  }
  return scaled;
}
