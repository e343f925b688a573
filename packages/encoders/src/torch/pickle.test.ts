// Pickles written by hand: what no well-meaning program writes. Each is the object of a legacy checkpoint.
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, type Checkpoint } from './decode-checkpoint.js';

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const bytes = (...parts: readonly (string | number | Uint8Array)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'string' ? latin1(part) : typeof part === 'number' ? Uint8Array.of(part) : part,
    ),
  );
const uint32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const text = (value: string): Uint8Array => bytes('X', uint32(value.length), value);

/** Magic number, version 1001, empty system information. */
const START = bytes(
  '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.',
  '\x80\x02M\xe9\x03.',
  '\x80\x02}.',
);
const NO_STORAGES = latin1('\x80\x02].');
/** A storage "0" of six floats 0 … 5. */
const STORAGE = bytes('(', text('storage'), 'ctorch\nFloatStorage\n', text('0'), text('cpu'), 'K\x06NtQ');
const STORAGES = bytes(
  '\x80\x02]',
  text('0'),
  'a.',
  new Uint8Array(BigInt64Array.of(6n).buffer),
  new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer),
);

const decode = (...pickle: readonly (string | number | Uint8Array)[]): Checkpoint =>
  decodeCheckpoint(bytes(START, '\x80\x02', ...pickle, NO_STORAGES), 'a.pth');

/** A tensor with pickled offset, sizes and strides. */
const decodeTensor = (offset: string, sizes: string, strides: string): number[] => {
  const pickle = bytes('ctorch._utils\n_rebuild_tensor_v2\n(', STORAGE, offset, sizes, strides, '\x89}tR.');
  const { tensors } = decodeCheckpoint(bytes(START, '\x80\x02', pickle, STORAGES), 'a.pth');
  return [...tensors.get('')!.values()];
};

describe('readPickle', () => {
  it.each([
    ['INST', '(iposix\nsystem\n.', /"posix\.system" \(byte \d+\); nothing was executed/],
    ['GLOBAL', 'cposix\nsystem\n.', /"posix\.system"/],
    ['STACK_GLOBAL', bytes(text('posix'), text('system'), 0x93, '.'), /"posix\.system"/],
    ['a name of a JavaScript object', 'cconstructor\nprototype\n.', /"constructor\.prototype"/],
    ['a part of an allowed name', 'ctorch._utils\n_rebuild\n.', /"torch\._utils\._rebuild"/],
    [
      'a name with dots',
      bytes(text('torch'), text('_utils._rebuild_tensor_v2.__globals__'), 0x93, '.'),
      /globals/,
    ],
    ['OBJ', '(o.', /pickle instruction 0x6f/],
    ['EXT1', '\x82\x01.', /pickle instruction 0x82/],
    ['DICT', '(d.', /pickle_protocol=0/],
    [
      'a call of what makes tensors, in a call',
      'ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nN(tNtR.',
      /made by something unknown/,
    ],
    ['attributes of a number', 'K\x01}b.', /a state for something/],
    ['NEXT_BUFFER', '\x97.', /pickle instruction 0x97/],
    ['an instruction that nobody has', '\xff.', /pickle instruction 0xff/],
    ['protocol 6', '\x80\x06N.', /protocol 6/],
  ])('refuses %s', (_, pickle, message) => {
    expect(() => decode(pickle)).toThrow(message);
  });

  it.each([
    ['an empty stack', '.'],
    ['POP of an empty stack', '0N.'],
    ['a tuple of more than there is', 'N\x87.'],
    ['what lies below a mark', 'N(0.'],
    ['a mark that is missing', 'Nt.'],
    ['a memo that is empty', 'h\x00.'],
    ['an item of no list', 'NNa.'],
    ['an item of a tuple', ')Na.'],
    ['an entry of no dictionary', ']NNs.'],
    ['an odd number of entries', '}(Nu.'],
    ['a call of text', bytes(text('print'), ')R.')],
    ['a call of a storage type', 'ctorch\nFloatStorage\n)R.'],
    ['arguments that are no tuple', 'ccollections\nOrderedDict\n]R.'],
    ['state of a list', ']}b.'],
    ['state of a number', 'K\x01}b.'],
    ['a global of numbers', 'K\x01K\x02\x93.'],
    ['a dictionary of numbers', 'ccollections\nOrderedDict\n](K\x01e\x85R.'],
    ['an integer that is text', 'Iabc\n.'],
    ['text that is no UTF-8', 'X\x01\x00\x00\x00\xff.'],
    ['a reference to no storage', 'K\x01Q.'],
    [
      'a reference with a key that is no text',
      bytes('(', text('storage'), 'ctorch\nFloatStorage\nK\x01NK\x01tQ.'),
    ],
    ['a tensor without a storage', 'ctorch._utils\n_rebuild_tensor_v2\n(NK\x00))tR.'],
    ['a parameter of nothing', 'ctorch._utils\n_rebuild_parameter\n)R.'],
    ['a torch.Size of a number', 'ctorch\nSize\nK\x01\x85R.'],
  ])('refuses %s as damaged', (_, pickle) => {
    expect(() => decode(pickle)).toThrow(/^a\.pth: damaged: /);
  });

  it.each([
    ['text', 'X\xff\xff\xff\x7fx'],
    ['text of 64-bit length', '\x8d\xff\xff\xff\xff\xff\xff\xff\x7fx'],
    ['a frame', '\x95\xff\xff\xff\xff\xff\xff\xff\xffN'],
    ['a line', 'cposix'],
    ['a tuple', '('],
  ])('says of %s beyond the end that the file is truncated', (_, pickle) => {
    expect(() => decodeCheckpoint(bytes(START, '\x80\x02', pickle), 'a.pth')).toThrow(/^a\.pth: truncated: /);
  });

  it('reads integers up to 32 bytes and refuses longer ones', () => {
    expect(() => decode('\x8a\x21', new Uint8Array(33), '.')).toThrow(/integer of 33 bytes/);
    expect(() => decode('\x8b\xff\xff\xff\x7f.')).toThrow(/integer of 2147483647 bytes/);
    expect(() => decode(`L${'9'.repeat(81)}L\n.`)).toThrow(/damaged/);
    expect(decode(`L${'9'.repeat(80)}L\n.`).tensors.size).toBe(0);
  });

  it('bounds the number of instructions', () => {
    expect(() => decode('N0'.repeat(2 ** 19), 'N.')).toThrow(/more than 1048576 pickle instructions/);
  });

  it('reads deep nesting without recursion, and refuses to look for tensors in it', () => {
    expect(() => decode(']'.repeat(5e5), 'a'.repeat(5e5 - 1), '.')).toThrow(/nested more than 32 deep/);
  });

  it('refuses containers that hold themselves or each other', () => {
    expect(() => decode(']q\x00h\x00a.')).toThrow(/nested more than/);
    // Thirty dictionaries, each of which holds the next one twice: 2^30 paths.
    const doubling = Array.from({ length: 30 }, () =>
      bytes('q\x00}(', text('a'), 'h\x00', text('b'), 'h\x00u'),
    );
    expect(() => decode('}', ...doubling, '.')).toThrow(/holds more than 131072 objects/);
  });

  it('does not copy the list of an ordered dictionary over and over', () => {
    const pairs = bytes(
      '](',
      ...Array.from({ length: 1000 }, (_, i) => bytes('](', text(`${i}`), 'Ne')),
      'e',
    );
    const copies = bytes('ccollections\nOrderedDict\nq\x01](', 'h\x01h\x00\x85R'.repeat(1e5), 'e');
    // A hundred million pairs, if they were.
    expect(() => decode(pairs, 'q\x00', copies, '.')).not.toThrow();
  });

  it('refuses names without end', () => {
    expect(() => decode('}', text('x'.repeat(501)), 'Ns.')).toThrow(/names of more than 500 characters/);
  });

  it('takes any name', () => {
    const tensor = bytes('ctorch._utils\n_rebuild_tensor_v2\n(', STORAGE, 'K\x00)', ')\x89}tR');
    const pickle = bytes('}(', text('__proto__'), tensor, text('toString'), 'Nu.');
    const { tensors } = decodeCheckpoint(bytes(START, '\x80\x02', pickle, STORAGES), 'a.pth');
    expect([...tensors.keys()]).toEqual(['__proto__']);
  });
});

describe('TorchTensor', () => {
  it('reads strided views', () => {
    expect(decodeTensor('K\x00', 'K\x02K\x03\x86', 'K\x03K\x01\x86')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(decodeTensor('K\x00', 'K\x03K\x02\x86', 'K\x01K\x03\x86')).toEqual([0, 3, 1, 4, 2, 5]);
    expect(decodeTensor('K\x01', 'K\x03\x85', 'K\x02\x85')).toEqual([1, 3, 5]);
    expect(decodeTensor('K\x05', ')', ')')).toEqual([5]);
    expect(decodeTensor('K\x06', 'K\x00\x85', 'K\x01\x85')).toEqual([]);
    expect(decodeTensor('K\x02', 'K\x03\x85', 'K\x00\x85')).toEqual([2, 2, 2]);
  });

  const OUTSIDE = /damaged: a tensor of shape .* of a storage that has 6/;
  const HUGE = '\x8a\x07\xff\xff\xff\xff\xff\xff\x1f';
  it.each([
    ['one element too many', 'K\x00', 'K\x07\x85', 'K\x01\x85', OUTSIDE],
    ['an offset', 'K\x01', 'K\x06\x85', 'K\x01\x85', OUTSIDE],
    ['a stride', 'K\x00', 'K\x02\x85', 'K\x06\x85', OUTSIDE],
    ['an offset of an empty tensor', 'K\x07', 'K\x00\x85', 'K\x01\x85', OUTSIDE],
    ['sizes beyond 2^53', 'K\x00', `${HUGE}${HUGE}\x86`, `${HUGE}${HUGE}\x86`, OUTSIDE],
    [
      'sizes whose product is no number',
      'K\x00',
      `(${HUGE.repeat(30)}K\x00t`,
      `(${HUGE.repeat(31)}t`,
      OUTSIDE,
    ],
    ['a negative offset', 'J\xff\xff\xff\xff', 'K\x01\x85', 'K\x01\x85', /impossible offset/],
    ['an offset beyond 2^53', '\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f', ')', ')', /impossible offset/],
    ['a negative stride', 'K\x05', 'K\x02\x85', 'J\xff\xff\xff\xff\x85', /impossible sizes or strides/],
    [
      'a size that is no integer',
      'K\x00',
      'G\x3f\xe0\0\0\0\0\0\0\x85',
      'K\x01\x85',
      /impossible sizes or strides/,
    ],
    ['65 axes', 'K\x00', `(${'K\x01'.repeat(65)}t`, `(${'K\x01'.repeat(65)}t`, /impossible sizes or strides/],
    ['fewer strides than sizes', 'K\x00', 'K\x01\x85', ')', /1 sizes and 0 strides/],
  ])('refuses %s outside of its storage', (_, offset, sizes, strides, message) => {
    expect(() => decodeTensor(offset, sizes, strides)).toThrow(message);
  });

  it('describes an expanded tensor of any size without making it', () => {
    const size = '\x8a\x05\x00\x00\x00\x00\x10';
    const pickle = bytes(
      'ctorch._utils\n_rebuild_tensor_v2\n(',
      STORAGE,
      'K\x00',
      size,
      '\x85K\x00\x85\x89}tR.',
    );
    const { tensors } = decodeCheckpoint(bytes(START, '\x80\x02', pickle, STORAGES), 'a.pth');
    expect(tensors.get('')?.shape).toEqual([2 ** 36]);
  });
});

describe('the storages of a legacy checkpoint', () => {
  const withStorages = (...storages: readonly (string | Uint8Array)[]): Checkpoint =>
    decodeCheckpoint(bytes(START, '\x80\x02', STORAGE, '.', ...storages), 'a.pth');
  const six = new Uint8Array(BigInt64Array.of(6n).buffer);

  it.each([
    ['no list', ['}.'], /no list of storages/],
    ['none', ['].'], /1 storages are missing/],
    ['an unknown key', [']', text('1'), 'a.', six], /a storage of 6 elements where the tensors expect none/],
    ['a key that is no text', [']K\x00a.', six], /expect none/],
    ['another length', [']', text('0'), 'a.', new Uint8Array(8).fill(7)], /where the tensors expect 6/],
    ['fewer bytes', [']', text('0'), 'a.', six, new Uint8Array(23)], /truncated: 24 bytes are expected/],
  ])('refuses %s', (_, storages, message) => {
    expect(() => withStorages(...storages)).toThrow(message);
  });

  it('refuses other numbers in front', () => {
    expect(() => decodeCheckpoint(latin1('\x80\x02K\x01.'), 'a.pth')).toThrow(/magic number is missing/);
    const version = bytes(START.subarray(0, 15), '\x80\x02M\xea\x03.');
    expect(() => decodeCheckpoint(version, 'a.pth')).toThrow(/format 1002; only 1001 is known/);
    const noNumber = bytes(START.subarray(0, 15), '\x80\x02].');
    expect(() => decodeCheckpoint(noNumber, 'a.pth')).toThrow(/format unknown; only 1001 is known/);
  });

  it('refuses parts of a storage that lie outside of it', () => {
    const part = (offset: number, length: number): Uint8Array =>
      bytes(
        '(',
        text('storage'),
        'ctorch\nFloatStorage\n',
        text('0'),
        text('cpu'),
        'K\x06(',
        text('1'),
        'K',
        offset,
        'K',
        length,
        'ttQ',
      );
    const file = (view: Uint8Array): Uint8Array =>
      bytes(
        START,
        '\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(',
        view,
        'K\x00K\x02\x85K\x01\x85\x89}tR.',
        STORAGES,
      );
    expect([
      ...decodeCheckpoint(file(part(3, 2)), 'x')
        .tensors.get('')!
        .values(),
    ]).toEqual([3, 4]);
    expect(() => decodeCheckpoint(file(part(3, 1)), 'x')).toThrow(/of a storage that has 1/);
    expect(() => decodeCheckpoint(file(part(5, 2)), 'x')).toThrow(/a part of a storage that lies outside/);
  });
});
