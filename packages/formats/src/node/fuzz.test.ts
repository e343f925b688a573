import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RandomStream } from '@g2d/core';
import { damaged, describeDecoders, fixtures, load, type Decoder } from '../../test/fuzz.js';
import { readCsv } from './csv.js';
import { openHdf5 } from './hdf5.js';
import { readIdx } from './idx.js';
import { readImage } from './image.js';
import { openNpy, readNpyText } from './npy.js';
import { readNpz } from './npz.js';
import { readPickle } from './pickle/read-pickle.js';
import { readZip } from './read-zip.js';
import { storeZip } from './store-zip.js';
import { readWav, wavInfo } from './wav.js';
import { readXlsx } from './xlsx.js';

const pictures = '../transforms/pillow/pictures';
const all = (name: string): Buffer[] =>
  load(...readdirSync(join(fixtures, name)).map((file) => join(name, file)));

/** Damages one member, so that the archive itself is whole. */
function damagedMember(original: Buffer, other: Buffer, random: RandomStream): Buffer {
  if (random.uniform() < 0.5) return damaged(original, other, random);
  const members = new Map(readZip(original, 'x.zip'));
  const name = [...members.keys()][random.integer(members.size)] as string;
  const content = members.get(name) as Buffer;
  members.set(name, damaged(content, content, random));
  return storeZip(members);
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
    decode: (path) => [...readNpz(path).values()].map((file) => file.all()),
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
];

describeDecoders(decoders);
