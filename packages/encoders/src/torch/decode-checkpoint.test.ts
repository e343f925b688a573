import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileFormatError, G2DError } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, type Checkpoint } from './decode-checkpoint.js';

const folder = join(import.meta.dirname, '../../test/torch');
const read = (name: string): Uint8Array => readFileSync(join(folder, name));
const decode = (name: string): Checkpoint => decodeCheckpoint(read(name), name);

type Tensors = Readonly<Record<string, { readonly shape: number[]; readonly values: number[] }>>;
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, Tensors>;

const plain = ({ tensors }: Checkpoint): Tensors =>
  Object.fromEntries(
    Array.from(tensors, ([name, tensor]) => [
      name,
      { shape: [...tensor.shape], values: [...tensor.values()] },
    ]),
  );

/** Decodes and looks at all values: the number of tensors, or the message of the error, which must be the caller's. */
function outcome(file: Uint8Array): number | string {
  try {
    const { tensors } = decodeCheckpoint(file, 'x');
    for (const tensor of tensors.values()) {
      // A view of few elements can be of any size; whoever asks for its values knows what size to expect.
      const size = tensor.shape.reduce((product, axis) => product * axis, 1);
      if (tensor.problem === undefined && size < 1e6) tensor.values();
    }
    return tensors.size;
  } catch (error) {
    if (G2DError.isInstance(error) && error.code === 'G2D_FILE_FORMAT') return error.message;
    throw error;
  }
}

describe('decodeCheckpoint', () => {
  it.each(Object.keys(expected).filter((name) => !/:|neighbours/.test(name)))(
    'reads %s as PyTorch does',
    (name) => {
      expect(plain(decode(name))).toEqual(expected[name]);
    },
  );

  it('tells the formats apart by content', () => {
    expect(decode('image.pth').format).toBe('pth');
    expect(decode('image-legacy.pth').format).toBe('pth-legacy');
    expect(decode('protocol-1-legacy.pth').format).toBe('pth-legacy');
    expect(decode('image.safetensors').format).toBe('safetensors');
    expect(() => decodeCheckpoint(new TextEncoder().encode('<!doctype html>'), 'a.pth')).toThrow(
      /^a\.pth: a web page or XML/,
    );
    expect(() => decodeCheckpoint(new Uint8Array(0), 'a.pth')).toThrow(
      /neither a PyTorch checkpoint .* \(0 bytes\)/,
    );
    expect(() => decodeCheckpoint(Buffer.from('version https://git-lfs.github.com/spec'), 'a.pth')).toThrow(
      /is a Git LFS pointer/,
    );
    expect(() => decodeCheckpoint(Buffer.from('\x89HDF\r\n', 'latin1'), 'a.h5')).toThrow(/an HDF5 file/);
    expect(() => decodeCheckpoint(Buffer.from('\x1f\x8b\x08', 'latin1'), 'a.pth.gz')).toThrow(/gunzip/);
  });

  describe.each(Object.keys(expected).filter((name) => name.startsWith('neighbours')))('on %s', (name) => {
    it('reads the weights beside all that a training saves', () => {
      const { tensors } = decode(name);
      const readable = [...tensors].filter(([, { problem }]) => problem === undefined);
      const found = plain({ format: 'pth', tensors: new Map(readable) });
      expect(found).toEqual(expected[name]);
    });

    it.each([
      [
        'sparse',
        [2, 2],
        /tensor "sparse" is sparse\. Save it as a plain tensor, for example with \.to_dense\(\)/,
      ],
      ['csr', [2, 2], /tensor "csr" is sparse/],
      ['quantized', [2], /tensor "quantized" is quantized/],
      ['per_channel', [2, 1], /is quantized/],
      ['complex', [1], /tensor "complex" has elements of type complex64\. Convert it/],
      ['complex128', [1], /elements of type complex128/],
      ['negative', [2], /tensor "negative" is one that PyTorch negates/],
      ['meta', [2, 3], /tensor "meta" has no values/],
    ])('lists %s, and says what it is once its values are wanted', (tensor, shape, message) => {
      const { [tensor]: found } = Object.fromEntries(decode(name).tensors);
      expect(found?.shape).toEqual(shape);
      expect(() => found?.values()).toThrow(message);
      expect(() => found?.values()).toThrow(FileFormatError);
    });
  });

  it('finds tensors in nested dictionaries and lists, whatever else is there', () => {
    const { tensors } = decode('training.pth');
    expect([...tensors.keys()]).toEqual(
      expect.arrayContaining(['model.conv1.weight', 'optimizer.state.0.exp_avg']),
    );
    expect(tensors.get('model.bn1.num_batches_tracked')?.shape).toEqual([]);
  });

  const refused = {
    'refused-system.pth': /run or make "posix\.system" \(byte \d+\); nothing was executed/,
    'refused-system-4.pth': /"posix\.system"/,
    'refused-eval.pth': /"__builtin__\.eval"/,
    'refused-getattr.pth': /"__builtin__\.getattr"/,
    'refused-ctypes.pth': /"ctypes\.CDLL"/,
    'refused-own-class.pth':
      /wants Python to run or make "own\.Own" \(byte \d+\); nothing was executed.*torch\.save\(model\.state_dict\(\), file\)/,
    'refused-module.pth': /"torch\.nn\.modules\.linear\.Linear"/,
    'refused-protocol-0.pth': /pickle_protocol=0, which PyTorch itself cannot load/,
    'refused-torchscript.pth': /a TorchScript program/,
    'refused-deflated.pth': /"protocol-2\/byteorder" is compressed/,
    'refused-no-checkpoint.pth': /has no data\.pkl/,
  };

  it('has a test for every refused file', () => {
    expect(Object.keys(refused).sort()).toEqual(
      readdirSync(folder)
        .filter((name) => name.startsWith('refused'))
        .sort(),
    );
  });

  it.each(Object.entries(refused))('refuses %s and says why', (name, message) => {
    expect(() => decode(name)).toThrow(message);
    expect(outcome(read(name))).toMatch(/^x: /);
  });

  it.each(['views.pth', 'views-legacy.pth', 'training.pth', 'image.safetensors', 'protocol-4-legacy.pth'])(
    'says of a truncated %s that it is truncated or no checkpoint, wherever it ends',
    (name) => {
      const file = read(name);
      for (let length = 0; length < file.length; length++) {
        expect(outcome(file.subarray(0, length)), `${length} bytes`).toMatch(
          length < 16 ? /truncated|neither/ : /truncated/,
        );
      }
    },
  );

  it('finds damaged bytes by the checksums of the zip archive', () => {
    const file = Uint8Array.from(read('image.pth'));
    const { tensors } = decodeCheckpoint(file, 'x');
    const values = tensors.get('layer1.0.weight')!.values();
    const bytes = new Uint8Array(values.buffer);
    const at = Buffer.from(file).indexOf(bytes);
    file[at] = (file[at] as number) ^ 1;
    const damaged = decodeCheckpoint(file, 'a.pth').tensors.get('layer1.0.weight')!;
    expect(() => damaged.values()).toThrow(
      /a\.pth: damaged: the checksum of "image\/data\/\d+" does not agree/,
    );
  });

  it('takes archives whose checksums were not computed, as newer versions of PyTorch can write', () => {
    const file = Uint8Array.from(read('image.pth'));
    const view = new DataView(file.buffer);
    for (let at = 0; at + 4 < file.length; at++) {
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 16, 0, true);
    }
    expect(plain(decodeCheckpoint(file, 'x'))).toEqual(expected['image.pth']);
  });

  it('never fails in another way, whatever bytes change', () => {
    const random = randomStream(20240807);
    const outcomes = new Set<string>();
    for (const name of [
      'views.pth',
      'views-legacy.pth',
      'training.pth',
      'old-pytorch.pth',
      'neighbours-2.pth',
      'neighbours-legacy.pth',
      'types.safetensors',
    ]) {
      const original = read(name);
      for (let round = 0; round < 300; round++) {
        const file = Uint8Array.from(original);
        for (let change = 0; change <= round % 4; change++) {
          // Mostly near the start, where the structure is.
          const at = Math.floor(random.uniform() ** 2 * file.length);
          file[at] = random.integer(256);
        }
        const result = outcome(file);
        outcomes.add(typeof result === 'number' ? 'read' : result.slice(0, 12));
      }
    }
    expect(outcomes.size).toBeGreaterThan(5);
  });
});
