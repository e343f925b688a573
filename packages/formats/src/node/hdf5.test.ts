import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileFormatError } from '@g2d/core';
import * as h5wasm from 'h5wasm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openHdf5, type Hdf5File } from './hdf5.js';
import { openNpy } from './npy.js';

// In the layout of MMIN's features, goldens by its loader; test/fixtures/io/iemocap/NOTICE.txt says what the data are.
const fixtures = fileURLToPath(new URL('../../../../test/fixtures/io/iemocap', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'g2d-hdf5-'));
afterAll(() => rmSync(folder, { recursive: true }));

const opened: Hdf5File[] = [];
const open = async (path: string): Promise<Hdf5File> => {
  const file = await openHdf5(path);
  opened.push(file);
  return file;
};
afterEach(() => {
  for (const file of opened.splice(0)) file.close();
});

const golden = (name: string): Float32Array => {
  const file = openNpy(join(fixtures, `golden/${name}.npy`));
  const values = file.all() as Float32Array;
  file.close();
  return values;
};

/** Utterances 0 and 3 of the training split of fold 1. */
const UTTERANCES = [
  [0, 'Ses01F_impro01_F000'],
  [3, 'Ses02F_impro05_M010'],
] as const;

describe('openHdf5', () => {
  it.each(UTTERANCES)('equals the golden of utterance %i, %s', async (index, utterance) => {
    const visual = (await open(join(fixtures, 'mmin/V/denseface.h5'))).read(utterance);
    expect(visual).toEqual({ shape: [50, 342], values: golden(`mmin_f1_trn${index}_visual`) });
    const text = (await open(join(fixtures, 'mmin/L/bert_large.h5'))).read(utterance);
    expect(text).toEqual({ shape: [22, 1024], values: golden(`mmin_f1_trn${index}_text`) });

    const statistics = await open(join(fixtures, 'mmin/A/comparE_mean_std.h5'));
    const [mean, std] = ['1/mean', '1/std'].map((name) => statistics.read(name).values);
    const audio = (await open(join(fixtures, 'mmin/A/comparE.h5'))).read(utterance);
    expect(audio.shape[1]).toBe(130);
    const normalized = golden(`mmin_f1_trn${index}_audio`);
    expect(audio.values).toHaveLength(normalized.length);
    audio.values.forEach((value, i) => {
      const wanted = normalized[i] as number;
      const actual = (value - (mean?.[i % 130] as number)) / (std?.[i % 130] as number);
      expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(wanted)));
    });
  });

  it('names groups and datasets, and shapes without reading', async () => {
    const file = await open(join(fixtures, 'mmin/A/comparE_mean_std.h5'));
    expect(file.names()).toEqual(['1', '10', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(file.names('7')).toEqual(['mean', 'std']);
    expect(file.shape('/7/std')).toEqual([130]);
    expect((await open(join(fixtures, 'broken_files/mean_std_without_fold.h5'))).names()).not.toContain('1');
  });

  it('keeps several files apart', async () => {
    const files = await Promise.all(
      ['A/comparE.h5', 'V/denseface.h5', 'L/bert_large.h5'].map((name) => open(join(fixtures, 'mmin', name))),
    );
    expect(files.map((file) => file.shape(UTTERANCES[0][1]))).toEqual([
      [9, 130],
      [50, 342],
      [22, 1024],
    ]);
    files[0]?.close();
    expect(files[1]?.read(UTTERANCES[0][1]).shape).toEqual([50, 342]);
  });

  it('says what is not there, and after close that it is closed', async () => {
    const file = await open(join(fixtures, 'mmin/A/comparE_mean_std.h5'));
    expect(() => file.read('11/mean')).toThrow(/comparE_mean_std\.h5: has no dataset "11\/mean"/);
    expect(() => file.read('1/mean/x')).toThrow(/has no dataset "1\/mean\/x"/);
    expect(() => file.read('1')).toThrow(/"1" is a group/);
    expect(() => file.names('1/mean')).toThrow(/"1\/mean" is a dataset/);
    file.close();
    file.close();
    expect(() => file.read('1/mean')).toThrow(/closed/);
  });

  const whole = readFileSync(join(fixtures, 'mmin/V/denseface.h5'));

  it.each([
    ['a truncated file', whole.subarray(0, 5000), /cannot be read as HDF5 \(truncated file: eof = 5000/],
    [
      'a damaged file',
      Buffer.concat([whole.subarray(0, 60), Buffer.alloc(whole.length - 60)]),
      /cannot be read as HDF5/,
    ],
    ['an empty file', Buffer.alloc(0), /not an HDF5 file/],
    ['another file', Buffer.from('<html>404</html>'), /not an HDF5 file/],
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\n'),
      /is a Git LFS pointer/,
    ],
  ])('refuses %s without printing anything', async (_, content, message) => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const path = join(folder, 'broken.h5');
    writeFileSync(path, content);
    await expect(openHdf5(path)).rejects.toThrow(message);
    await expect(openHdf5(path)).rejects.toThrow(FileFormatError);
    await expect(openHdf5(path)).rejects.toThrow(path);
    expect(print).not.toHaveBeenCalled();
    print.mockRestore();
  });

  it('reports a file that is cut while it is open', async () => {
    const path = join(folder, 'cut.h5');
    writeFileSync(path, whole);
    const file = await open(path);
    truncateSync(path, 2000);
    expect(() => file.read(UTTERANCES[0][1])).toThrow(/cut\.h5: dataset ".*" cannot be read as HDF5/);
  });
});

describe('openHdf5 on files of h5wasm', () => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    const { FS } = await h5wasm.ready;
    const file = new h5wasm.File('/made.h5', 'w');
    file.create_dataset({ name: 'i2', data: Int16Array.of(1, -2) });
    file.create_dataset({ name: 'i8', data: BigInt64Array.of(5n, -(2n ** 40n)) });
    file.create_dataset({ name: 'beyond', data: BigInt64Array.of(2n ** 60n) });
    file.create_dataset({ name: 'text', data: ['a', 'b'] });
    file.create_dataset({
      name: 'packed',
      data: new Float32Array(3000).fill(0.5),
      chunks: [1000],
      compression: 9,
    });
    file.create_dataset({
      name: 'huge',
      data: Float32Array.of(1),
      shape: [1],
      maxshape: [null],
      chunks: [1],
    });
    (file.get('huge') as h5wasm.Dataset).resize([2 ** 40]);
    file.create_external_link('/etc/hostname', '/x', 'outside');
    file.create_soft_link('/i2', 'inside');
    file.create_soft_link('/nowhere', 'dangling');
    file.close();
    bytes = (FS as unknown as { readFile(path: string): Uint8Array }).readFile('/made.h5');
  });

  it('reads integers, and what is compressed', async () => {
    const path = join(folder, 'made.h5');
    writeFileSync(path, bytes);
    const file = await open(path);
    expect(file.read('i2')).toEqual({ shape: [2], values: Int16Array.of(1, -2) });
    expect(file.read('inside').values).toEqual(Int16Array.of(1, -2));
    expect(file.read('i8').values).toEqual(Float64Array.of(5, -(2 ** 40)));
    expect(file.read('packed').values).toEqual(new Float32Array(3000).fill(0.5));
  });

  it.each([
    ['beyond', /dataset "beyond": element 0 is the integer 1152921504606846976/],
    ['text', /dataset "text" holds texts; expected integers, or floats of 16/],
    ['huge', /shape \[1099511627776\], 4398046511104 bytes; at most/],
    ['outside', /has a link in the place of "outside"/],
    ['outside/x', /has a link in the place of "outside\/x"/],
    ['dangling', /has a link in the place of "dangling"/],
  ])('refuses %s', async (name, message) => {
    const path = join(folder, 'made.h5');
    writeFileSync(path, bytes);
    const file = await open(path);
    expect(() => file.read(name)).toThrow(message);
  });
});

// Made with h5py by make.py beside them.
describe.each(['types.h5', 'user-block.h5', 'latest.h5'])('openHdf5 on %s', (name) => {
  const path = join(fixtures, '../hdf5', name);

  it('reads numbers of every type as h5py does', async () => {
    const file = await open(path);
    const half = [1, -0.5, 65504, 2 ** -24, Infinity, 0.333251953125];
    expect(file.read('half')).toEqual({ shape: [2, 3], values: Float32Array.from(half) });
    expect(file.read('half big-endian').values).toEqual(Float32Array.of(1, -0.5, 65504));
    expect(file.read('half packed').values).toEqual(Float32Array.from({ length: 60 }, (_, i) => i));
    expect(file.read('scalar')).toEqual({ shape: [], values: Float32Array.of(1.5) });
    expect(file.read('zero')).toEqual({ shape: [0, 3], values: new Float32Array(0) });
    for (const type of [
      '<f4',
      '>f4',
      '<f8',
      '>f8',
      '<i1',
      '>i2',
      '>i4',
      '>i8',
      '<u1',
      '<u2',
      '>u2',
      '<u4',
      '<u8',
    ]) {
      expect([...file.read(type).values], type).toEqual([1, 2, 100]);
    }
    expect([...file.read('bool').values]).toEqual([1, 0, 1]);
    expect([...file.read('enum').values]).toEqual([0, 2]);
    expect([...file.read('scaled').values]).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it.each([
    ['fixed', /holds texts/],
    ['variable', /holds texts/],
    ['compound', /holds records of several fields, or complex numbers/],
    ['complex', /holds records of several fields, or complex numbers/],
    ['ragged', /holds rows of different length/],
    ['array', /holds arrays as elements/],
    ['reference', /holds references/],
    ['opaque', /holds bytes without a type/],
    ['long double', /holds floats of 128 bits; expected integers, or floats of 16, 32 or 64 bits\. Save it/],
    ['empty', /is empty: it has no shape/],
    [
      'lzf',
      /dataset "lzf" is packed with 'lzf', which is not read here; gzip is\. Convert the file: h5repack/,
    ],
  ])('says what %s holds', async (dataset, message) => {
    const file = await open(path);
    expect(() => file.read(dataset)).toThrow(message);
    expect(() => file.read(dataset)).toThrow(FileFormatError);
  });
});

describe('openHdf5 without h5wasm', () => {
  it('says what to install', async () => {
    vi.doMock('h5wasm', () => {
      throw new Error('Cannot find package');
    });
    await expect(openHdf5(join(fixtures, 'mmin/A/comparE.h5'))).rejects.toMatchObject({
      code: 'G2D_MISSING_DEPENDENCY',
      message: expect.stringContaining('npm install h5wasm') as string,
    });
    vi.doUnmock('h5wasm');
  });
});
