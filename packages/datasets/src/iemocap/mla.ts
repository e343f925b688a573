import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage, openNpy, readSmallFile, type NumberArray } from '@g2d/formats/node';
import { DatasetNotFoundError, FileFormatError, OptionError, type RandomStream } from '@g2d/core';
import { inOrder } from '../clips/in-order.js';
import { readWholeFile } from '../clips/read-whole-file.js';
import { assertSampleIndex } from '../sample-index.js';
import { normalizePixels } from '../transforms/normalize.js';
import { randomResizedCrop } from '../transforms/random-resized-crop.js';
import { resize } from '../transforms/resize.js';
import {
  HOW_TO_GET,
  MODALITIES,
  type IemocapDataset,
  type IemocapModality,
  type IemocapOptions,
} from './options.js';
import { assertFinite, bySession, checkHoldOut, checkUtterances, heldOut } from './utterances.js';

const CLASS_NAMES = ['Angry', 'Happy', 'Neutral', 'Sad'] as const;
export const MLA_LISTS = { train: 'my_train_iemo.txt', test: 'my_test_iemo.txt' } as const;
const SEPARATOR = '[split|sign]';
const FRAMES = 1024;
const BANDS = 128;
const SIDE = 256;
const TOKENS = 256;
/** Mean and standard deviation of ImageNet's colours, by channel. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
/** The train list has 0.4 MB. */
const LARGEST_LIST = 2 ** 26;
const LARGEST_PICTURE = 2 ** 26;

/** One line of a list, and where its files should be. */
interface MlaUtterance {
  readonly id: string;
  readonly label: number;
  readonly audio: string;
  /** A folder of pictures. */
  readonly visual: string;
  readonly tokens: string;
  readonly padding: string;
}

interface UsableUtterance extends MlaUtterance {
  /** The one that is taken. */
  readonly picture: string;
}

/** IEMOCAP as MLA's prepared files; see `iemocap`. */
export async function mla(options: IemocapOptions): Promise<IemocapDataset> {
  const { split } = options;
  const listed = mlaSplit(options);
  const { usable, dropped } = findUsable(listed);
  const size = usable.length;
  if (size === 0) {
    const reasons = Object.entries(dropped).map(([reason, ids]) => `${reason} for ${ids.length} utterances`);
    const missing = [`files of all utterances of the ${split} split`, ...reasons];
    throw new DatasetNotFoundError({
      dataset: 'IEMOCAP (MLA)',
      root: options.root,
      missing,
      howToGet: HOW_TO_GET.mla,
    });
  }
  return {
    name: 'iemocap-mla',
    split,
    task: 'classification',
    modalities: MODALITIES,
    shapes: { audio: [FRAMES, BANDS, 1], visual: [SIDE, SIDE, 3], text: [TOKENS, 2] },
    classNames: CLASS_NAMES,
    ids: usable.map(({ id }) => id),
    labels: usable.map(({ label }) => label),
    size,
    augmented: ['visual'],
    preprocessing: {
      audio: { from: 'the stored log-mel spectrogram' },
      visual: {
        from: 'the middle square of an RGB picture with 8 bits a channel, resized bilinearly with antialiasing (as PIL does)',
        size: [SIDE, SIDE],
        divideBy: 255,
        ...IMAGENET,
      },
      text: { from: 'ids of BERT’s tokens, and beside each 1 where it is padding' },
    },
    dropped,
    source: { module: '@g2d/datasets', name: 'iemocap', options },
    async sample(index, { modalities = MODALITIES, random } = {}) {
      assertSampleIndex(index, { split, size });
      const utterance = usable[index] as UsableUtterance;
      const readers: Readonly<Record<IemocapModality, () => Float32Array | Promise<Float32Array>>> = {
        audio: () => readAudio(utterance),
        visual: () => readPicture(utterance.picture, random?.('visual')),
        text: () => readText(utterance),
      };
      const inputs = await Promise.all(
        modalities.map(async (modality) => [modality, await readers[modality]()] as const),
      );
      return {
        id: utterance.id,
        label: utterance.label,
        inputs: Object.fromEntries(inputs) as Record<IemocapModality, Float32Array>,
      };
    },
    files(index, modality) {
      const { audio, picture, tokens, padding } = usable[index] as UsableUtterance;
      return { audio: [audio], visual: [picture], text: [tokens, padding] }[modality];
    },
    close() {},
  };
}

/** The utterances that belong to a split, whether their files are there or not. */
export function mlaSplit(options: IemocapOptions): readonly MlaUtterance[] {
  const { split, splits = 'lists', official = false, validation, fold, seed = 0 } = options;
  checkHoldOut(options, official);
  if (splits === 'lists') {
    if (validation === 'session' || fold !== undefined) {
      const option = fold === undefined ? 'validation' : 'fold';
      throw new OptionError(
        `\`${option}\` "${fold ?? 'session'}" needs \`splits: 'session'\`: the lists mix all sessions.`,
        {
          option,
          value: options[option],
          accepted: "with `splits: 'session'`",
        },
      );
    }
    if (split === 'test') return readMlaList(options, 'test');
    const listed = readMlaList(options, 'train');
    const ids = new Set(
      heldOut(
        listed.map(({ id }) => id),
        split,
        {
          share: official ? 0 : (validation ?? 0.1),
          seed,
          groupOf: (id) => id,
        },
      ),
    );
    return listed.filter(({ id }) => ids.has(id));
  }
  const all = new Map(
    [...readMlaList(options, 'train'), ...readMlaList(options, 'test')].map((line) => [line.id, line]),
  );
  const held = { ...options, validation: validation ?? (official ? 0 : 'session') } as const;
  return bySession([...all.keys()], split, held).map((id) => all.get(id) as MlaUtterance);
}

/**
 * A list: `{utterance}.mp4 [split|sign] {text} [split|sign] {Class}` a line.
 *
 * @throws {DatasetNotFoundError} If it is not there.
 * @throws {FileFormatError} If a line is not of this form; the message names it.
 */
function readMlaList(
  { root, listFolder = root }: IemocapOptions,
  part: 'train' | 'test',
): readonly MlaUtterance[] {
  const path = join(listFolder, MLA_LISTS[part]);
  if (!existsSync(path)) {
    throw new DatasetNotFoundError({
      dataset: 'IEMOCAP (MLA)',
      root,
      missing: [path],
      howToGet: HOW_TO_GET.mla,
    });
  }
  const lines = readSmallFile(path, LARGEST_LIST)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const utterances = lines.flatMap((line, i): MlaUtterance[] => {
    if (line.trim() === '') return [];
    const fields = line.split(SEPARATOR).map((field) => field.trim());
    const id = (fields[0] as string).replace(/\.mp4$/, '');
    const label = CLASS_NAMES.indexOf(fields.at(-1) as (typeof CLASS_NAMES)[number]);
    if (fields.length < 2 || label < 0) {
      throw new FileFormatError(
        path,
        `line ${i + 1} is not "utterance.mp4 ${SEPARATOR} text ${SEPARATOR} class" with the class ${CLASS_NAMES.join(', ')}.`,
        { line: i + 1 },
      );
    }
    const tokens = join(root, 'text_token', `${part}_token`);
    return [
      {
        id,
        label,
        audio: join(root, 'audio', `${part}_fbank`, `${id}.npy`),
        visual: join(root, 'visual', `${part}_imgs`, id),
        tokens: join(tokens, `${id}_token.npy`),
        padding: join(tokens, `${id}_pm.npy`),
      },
    ];
  });
  checkUtterances(
    utterances.map(({ id }) => id),
    path,
  );
  if (utterances.length === 0) throw new FileFormatError(path, 'lists no utterances.');
  return utterances;
}

/** The utterances whose files are all there; the authors' code leaves out the others without a word. */
export function findUsable(listed: readonly MlaUtterance[]): {
  readonly usable: readonly UsableUtterance[];
  readonly dropped: Readonly<Record<string, readonly string[]>>;
} {
  const dropped: Record<string, string[]> = {};
  const usable = listed.flatMap((utterance): UsableUtterance[] => {
    const pictures = picturesIn(utterance.visual);
    const reasons = [
      !existsSync(utterance.audio) && 'sound missing',
      pictures.length === 0 && 'no pictures',
      !existsSync(utterance.tokens) && 'token ids missing',
      !existsSync(utterance.padding) && 'padding mask missing',
    ].filter((reason) => reason !== false);
    for (const reason of reasons) (dropped[reason] ??= []).push(utterance.id);
    const picture = pictures[Math.floor(pictures.length / 2)];
    return reasons.length > 0 || picture === undefined
      ? []
      : [{ ...utterance, picture: join(utterance.visual, picture) }];
  });
  return { usable, dropped };
}

/** In the order of their numbers or names: the authors take the order of the file system, which differs between machines. */
function picturesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return inOrder(readdirSync(folder).filter((name) => /^[^.].*\.(jpe?g|png)$/i.test(name)));
}

/** `[1024, 128, 1]`, as stored. */
function readAudio({ audio, id }: MlaUtterance): Float32Array {
  return Float32Array.from(numbers(audio, id, [FRAMES, BANDS]));
}

/** `[256, 2]`: the token's id, and 1 where it is padding. */
function readText({ tokens, padding, id }: MlaUtterance): Float32Array {
  const ids = numbers(tokens, id, [1, TOKENS]);
  const mask = numbers(padding, id, [1, TOKENS]);
  const text = new Float32Array(2 * TOKENS);
  for (let i = 0; i < TOKENS; i++) {
    const [token, padded] = [ids[i] as number, mask[i] as number];
    if (!(Number.isInteger(token) && token >= 0 && token < LARGEST_EXACT)) {
      throw new FileFormatError(
        tokens,
        `${id} has the token ${token} at position ${i}; expected an id, a whole number.`,
        { id },
      );
    }
    if (padded !== 0 && padded !== 1) {
      throw new FileFormatError(
        padding,
        `${id} has ${padded} at position ${i}; expected 1 for padding and 0 else.`,
        { id },
      );
    }
    text[2 * i] = token;
    text[2 * i + 1] = padded;
  }
  return text;
}
/** Whole numbers below it are exact in float32. */
const LARGEST_EXACT = 2 ** 24;

function numbers(path: string, id: string, shape: readonly number[]): NumberArray {
  if (!existsSync(path))
    throw new FileFormatError(path, 'is not there any more: put it back, or open the dataset again.', { id });
  const file = openNpy(path);
  try {
    const squeezed = (axes: readonly number[]): string => axes.filter((axis) => axis !== 1).join(', ');
    if (squeezed(file.shape) !== squeezed(shape)) {
      throw new FileFormatError(
        path,
        `has the shape [${file.shape.join(', ')}]; expected [${shape.join(', ')}].`,
        { id },
      );
    }
    const values = file.all();
    assertFinite(values, path, id);
    return values;
  } finally {
    file.close();
  }
}

/** `[256, 256, 3]`: the middle square, or a random crop and flip. */
async function readPicture(path: string, random: RandomStream | undefined): Promise<Float32Array> {
  const picture = await decodeImage(await readWholeFile(path, LARGEST_PICTURE), path);
  const { width, height } = picture;
  const side = Math.min(width, height);
  const middle = {
    top: Math.floor((height - side) / 2),
    left: Math.floor((width - side) / 2),
    height: side,
    width: side,
  };
  const cut = random
    ? { box: randomResizedCrop(picture, random), flip: random.uniform() < 0.5 }
    : { box: middle, flip: false };
  return normalizePixels(resize(picture, { height: SIDE, width: SIDE, ...cut }), IMAGENET);
}
