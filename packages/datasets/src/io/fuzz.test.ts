import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { G2DError, randomStream, type RandomStream } from '@g2d/tensor-ops';
import { afterAll, describe, expect, it } from 'vitest';
import { readList } from '../crema-d/list.js';
import { readGcnetLabels } from '../iemocap/gcnet-labels.js';
import { readMisMeTable } from '../mis-me-table.js';
import { readVggSoundTable } from '../vgg-sound/table.js';
import { readCsv } from './csv.js';
import { openHdf5 } from './hdf5.js';
import { readIdx } from './idx.js';
import { readImage } from './image.js';
import { openNpy, readNpyText } from './npy.js';
import { readNpz } from './npz.js';
import { readPickle } from './pickle/read-pickle.js';
import { storeZip } from './stored-zip.js';
import { readWav, wavInfo } from './wav.js';
import { readXlsx } from './xlsx.js';
import { readZip } from './zip.js';

/** Another seed makes other files, and more of them: G2D_FUZZ_SEED=2 G2D_FUZZ_FILES=10000 npx vitest run … */
const SEED = Number(process.env['G2D_FUZZ_SEED'] ?? 1);
const FILES = Number(process.env['G2D_FUZZ_FILES'] ?? 1000);
/** Of one decoder on one of these files, which have up to 10 kB. */
const MOST_SECONDS = 5;
const MOST_BYTES = 2 ** 27;

const fixtures = fileURLToPath(new URL('../../../../test/fixtures/io', import.meta.url));
const pictures = '../transforms/pillow/pictures';
const folder = mkdtempSync(join(tmpdir(), 'g2d-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

const load = (...names: readonly string[]): Buffer[] =>
  names.map((name) => readFileSync(join(fixtures, name)));
const all = (name: string): Buffer[] =>
  load(...readdirSync(join(fixtures, name)).map((file) => join(name, file)));

/** A few damages: single bytes, extreme numbers, cuts, pieces moved, and halves of two files. */
function damaged(original: Buffer, other: Buffer, random: RandomStream): Buffer {
  let bytes = Buffer.from(original);
  for (let count = 1 + random.integer(6); count > 0; count--) {
    if (bytes.length === 0) break;
    // Most of what can go wrong stands at the start.
    const at = random.integer(random.uniform() < 0.5 ? Math.min(200, bytes.length) : bytes.length);
    switch (random.integer(8)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random.integer(other.length + 1))]);
        break;
      case 2: {
        const piece = bytes.subarray(at, at + 1 + random.integer(40));
        bytes = Buffer.concat([bytes.subarray(0, at), piece, piece, bytes.subarray(at)]);
        break;
      }
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(20))]);
        break;
      case 4: {
        const extreme = Buffer.from(
          ['ffffffff', '7fffffff', '00000000', '00000080', 'ffffffffffffff7f', '0000000000000010'][
            random.integer(6)
          ] as string,
          'hex',
        );
        extreme.copy(bytes, at);
        break;
      }
      case 5:
        bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
        break;
      default:
        bytes[at] = random.integer(256);
    }
  }
  return bytes;
}

interface Decoder {
  readonly name: string;
  readonly seeds: readonly Buffer[];
  /** Of the file's name, where it says what the file is. */
  readonly ending?: string;
  /** Makes a damaged file; default: `damaged`. */
  damage?(original: Buffer, other: Buffer, random: RandomStream): Buffer | Promise<Buffer>;
  decode(path: string): unknown;
}

/** Damages one member, so that the archive itself is whole. */
async function damagedMember(original: Buffer, other: Buffer, random: RandomStream): Promise<Buffer> {
  if (random.uniform() < 0.5) return damaged(original, other, random);
  const members = new Map(await readZip(original, 'x.zip'));
  const name = [...members.keys()][random.integer(members.size)] as string;
  const content = members.get(name) as Buffer;
  members.set(name, damaged(content, content, random));
  return storeZip(members);
}

/** `values`, `error` for an error as it should be, or what is wrong with it. */
async function outcomeOf(decode: () => unknown, path: string): Promise<string> {
  try {
    await decode();
    return 'values';
  } catch (error) {
    if (!G2DError.isInstance(error)) return `not an error of ours: ${(error as Error).stack}`;
    const { code, message } = error;
    const good =
      (code === 'G2D_FILE_FORMAT' || code === 'G2D_OPTION') &&
      message.startsWith(path) &&
      message.length > path.length + 10 &&
      message.length < 1500;
    return good ? 'error' : `${code}: ${message}`;
  }
}

const npy = (descr: string, shape: string, data: Buffer, fortran = 'False'): Buffer => {
  const header = Buffer.from(`{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, header, data]);
};
const bytes = Buffer.from(Array.from({ length: 48 }, (_, i) => (i % 8 === 0 ? i : 0)));
const idx = Buffer.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);

const decoders: readonly Decoder[] = [
  {
    name: 'readWav',
    seeds: [...all('wav/wav'), ...all('wav/wav_bad')],
    decode: (path) => [wavInfo(path), readWav(path, { start: 1 }), readWav(path)],
  },
  {
    name: 'openNpy',
    seeds: [
      npy('<f8', '(2, 3)', bytes),
      npy('>i2', '(2, 3, 4)', bytes, 'True'),
      npy('|b1', '(48,)', bytes),
      npy('<i8', '(6,)', bytes),
    ],
    decode(path) {
      const file = openNpy(path);
      try {
        return [(file.shape[0] ?? 1) > 0 ? file.row(0) : undefined, file.all()];
      } finally {
        file.close();
      }
    },
  },
  {
    name: 'readNpyText',
    seeds: [
      npy('|S8', '(6, 1)', bytes),
      npy('<U4', '(3,)', bytes),
      ...load('iemocap/mmin/target/1/trn_int2name.npy'),
    ],
    decode: readNpyText,
  },
  {
    name: 'readNpz',
    seeds: load('numpy/stored.npz', 'numpy/compressed.npz'),
    damage: damagedMember,
    decode: async (path) => [...(await readNpz(path)).values()].map((file) => file.all()),
  },
  {
    name: 'readPickle',
    seeds: [
      ...load(...[0, 1, 2, 3, 4, 5].map((protocol) => `numpy/protocol${protocol}.pkl`)),
      ...load('iemocap/gcnet/IEMOCAP_features_raw_4way.pkl', 'urfunny/raw_python2_p2/language_sdk.pkl'),
      ...all('urfunny/broken_files').filter(({ length }) => length < 10_000),
    ],
    decode: (path) => [readPickle(path), readPickle(path, { packNumbers: true })],
  },
  {
    name: 'readCsv',
    seeds: [
      ...load('misme/classification/combined_only_train_set.csv'),
      Buffer.from('\uFEFF-id,30,"playing ""bongo"", drumming",train\r\n\r\n"two\nlines",é,,test\r\n'),
    ],
    decode: readCsv,
  },
  {
    name: 'readXlsx',
    seeds: load('misme/classification/combined_only_train_set.xlsx', 'misme/broken_files/formula_cell.xlsx'),
    damage: damagedMember,
    decode: (path) => readXlsx(path),
  },
  {
    name: 'openHdf5',
    seeds: load('iemocap/broken_files/mean_std_without_fold.h5'),
    async decode(path) {
      const file = await openHdf5(path);
      try {
        return file
          .names()
          .slice(0, 3)
          .map((group) =>
            file
              .names(group)
              .slice(0, 3)
              .map((name) => file.read(`${group}/${name}`)),
          );
      } finally {
        file.close();
      }
    },
  },
  { name: 'readIdx', seeds: [idx, gzipSync(idx)], decode: readIdx },
  { name: 'readImage', seeds: all(pictures).filter(({ length }) => length < 10_000), decode: readImage },
  {
    name: "readList, of CREMA-D's clips",
    seeds: [
      Buffer.from('1001_DFA_ANG_XX,ANG\r\n1002_IEO_SAD_HI,SAD\r\n'),
      Buffer.from('\uFEFF1091_WSI_NEU_XX,NEU\n\n'),
    ],
    decode: readList,
  },
  {
    name: 'readVggSoundTable',
    seeds: load(
      '../datasets/vggsound/root/vggsound.csv',
      '../datasets/vggsound/root/vggsound_with_header.csv',
    ),
    decode: readVggSoundTable,
  },
  {
    name: 'readMisMeTable',
    ending: '.csv',
    seeds: load(
      'misme/classification/combined_only_train_set.csv',
      'misme/classification/OK001_only_test_set.csv',
    ),
    decode: readMisMeTable,
  },
  {
    name: 'readGcnetLabels',
    seeds: load(
      'iemocap/gcnet/IEMOCAP_features_raw_4way.pkl',
      'iemocap/gcnet/protocol2/IEMOCAP_features_raw_4way.pkl',
    ),
    decode: (path) => readGcnetLabels(path, 4),
  },
];

describe('a decoder', () => {
  it.each(decoders)(
    `$name gives values or an error that names file and reason, on ${FILES} damaged files`,
    async ({ name, seeds, ending = '', damage = damaged, decode }) => {
      const random = randomStream(SEED);
      let values = 0;
      let errors = 0;
      for (let i = 0; i < FILES; i++) {
        const [seed, other] = [0, 1].map(() => seeds[random.integer(seeds.length)] as Buffer) as [
          Buffer,
          Buffer,
        ];
        const path = join(folder, `${name.replaceAll(/\W/g, '')}-${i}${ending}`);
        writeFileSync(path, await damage(seed, other, random));
        const memory = process.memoryUsage();
        const start = performance.now();
        const outcome = await outcomeOf(() => decode(path), path);
        // Files come back with the seed: the number is enough to make this one again.
        expect(['values', 'error'], `file ${i} of seed ${SEED}`).toContain(outcome);
        if (outcome === 'values') values++;
        else errors++;
        expect(performance.now() - start).toBeLessThan(1000 * MOST_SECONDS);
        const { arrayBuffers, heapUsed } = process.memoryUsage();
        expect(arrayBuffers - memory.arrayBuffers + heapUsed - memory.heapUsed).toBeLessThan(MOST_BYTES);
        rmSync(path);
      }
      // Both happen, or the damage is too small or too large to test anything.
      expect(values).toBeGreaterThan(FILES / 100);
      expect(errors).toBeGreaterThan(FILES / 10);
      expect(existsSync('PICKLE_WAS_EXECUTED.txt')).toBe(false);
    },
    120 * FILES,
  );
});
