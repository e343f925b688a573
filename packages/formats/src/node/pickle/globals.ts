import {
  decodeNumbers,
  decodeText,
  elementType,
  isHostOrder,
  toRowMajor,
  type NumberArray,
} from '../numpy-elements.js';
import { PickleGlobal, type PickleTools } from '../../pickle/dialect.js';
import { NdArray, NumpyType } from './nd-array.js';

const MOST_AXES = 64;

/** Named only as an argument of `_reconstruct`. */
const NDARRAY = new PickleGlobal((_args, { fail }) => {
  throw fail('calls numpy.ndarray in a way that numpy does not write; nothing was executed.');
});

/** Named only as an argument of `defaultdict`. */
const TYPE = new PickleGlobal((_args, { fail }) => {
  throw fail('calls a type of Python in a way that it does not write; nothing was executed.');
});

/** Text that follows this is bytes: protocols below 3 have no other way to write them. */
export const ENCODE = new PickleGlobal(([text, encoding], tools) => {
  if (encoding !== 'latin1' && encoding !== 'latin-1')
    throw tools.fail('encodes text as something but latin1.');
  return bytesOf(text, tools);
});

/**
 * Everything that a pickle may name, as `module name`. All of it only describes data; what is not here is refused.
 *
 * `__builtin__` is Python 2's, `numpy._core` numpy 2's spelling.
 */
export const ALLOWED: ReadonlyMap<string, PickleGlobal> = new Map([
  ['numpy ndarray', NDARRAY],
  ['numpy dtype', new PickleGlobal(numpyType)],
  ...['numpy.core', 'numpy._core'].flatMap((core): [string, PickleGlobal][] => [
    [`${core}.multiarray _reconstruct`, new PickleGlobal(reconstruct)],
    [`${core}.multiarray scalar`, new PickleGlobal(scalar)],
    [`${core}.numeric _frombuffer`, new PickleGlobal(fromBuffer)],
  ]),
  ['_codecs encode', ENCODE],
  ...['__builtin__', 'builtins'].flatMap((module): [string, PickleGlobal][] => [
    [`${module} set`, new PickleGlobal(setOf)],
    [`${module} frozenset`, new PickleGlobal(setOf)],
    [`${module} bytes`, new PickleGlobal(emptyBytes)],
    [`${module} bytearray`, new PickleGlobal(byteArray)],
    [`${module} complex`, new PickleGlobal(complex)],
    // What a defaultdict makes of a key that it lacks.
    ...['bool', 'dict', 'float', 'int', 'list', 'long', 'str', 'tuple', 'unicode'].map(
      (name): [string, PickleGlobal] => [`${module} ${name}`, TYPE],
    ),
  ]),
  ['collections OrderedDict', new PickleGlobal(orderedDictionary)],
  ['collections Counter', new PickleGlobal(counter)],
  ['collections defaultdict', new PickleGlobal(() => new Map())],
]);

/** Fills in an object's state: what `BUILD` does. */
export function setState(object: unknown, state: unknown, tools: PickleTools): void {
  if (object instanceof NdArray) fillArray(object, state, tools);
  else if (object instanceof NumpyType) fillType(object, state, tools);
  else throw tools.fail('sets the attributes of something but a numpy array; nothing was executed.');
}

/** numpy.dtype('f4', False, True) */
function numpyType([name]: readonly unknown[], { fail }: PickleTools): NumpyType {
  if (typeof name !== 'string') throw fail('has a numpy type without a name.');
  return new NumpyType(name);
}

/** (version, byte order, sub-array, names, fields, size, alignment, flags) */
function fillType(type: NumpyType, state: unknown, { fail }: PickleTools): void {
  if (!Array.isArray(state) || state.length < 5 || !['<', '>', '|', '='].includes(state[1] as string)) {
    throw fail('has a damaged numpy type.');
  }
  if (state.slice(2, 5).some((part) => part !== null)) {
    throw fail('has a structured numpy array; only plain numbers and text can be read.');
  }
  type.order = state[1] as string;
}

/** An empty array, to be filled in: _reconstruct(ndarray, (0,), b'b') */
function reconstruct([kind]: readonly unknown[], { fail }: PickleTools): NdArray {
  if (kind !== NDARRAY) throw fail('makes a numpy array of a class that is not numpy.ndarray.');
  return new NdArray();
}

/** (version, shape, type, Fortran order, elements) */
function fillArray(array: NdArray, state: unknown, tools: PickleTools): void {
  if (!Array.isArray(state) || state.length !== 5) throw tools.fail('has a damaged numpy array.');
  const [, shape, type, fortranOrder, elements] = state as unknown[];
  build(array, { shape, type, fortranOrder: fortranOrder === true || fortranOrder === 1, elements }, tools);
}

/** _frombuffer(elements, type, shape, 'C' or 'F') */
function fromBuffer([elements, type, shape, order]: readonly unknown[], tools: PickleTools): NdArray {
  const array = new NdArray();
  build(array, { shape, type, fortranOrder: order === 'F', elements }, tools);
  return array;
}

/** One number (or text): scalar(type, bytes) */
function scalar([type, elements]: readonly unknown[], tools: PickleTools): unknown {
  const array = new NdArray();
  build(array, { shape: [], type, fortranOrder: false, elements }, tools);
  return array.values[0];
}

interface ArrayState {
  readonly shape: unknown;
  readonly type: unknown;
  readonly fortranOrder: boolean;
  readonly elements: unknown;
}

function build(
  array: NdArray,
  { shape, type, fortranOrder, elements }: ArrayState,
  tools: PickleTools,
): void {
  const { fail } = tools;
  if (!isShape(shape) || !(type instanceof NumpyType)) throw fail('has a damaged numpy array.');
  const count = shape.reduce((product, size) => product * size, 1);
  if (type.isObject) {
    if (!Array.isArray(elements) || elements.length !== count)
      throw fail('has a damaged numpy array of objects.');
    array.fill('O', shape, elements);
    return;
  }
  const element = elementType(type.descr, (problem) => fail(`has a numpy array: ${problem}`));
  const stored = bytesOf(elements, tools);
  if (stored.length !== count * element.itemBytes) {
    throw fail(
      `has a damaged numpy array: shape [${shape.slice(0, 8).join(', ')}] of ${element.name} needs ` +
        `${count * element.itemBytes} bytes, ${stored.length} are there.`,
    );
  }
  // At most a bigger number for each element, and a second array while that is made.
  tools.spend(4 * stored.length);
  const ordered = fortranOrder ? toRowMajor(stored, shape, element.itemBytes) : stored;
  const values: NumberArray | readonly string[] =
    element.kind === 'number'
      ? // The pickle may name the same bytes again: bytes to be swapped in place are copied.
        decodeNumbers(isHostOrder(element) || ordered !== stored ? ordered : ownCopy(stored), element, fail)
      : decodeText(ordered, element, fail);
  array.fill(element.name, shape, values);
}

function isShape(shape: unknown): shape is number[] {
  return (
    Array.isArray(shape) &&
    shape.length <= MOST_AXES &&
    shape.every((size) => Number.isSafeInteger(size) && size >= 0)
  );
}

/** Bytes as Python 3 stores them, or text of one byte a character: Python 2's only kind of string. */
function bytesOf(value: unknown, { fail, spend }: PickleTools): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value !== 'string') throw fail('has something else where bytes are expected.');
  // Each memory of its own, so that a typed array may be laid over it.
  spend(value.length);
  const bytes = Buffer.from(new ArrayBuffer(value.length));
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 255) throw fail('has text where bytes are expected.');
    bytes[i] = code;
  }
  return bytes;
}

function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  bytes.copy(copy);
  return copy;
}

/** How Python 3 writes b'' with a protocol below 3: bytes() */
function emptyBytes(args: readonly unknown[], { fail }: PickleTools): Buffer {
  if (args.length > 0) throw fail('makes bytes in a way that Python does not.');
  return Buffer.from(new ArrayBuffer(0));
}

/** Bytes of a set's or a map's entry, roughly. */
const ENTRY_BYTES = 64;

function setOf([items = []]: readonly unknown[], { fail, spend }: PickleTools): Set<unknown> {
  if (!Array.isArray(items)) throw fail('makes a set of something but a list.');
  spend(ENTRY_BYTES * items.length);
  return new Set(items);
}

function orderedDictionary(
  [pairs = []]: readonly unknown[],
  { fail, spend }: PickleTools,
): Map<unknown, unknown> {
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw fail('makes an ordered dictionary of something but pairs.');
  }
  spend(ENTRY_BYTES * pairs.length);
  return new Map(pairs as [unknown, unknown][]);
}

/** bytearray(), bytearray(b'…'), or of protocols below 3 bytearray('…', 'latin-1') */
function byteArray([content, encoding]: readonly unknown[], tools: PickleTools): Buffer {
  if (content === undefined) return Buffer.from(new ArrayBuffer(0));
  if (encoding !== undefined && encoding !== 'latin-1')
    throw tools.fail('encodes text as something but latin1.');
  return bytesOf(content, tools);
}

/** complex(1.0, -2.0) */
function complex([re, im]: readonly unknown[], { fail }: PickleTools): { re: number; im: number } {
  if (typeof re !== 'number' || typeof im !== 'number')
    throw fail('makes a complex number of something but two.');
  return { re, im };
}

/** Counter({'a': 1}) */
function counter([counts = new Map()]: readonly unknown[], { fail }: PickleTools): Map<unknown, unknown> {
  if (!(counts instanceof Map)) throw fail('makes a Counter of something but a dictionary.');
  return counts;
}
