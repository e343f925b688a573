// Makes the files that the page loads its data from: packages/playground/public/data, from the repository's data/. Run by `npm run playground` and
// `npm run site`; it does nothing where the files are newer than their sources.
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildSmallAvMnist, type SmallAvMnistPair } from '@g2d/datasets';
import { decodeWav, readIdx, readZip, writeFileAtomic } from '@g2d/formats/node';
import { encodePack, toInt16, type Pack } from '../src/training/pack.js';

const SPLITS = ['train', 'validation', 'test'] as const;
const PIXELS = 28 * 28;
/** As `buildSmallAvMnist` has them: the first pictures of the training file. */
const COMPONENTS_OF = 2000;

/** @returns The files, by split. */
export async function packData(
  sources: string,
  out: string,
): Promise<Readonly<Record<(typeof SPLITS)[number], string>>> {
  const { root, validationRows } = await buildSmallAvMnist({
    sources,
    out: join(sources, 'built', 'av-mnist-small-main'),
  });
  const index = join(root, 'pairs.json');
  const files = {
    train: join(out, 'train.pack'),
    validation: join(out, 'validation.pack'),
    test: join(out, 'test.pack'),
  };
  const made = statSync(index).mtimeMs;
  const isNew = (path: string): boolean => existsSync(path) && statSync(path).mtimeMs >= made;
  if (SPLITS.every((split) => isNew(files[split]))) return files;

  const rows = JSON.parse(readFileSync(index, 'utf8')) as Record<'train' | 'test', SmallAvMnistPair[]>;
  const pairs = {
    train: rows.train.slice(0, -validationRows),
    validation: rows.train.slice(-validationRows),
    test: rows.test,
  };
  const digits = (name: string): Uint8Array => readIdx(join(sources, 'mnist', name)).data;
  const pictures = {
    train: digits('train20k-images-idx3-ubyte.gz'),
    test: digits('t10k-images-idx3-ubyte.gz'),
  };
  const archive = (name: string) => readZip(readFileSync(join(sources, name)), name);
  const speech = archive('fsdd.zip');
  const noise = archive('esc10.zip');
  mkdirSync(out, { recursive: true });
  for (const split of SPLITS) {
    const all = pictures[split === 'test' ? 'test' : 'train'];
    const recordings = new Places(speech);
    const clips = new Places(noise);
    const pack: Pack = {
      pairs: pairs[split].map(({ digit, recording, clip, offset }) => ({
        digit,
        recording: recordings.of(recording),
        clip: clips.of(clip),
        offset,
      })),
      pictures: pairs[split].map(({ image }) => all.subarray(image * PIXELS, (image + 1) * PIXELS)),
      recordings: recordings.sounds,
      clips: clips.sounds,
      componentsOf: split === 'train' ? all.subarray(0, COMPONENTS_OF * PIXELS) : new Uint8Array(0),
    };
    writeFileAtomic(files[split], gzipSync(encodePack(pack), { level: 9 }));
  }
  return files;
}

/** The sounds of an archive that are used, in the order of their first use. */
class Places {
  readonly sounds: Int16Array[] = [];
  readonly #places = new Map<string, number>();
  readonly #members: ReadonlyMap<string, Uint8Array>;

  constructor(members: ReadonlyMap<string, Uint8Array>) {
    this.#members = members;
  }

  of(name: string): number {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const member = `${name}.wav`;
    const { channels } = decodeWav(this.#members.get(member) as Uint8Array, member);
    this.#places.set(name, this.sounds.length);
    return this.sounds.push(toInt16(channels[0] as Float32Array)) - 1;
  }
}

/** The repository's folders. */
export const REPOSITORY = resolve(import.meta.dirname, '../../..');
export const DATA = join(REPOSITORY, 'data');
export const PACKED = resolve(import.meta.dirname, '../public/data');
