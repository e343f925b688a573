import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { decodeWav, parseCsv, readIdx, readZip } from '@g2d/formats/node';
import { DatasetNotFoundError, FileFormatError, type Split } from '@g2d/core';
import { SAMPLE_RATE, TAKES } from './recipe.js';

const RECORDINGS = 'fsdd.zip';
const CLIPS = 'esc10.zip';
const SOURCE_FILES = [
  RECORDINGS,
  CLIPS,
  'mnist/train20k-images-idx3-ubyte.gz',
  'mnist/train20k-labels-idx1-ubyte.gz',
  'mnist/t10k-images-idx3-ubyte.gz',
  'mnist/t10k-labels-idx1-ubyte.gz',
];

/** Pictures and their digits, in the order of the MNIST file. */
interface Digits {
  /** `[N, 784]`, 0 to 255. */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** A spoken digit: `{digit}_{speaker}_{take}`. */
export interface Recording {
  readonly name: string;
  readonly digit: number;
  readonly take: number;
  readonly samples: Float32Array;
}

export interface Sources {
  readonly trainDigits: Digits;
  readonly testDigits: Digits;
  /** Sorted by name's digit, speaker, take, so that no archive's order matters. */
  readonly recordings: readonly Recording[];
  /** Noise clips of each split. */
  readonly clips: Readonly<
    Record<Split, readonly { readonly name: string; readonly samples: Float32Array }[]>
  >;
}

/**
 * SHA-256 of every source file.
 *
 * @throws {DatasetNotFoundError} If one is missing.
 */
export function hashSources(folder: string): Readonly<Record<string, string>> {
  const missing = SOURCE_FILES.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) {
    throw new DatasetNotFoundError({
      dataset: 'The sources of the small AV-MNIST',
      root: folder,
      missing,
      howToGet: 'They lie in the folder `data/` of the g2d repository; give that folder as `sources`.',
    });
  }
  return Object.fromEntries(
    SOURCE_FILES.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  );
}

/** Reads all sources. */
export function readSources(folder: string): Sources {
  const recordings = readRecordings(folder);
  const path = join(folder, CLIPS);
  const members = readZip(readFileSync(path), path);
  const table = members.get('clips.csv');
  if (table === undefined) throw new FileFormatError(path, 'has no member "clips.csv".');
  const rows = parseCsv(table.toString('utf8'), path);
  const clip = ({ file = '' }: Readonly<Record<string, string>>) => ({
    name: file,
    samples: sound(members.get(`${file}.wav`), `${path}/${file}.wav`),
  });
  // The first three training clips of each class are for training, the fourth for validation.
  const seen = new Map<string, number>();
  const numbered = rows.map((row) => {
    const key = `${row['split']}/${row['class_id']}`;
    const position = seen.get(key) ?? 0;
    seen.set(key, position + 1);
    return { row, position, split: row['split'] };
  });
  const select = (wanted: (entry: (typeof numbered)[number]) => boolean) =>
    numbered.filter(wanted).map(({ row }) => clip(row));

  return {
    trainDigits: readDigits(folder, 'train20k'),
    testDigits: readDigits(folder, 't10k'),
    recordings,
    clips: {
      train: select(({ split, position }) => split === 'train' && position < 3),
      validation: select(({ split, position }) => split === 'train' && position === 3),
      test: select(({ split }) => split === 'test'),
    },
  };
}

/** One recording and one noise clip, without reading the rest. */
export function readSounds(
  folder: string,
  { recording, clip }: { readonly recording: string; readonly clip: string },
): { readonly speech: Float32Array; readonly noise: Float32Array } {
  const one = (archive: string, name: string): Float32Array => {
    const path = join(folder, archive);
    const members = readZip(readFileSync(path), path, { select: (member) => member === `${name}.wav` });
    return sound(members.get(`${name}.wav`), `${path}/${name}.wav`);
  };
  return { speech: one(RECORDINGS, recording), noise: one(CLIPS, clip) };
}

/** True for recordings of a split. */
export function isTakeOf(split: Split, { take }: Recording): boolean {
  const [first, last] = TAKES[split];
  return take >= first && take <= last;
}

function readRecordings(folder: string): readonly Recording[] {
  const path = join(folder, RECORDINGS);
  const recordings: (Recording & { readonly speaker: string })[] = [];
  for (const [member, bytes] of readZip(readFileSync(path), path)) {
    const match = /^(\d)_([a-z]+)_(\d+)\.wav$/.exec(member);
    if (match === null) continue;
    const [, digit, speaker, take] = match as unknown as [string, string, string, string];
    recordings.push({
      name: member.slice(0, -'.wav'.length),
      digit: Number(digit),
      speaker,
      take: Number(take),
      samples: sound(bytes, `${path}/${member}`),
    });
  }
  return recordings.sort(
    (a, b) => a.digit - b.digit || (a.speaker < b.speaker ? -1 : a.speaker > b.speaker ? 1 : a.take - b.take),
  );
}

function sound(bytes: Uint8Array | undefined, path: string): Float32Array {
  if (bytes === undefined) throw new FileFormatError(path, 'is missing from the archive.');
  const { sampleRate, channels } = decodeWav(bytes, path);
  if (sampleRate !== SAMPLE_RATE || channels.length !== 1) {
    throw new FileFormatError(
      path,
      `${channels.length} channels at ${sampleRate} Hz; expected 1 at ${SAMPLE_RATE} Hz.`,
    );
  }
  return channels[0] as Float32Array;
}

function readDigits(folder: string, prefix: string): Digits {
  const imagePath = join(folder, `mnist/${prefix}-images-idx3-ubyte.gz`);
  const images = readIdx(imagePath);
  const labels = readIdx(join(folder, `mnist/${prefix}-labels-idx1-ubyte.gz`));
  if (images.shape.slice(1).join() !== '28,28' || images.shape[0] !== labels.shape[0]) {
    throw new FileFormatError(
      imagePath,
      `shape [${images.shape.join(', ')}] with ${labels.shape[0]} labels; expected as many pictures of 28 × 28.`,
    );
  }
  return { images: images.data, labels: labels.data };
}
