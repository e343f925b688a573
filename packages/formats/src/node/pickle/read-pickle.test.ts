import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileFormatError } from '@g2d/core';
import { describe, expect, it } from 'vitest';
import { sourceOf } from '../byte-source.js';
import { openNpy } from '../npy.js';
import { NdArray } from './nd-array.js';
import { readPickle, unpickle } from './read-pickle.js';

const fixtures = fileURLToPath(new URL('../../../../../test/fixtures/io', import.meta.url));

/** A pickle of these parts: text stands for its characters' codes. */
function pickled(...parts: readonly (string | readonly number[] | Uint8Array)[]): unknown {
  const bytes = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );
  return unpickle(sourceOf(bytes, 'x.pkl'));
}

describe('readPickle', () => {
  it.each([0, 1, 2, 3, 4, 5])('reads what Python 3 writes with protocol %i', (protocol) => {
    const values = readPickle(join(fixtures, `numpy/protocol${protocol}.pkl`)) as Map<string, unknown>;
    const array = (name: string): unknown[] => {
      const value = values.get(name);
      if (!(value instanceof NdArray)) throw new Error(`${name} is no array`);
      return [value.dtype, value.shape, value.values];
    };
    expect(array('f2')).toEqual(['f2', [3], Float32Array.of(1.5, -2, Infinity)]);
    expect(array('f4 Fortran')).toEqual(['f4', [2, 3], Float32Array.of(0, 1, 2, 3, 4, 5)]);
    expect(array('i4 big-endian')).toEqual(['i4', [3], Int32Array.of(1, 2, -300)]);
    expect(array('i8')).toEqual(['i8', [2], Float64Array.of(-5, 2 ** 40)]);
    expect(array('u1')).toEqual(['u1', [1, 2, 1], Uint8Array.of(1, 255)]);
    expect(array('bool')).toEqual(['b1', [2], Uint8Array.of(1, 0)]);
    expect(array('S')).toEqual(['S3', [2], ['ab', 'cde']]);
    expect(array('U')).toEqual(['U3', [2], ['x', 'yzé']]);
    expect(array('objects')).toEqual(['O', [3], [1, 'a', null]]);
    expect(array('empty')).toEqual(['f4', [0, 3], new Float32Array(0)]);
    expect(values.get('scalar')).toBe(2.5);
    expect(values.get('integer scalar')).toBe(-7);
    expect(values.get('floats')).toEqual([1.5, -Infinity, 1e-300, NaN]);
    expect(values.get('integers')).toEqual([0, 1, 255, 256, 65536, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 53 - 1]);
    expect(values.get('beyond doubles')).toEqual([2n ** 53n + 1n, -(2n ** 70n), 2n ** 2000n]);
    expect(values.get('constants')).toEqual([true, false, null]);
    expect((values.get('bytes') as Uint8Array[]).map((bytes) => Array.from(bytes))).toEqual([
      [],
      [0x61, 0xff, 0x0a, 0x27, 0x5c],
    ]);
    expect(values.get('text')).toEqual(['', 'café € 😀 \\u0041\n\'"']);
    expect(values.get('sets')).toEqual([new Set([1]), new Set([2])]);
    expect(values.get('ordered')).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
    expect(values.get('tuples')).toEqual([[], [1], [1, 2], [1, 2, 3], [1, 2, 3, [4]]]);
    const [first, second] = values.get('same') as unknown[];
    expect(first).toBe(second);
  });

  // pickle.dumps({'counter': Counter('aab'), 'defaultdict': …, 'bytearray': […], 'complex': 1-2j, 'int': …}, protocol)
  it.each([
    [
      2,
      '80027d7100285807000000636f756e746572710163636f6c6c656374696f6e730a436f756e7465720a71027d71032858010000006171044b0258010000006271054b0175857106527107580b00000064656661756c7464696374710863636f6c6c656374696f6e730a64656661756c74646963740a7109635f5f6275696c74696e5f5f0a6c6973740a710a85710b52710c58010000006b710d5d710e4b0161735809000000627974656172726179710f5d711028635f5f6275696c74696e5f5f0a6279746561727261790a7111635f636f646563730a656e636f64650a7112580300000061c3bf711358060000006c6174696e317114867115527116857117527118681129527119655807000000636f6d706c6578711a635f5f6275696c74696e5f5f0a636f6d706c65780a711b473ff000000000000047c00000000000000086711c52711d5803000000696e74711e6809635f5f6275696c74696e5f5f0a6c6f6e670a711f85712052712158010000006171224b0373752e',
    ],
    [
      5,
      '800595f0000000000000007d94288c07636f756e746572948c0b636f6c6c656374696f6e73948c07436f756e7465729493947d94288c0161944b028c0162944b0175859452948c0b64656661756c74646963749468028c0b64656661756c74646963749493948c086275696c74696e73948c046c697374949394859452948c016b945d944b0161738c09627974656172726179945d942896020000000000000061ff9496000000000000000094658c07636f6d706c657894680d8c07636f6d706c6578949394473ff000000000000047c000000000000000869452948c03696e7494680c680d8c03696e74949394859452948c0161944b0373752e',
    ],
  ])('reads counters, default dictionaries, byte arrays and complex numbers of protocol %i', (_, hex) => {
    const values = pickled(Buffer.from(hex, 'hex')) as Map<string, unknown>;
    expect(Object.fromEntries(values)).toEqual({
      counter: new Map([
        ['a', 2],
        ['b', 1],
      ]),
      defaultdict: new Map([['k', [1]]]),
      bytearray: [expect.anything(), expect.anything()],
      complex: { re: 1, im: -2 },
      int: new Map([['a', 3]]),
    });
    expect((values.get('bytearray') as Uint8Array[]).map((bytes) => [...bytes])).toEqual([[0x61, 0xff], []]);
  });

  it('reads labels of GCNet alike from protocols 4 and 2', () => {
    const read = (path: string): unknown[] => readPickle(join(fixtures, 'iemocap/gcnet', path)) as unknown[];
    const parts = read('IEMOCAP_features_raw_4way.pkl');
    expect(parts).toHaveLength(6);
    expect((parts[0] as Map<string, string[]>).get('Ses01F_impro01')).toEqual([
      'Ses01F_impro01_F000',
      'Ses01F_impro01_F001',
    ]);
    expect(parts[4]).toEqual(
      new Set(['Ses01F_impro01', 'Ses02M_script01_1', 'Ses03F_impro02', 'Ses04M_impro05']),
    );
    expect(parts[5]).toEqual(new Set(['Ses05F_impro03']));
    expect(read('protocol2/IEMOCAP_features_raw_4way.pkl')).toEqual(parts);
  });
});

interface Golden {
  readonly file?: string;
  readonly shape: readonly number[];
  readonly positions: readonly (readonly [number, number | string])[];
}
interface GoldenSample {
  readonly length: number;
  readonly label: number;
  readonly audio: Golden;
  readonly visual: Golden;
  readonly text: Golden;
}
// Made with the AGM repository's loader; test/fixtures/io/urfunny/NOTICE.txt says what the data are.
const urFunny = join(fixtures, 'urfunny');
const golden = JSON.parse(readFileSync(join(urFunny, 'expected.json'), 'utf8')) as {
  readonly raw: {
    readonly ids: Readonly<Record<string, readonly number[]>>;
    readonly labels: Readonly<Record<string, number>>;
    readonly punchline_sentence_latin1: Readonly<Record<string, string>>;
    readonly punchline_sentences: Readonly<Record<string, string>>;
    readonly splits: Readonly<
      Record<string, { readonly samples: readonly (GoldenSample & { readonly id: number })[] }>
    >;
  };
  readonly packed: {
    readonly files: readonly string[];
    readonly splits: Readonly<
      Record<
        string,
        {
          readonly rows: number;
          readonly labels_raw: readonly number[];
          readonly samples: readonly (GoldenSample & { readonly row: number })[];
        }
      >
    >;
  };
};

type Row = ArrayLike<number>;

/** A list of lists, or an array with two axes, as rows. */
function rowsOf(value: unknown): Row[] {
  if (!(value instanceof NdArray)) return value as Row[];
  const [count = 0, width = 0] = value.shape;
  return Array.from({ length: count }, (_, i) =>
    (value.values as Float32Array).slice(i * width, (i + 1) * width),
  );
}

/** A row of a list of rows may be an array itself. */
const plain = (row: unknown): Row => (row instanceof NdArray ? (row.values as Float32Array) : (row as Row));

/** Rows against a golden array: equal as float32; AGM made 0 of −∞ in the sound. */
function expectEqual(rows: readonly Row[], { file, shape, positions }: Golden): void {
  expect([rows.length, rows[0]?.length]).toEqual(shape);
  const flat = rows.flatMap((row) =>
    Array.from(row, (value) => (value === -Infinity ? 0 : Math.fround(value))),
  );
  expect(positions.length).toBeGreaterThan(0);
  const wanted = Float32Array.from(flat);
  for (const [at, value] of positions) wanted[at] = Number(value);
  if (file !== undefined) {
    const whole = openNpy(join(urFunny, file));
    wanted.set(whole.all());
    whole.close();
  }
  expect(Float32Array.from(flat)).toEqual(wanted);
}

describe('readPickle on UR-FUNNY', () => {
  const trees = ['raw_python2_p2', 'raw_python3_p4'];

  it.each(trees.flatMap((tree) => [false, true].map((packNumbers) => ({ tree, packNumbers }))))(
    'reads $tree (packNumbers: $packNumbers)',
    ({ tree, packNumbers }) => {
      const read = (name: string): Map<unknown, unknown> =>
        readPickle(join(urFunny, tree, `${name}.pkl`), { packNumbers }) as Map<unknown, unknown>;
      const folds = read('data_folds');
      const labels = read('humor_label_sdk');
      const language = read('language_sdk') as Map<number, Map<string, unknown>>;
      const audio = read('covarep_features_sdk') as Map<number, Map<string, unknown>>;
      const visual = read('openface_features_sdk') as Map<number, Map<string, unknown>>;
      const embeddings = rowsOf(read('word_embedding_list')).map(plain);
      for (const [split, ids] of Object.entries(golden.raw.ids)) {
        expect(Array.from(folds.get(split) as Row)).toEqual(ids);
      }
      expect(Object.fromEntries(labels)).toEqual(golden.raw.labels);
      const sentences = { ...golden.raw.punchline_sentences };
      if (tree.includes('python2')) sentences['104'] = golden.raw.punchline_sentence_latin1['104'] as string;
      for (const [id, sentence] of Object.entries(sentences)) {
        expect(language.get(Number(id))?.get('punchline_sentence')).toBe(sentence);
      }
      for (const { samples } of Object.values(golden.raw.splits)) {
        for (const sample of samples) {
          const words = (rows: unknown): Row[] => rowsOf(rows).slice(0, 20);
          const indexes = Array.from(language.get(sample.id)?.get('punchline_embedding_indexes') as Row);
          const text = indexes.slice(0, 20).map((index) => embeddings[index] as Row);
          const first = text.findIndex((row) => Array.from(row).some((value) => value !== 0));
          expectEqual(text.slice(first), sample.text);
          const features = (from: Map<number, Map<string, unknown>>): Row[] =>
            words(from.get(sample.id)?.get('punchline_features')).map(plain);
          expectEqual(features(audio).slice(first), sample.audio);
          expectEqual(features(visual).slice(first), sample.visual);
        }
      }
    },
  );

  it('reads arrays that Python 2 wrote, as Python 3 wrote them', () => {
    const covarep = (tree: string): Map<number, Map<string, unknown>> =>
      readPickle(join(urFunny, tree, 'covarep_features_sdk.pkl')) as Map<number, Map<string, unknown>>;
    const [old, recent] = [covarep('raw_python2_numpy_p2'), covarep('raw_python3_p4')];
    expect([...old.keys()].sort()).toEqual([101, 102, 104]);
    for (const [id, item] of old) {
      expect(item.get('punchline_features')).toBeInstanceOf(NdArray);
      expect(rowsOf(item.get('punchline_features'))).toEqual(
        rowsOf(recent.get(id)?.get('punchline_features')),
      );
    }
    const embeddings = (tree: string): unknown => readPickle(join(urFunny, tree, 'word_embedding_list.pkl'));
    const values = (list: unknown): unknown =>
      (list as NdArray[]).map(({ shape, values }) => [shape, values]);
    expect(values(embeddings('raw_python2_numpy_p2'))).toEqual(values(embeddings('raw_python3_p4')));
  });

  it('reads version 1 of the data', () => {
    const read = (tree: string, name: string): Map<number, Map<string, unknown>> =>
      readPickle(join(urFunny, tree, name)) as Map<number, Map<string, unknown>>;
    const one = read('raw_v1_p3', 'openface_features_sdk.pkl');
    const two = read('raw_python3_p4', 'openface_features_sdk.pkl');
    expect([...one.keys()].sort()).toEqual([101, 102, 104]);
    for (const [id, item] of one) {
      const rows = rowsOf(item.get('punchline_features'));
      expect(rows).toEqual(
        rowsOf(two.get(id)?.get('punchline_features')).map((row) => (row as Float32Array).slice(0, 75)),
      );
    }
    const indexes = read('raw_v1_p3', 'word_embedding_indexes_sdk.pkl');
    const language = read('raw_python3_p4', 'language_sdk.pkl');
    expect(indexes.get(102)?.get('punchline_embedding_indexes')).toEqual(
      language.get(102)?.get('punchline_embedding_indexes'),
    );
  });

  it.each(golden.packed.files)('reads %s', (file) => {
    const data = readPickle(join(urFunny, file)) as Map<string, Map<string, NdArray>>;
    for (const [split, { rows, labels_raw: labels, samples }] of Object.entries(golden.packed.splits)) {
      const part = data.get(split) as Map<string, NdArray>;
      const text = part.get('text') as NdArray;
      expect(text.shape[0]).toBe(rows);
      expect(Array.from(part.get('labels')?.values as Row, Math.fround)).toEqual(labels.map(Math.fround));
      for (const sample of samples) {
        const steps = (name: string): Row[] => {
          const { shape, values } = part.get(name) as NdArray;
          const [, length = 0, width = 0] = shape;
          return Array.from({ length }, (_, t) => {
            const at = (sample.row * length + t) * width;
            return (values as Float32Array).slice(at, at + width);
          });
        };
        const first = steps('text').findIndex((row) => Array.from(row).some((value) => value !== 0));
        expectEqual(steps('text').slice(first), sample.text);
        expectEqual(steps('audio').slice(first), sample.audio);
        expectEqual(steps('vision').slice(first), sample.visual);
      }
    }
  });
});

describe('readPickle on what is broken or dangerous', () => {
  const messages: Readonly<Record<string, RegExp>> = {
    'builtins_eval_in_dict_p2.pkl': /import "(__builtin__|builtins)\.eval"; nothing was executed/,
    'ext1_registry.pkl': /extension registry/,
    'getattr_chain_p4.pkl': /import "builtins\.getattr"/,
    'huge_length.pkl': /truncated/,
    'inst_opcode_p0.pkl': /import "os\.system"/,
    'memo_missing.pkl': /memo/,
    'no_stop.pkl': /truncated/,
    'numpy_dotted_name_p4.pkl': /import "numpy\.f2py\.crackfortran\.myeval"/,
    'obj_opcode_p1.pkl': /import "os\.system"/,
    'os_system_p0.pkl': /import "(os|posix)\.system"/,
    'os_system_p2.pkl': /import "(os|posix)\.system"/,
    'os_system_p4_stack_global.pkl': /import "(os|posix)\.system"/,
    'persid.pkl': /outside of the file/,
    'recursion.pkl': /more than 100 deep/,
  };

  it.each(Object.entries(messages))('refuses %s, naming file and reason', (file, message) => {
    const path = join(urFunny, 'broken_files', file);
    expect(() => readPickle(path)).toThrow(FileFormatError);
    expect(() => readPickle(path)).toThrow(message);
    expect(() => readPickle(path)).toThrow(path);
    expect(existsSync('PICKLE_WAS_EXECUTED.txt')).toBe(false);
  });

  it('has a verdict on every broken fixture', () => {
    expect(readdirSync(join(urFunny, 'broken_files')).sort()).toEqual(Object.keys(messages).sort());
  });

  it('calls a pickle cut off anywhere truncated', () => {
    const whole = readFileSync(join(fixtures, 'iemocap/gcnet/IEMOCAP_features_raw_4way.pkl'));
    for (let length = 0; length < whole.length; length += 7) {
      expect(() => unpickle(sourceOf(whole.subarray(0, length), 'x.pkl'))).toThrow(/^x\.pkl: truncated/);
    }
  });

  it.each([
    ['a Git LFS pointer', ['version https://git-lfs.github.com/spec/v1\n'], /is a Git LFS pointer/],
    ['a web page', ['<html>404</html>'], /not a pickle, or damaged: 0x3c/],
    ['an unknown protocol', [[0x80, 6], 'N.'], /protocol 6/],
    ['nothing to give', ['.'], /damaged/],
    ['an item without a list', ['K', [1], 'a.'], /damaged/],
    ['a number for a list', ['K', [1], 'K', [2], 'a.'], /damaged/],
    ['an odd number of entries', ['}(K', [1], 'u.'], /damaged/],
    ['items below a mark', ['](', 'K', [1], 'a.'], /damaged/],
    ['no mark', [']e.'], /damaged/],
    ['a call of a value', ['K', [1], ')R.'], /damaged/],
    ['a call without arguments', ['cnumpy\ndtype\nK', [1], 'R.'], /damaged/],
    ['attributes of a dictionary', ['}}b.'], /sets the attributes/],
    ['a new object', ['cbuiltins\nset\n)', [0x81], '.'], /object of a Python class/],
    ['a buffer elsewhere', [[0x97], '.'], /buffers outside/],
    ['an integer of a gigabyte', [[0x8b, 0, 0, 0, 0x40], '.'], /truncated/],
    ['an integer of 2,000 bytes', [[0x8b, 0xd0, 7, 0, 0], Buffer.alloc(2000), '.'], /integer of 2000 bytes/],
    ['a text of a gigabyte', ['X', [0, 0, 0, 0x40], '.'], /truncated/],
    ['a bytearray of an exabyte', [[0x96, 0, 0, 0, 0, 0, 0, 0, 0x10], '.'], /truncated/],
    ['a number that is none', ['I1x\n.'], /damaged/],
    ['a float that is none', ['F0x10\n.'], /damaged/],
    ['a string without quotes', ['Sabc\n.'], /damaged/],
    ['a call of numpy.ndarray', ['cnumpy\nndarray\n)R.'], /numpy\.ndarray in a way/],
    [
      'another array class',
      ['cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(K', [0], 'tC', [1], 'btR.'],
      /not numpy\.ndarray/,
    ],
    ['another encoding', ['c_codecs\nencode\n(Vx\nVrot13\ntR.'], /encodes text as something but latin1/],
  ])('refuses %s', (_, parts, message) => {
    expect(() => pickled(...parts)).toThrow(message);
    expect(() => pickled(...parts)).toThrow(FileFormatError);
  });

  /** numpy.core.numeric._frombuffer(bytes, dtype, shape, 'C'); the stack holds what `bytes` puts there. */
  const array = (bytes: string | readonly number[], type: string, shape: readonly string[]) => [
    'cnumpy.core.numeric\n_frombuffer\n(',
    bytes,
    `cnumpy\ndtype\n(V${type}\ntR(`,
    ...shape.map((size) => `I${size}\n`),
    'tVC\ntR',
  ];
  const four = [0x43, 4, 1, 2, 3, 4];

  it('reads an array out of those parts', () => {
    const value = pickled(...array(four, 'u1', ['2', '2']), '.') as NdArray;
    expect([value.shape, value.values]).toEqual([[2, 2], Uint8Array.of(1, 2, 3, 4)]);
  });

  it.each([
    ['more elements than bytes', array(four, 'u1', ['5']), /needs 5 bytes, 4 are there/],
    ['a shape of petabytes', array(four, 'f8', ['999999999', '999999999']), /needs .* bytes, 4 are there/],
    ['a negative size', array(four, 'u1', ['-1', '-4']), /damaged numpy array/],
    [
      'a fraction of a size',
      ['cnumpy.core.numeric\n_frombuffer\n(C', [1, 1], 'cnumpy\ndtype\n(Vu1\ntR(F1.5\ntVC\ntR'],
      /damaged numpy array/,
    ],
    ['complex numbers', array(four, 'c8', ['1']), /elements of type '\|c8'/],
    ['a date', array(four, 'M8', ['1']), /elements of type '\|M8'/],
    [
      'text for bytes',
      ['cnumpy.core.numeric\n_frombuffer\n(V\\u0100\ncnumpy\ndtype\n(Vu1\ntR(I1\ntVC\ntR'],
      /text where bytes/,
    ],
  ])('refuses an array with %s', (_, parts, message) => {
    expect(() => pickled(...parts, '.')).toThrow(message);
  });

  // One byte each would take a hundred times the file's size, and end the process.
  it.each([
    ['dictionaries', '}', 2e6],
    ['lists', ']', 6e6],
    ['byte strings', 'C\x00', 2e6],
  ])('refuses a file of nothing but empty %s', (_, instruction, count) => {
    expect(() => pickled('\x80\x04', instruction.repeat(count), '.')).toThrow(
      /unpacks to more than \d+ MiB of lists, texts and dictionaries, from \d+ bytes/,
    );
  });

  it('refuses to unpack the same bytes again and again', () => {
    const bytes = Buffer.alloc(100_000);
    const start = [
      '\x80\x05',
      [0x8e, ...uint64(bytes.length)],
      bytes,
      'q\x000cnumpy.core.numeric\n_frombuffer\nq\x010cnumpy\ndtype\n(Vf2\ntRq\x020](e',
    ];
    const again = `(h\x01(h\x00h\x02(I${bytes.length / 2}\ntVC\ntR`;
    expect(() => pickled(...start, again.repeat(50), '.')).toThrow(
      /unpacks to more than \d+ bytes, 16 times its size/,
    );
    // A set of a million entries for each few bytes
    const many = ['](', 'K\x01'.repeat(20_000), 'eq\x000', 'cbuiltins\nset\n(h\x00tR'.repeat(2000), '.'];
    expect(() => pickled(...many)).toThrow(/unpacks to more than/);
  });

  it('takes lists that hold each other many times without walking through them', () => {
    // Ten lists, each holds the one before ten times: 10¹⁰ paths.
    const bomb = pickled(
      ']q\x00',
      ...Array.from({ length: 10 }, () => '](' + 'h\x00'.repeat(10) + 'eq\x00'),
      '.',
    );
    expect(bomb).toHaveLength(10);
  });

  it('takes a list that holds itself', () => {
    const list = pickled(']q\x00h\x00a.') as unknown[];
    expect(list[0]).toBe(list);
  });
});

const uint64 = (value: number): number[] => [...Buffer.from(BigUint64Array.of(BigInt(value)).buffer)];

describe('readPickle with packNumbers', () => {
  const read = (...parts: readonly string[]): unknown =>
    unpickle(sourceOf(Buffer.from(parts.join(''), 'latin1'), 'x.pkl'), { packNumbers: true });

  it('packs lists of nothing but numbers, wherever they are named', () => {
    expect(read('](]q\x00(K\x01K\x02e', 'h\x00](K\x01Nee.')).toEqual([
      Float64Array.of(1, 2),
      Float64Array.of(1, 2),
      [1, null],
    ]);
  });

  it('leaves lists that somebody else holds already, and long ones, which may go on', () => {
    expect(read(']q\x002(K\x01K\x02e0.')).toEqual([1, 2]);
    expect(read('](', 'K\x07'.repeat(1000), 'eK\x08a.')).toEqual([
      ...Array.from({ length: 1000 }, () => 7),
      8,
    ]);
    expect(read(']K\x07aK\x08a.')).toEqual([7, 8]);
    expect(read('](e.')).toEqual([]);
    expect(() => read('](K\x01K\x02eK\x03a.')).toThrow(/without packNumbers/);
  });
});

describe('readPickle on large files', () => {
  it('reads on behind 2 GiB and 4 GiB', () => {
    // A list of pieces of 64 MiB, each dropped again, with a number behind each.
    const length = 2 ** 26;
    const count = 66;
    const zeros = Buffer.alloc(length);
    const pieceBytes = 9 + length + 3;
    const size = 4 + count * pieceBytes + 2;
    // What is not zero, and where.
    const parts: (readonly [number, Buffer])[] = [
      [0, Buffer.from('\x80\x04](', 'latin1')],
      [size - 2, Buffer.from('e.')],
    ];
    for (let i = 0; i < count; i++) {
      const start = 4 + i * pieceBytes;
      parts.push([start, Buffer.from([0x8e, ...uint64(length)])]);
      parts.push([start + 9 + length, Buffer.from(['0'.charCodeAt(0), 'K'.charCodeAt(0), i])]);
    }
    const source = {
      path: 'large.pkl',
      size,
      read(start: number, wanted: number): Buffer {
        if (wanted === length) return zeros;
        const bytes = Buffer.alloc(wanted);
        for (const [at, part] of parts) {
          const from = Math.max(0, start - at);
          if (at < start + wanted && from < part.length) part.copy(bytes, at + from - start, from);
        }
        return bytes;
      },
    };
    expect(size).toBeGreaterThan(2 ** 32);
    expect(unpickle(source)).toEqual(Array.from({ length: count }, (_, i) => i));
  });
});
