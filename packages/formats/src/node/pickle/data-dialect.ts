import { getHeapStatistics } from 'node:v8';
import { shown } from '@g2d/core';
import type { PickleDialect } from '../../pickle/dialect.js';
import { latin1Of } from '../../pickle/python-text.js';
import { ALLOWED, ENCODE, setState } from './globals.js';

/** How a pickle is read. */
export interface PickleOptions {
  /**
   * Lists of nothing but numbers become `Float64Array`s: a tenth of the memory for features that were pickled as nested
   * lists. Lists of 1,000 entries and more stay lists. Default false.
   */
  readonly packNumbers?: boolean;
}

/** Of one integer; Python itself refuses above 4,300. */
const MOST_DIGITS = 1000;
/** Values within values. What we read has five levels. */
const DEEPEST = 100;
/** Python 2 strings up to this are text; longer ones are the elements of an array, which would not fit into a string. */
const LONGEST_PYTHON2_TEXT = 2 ** 20;

/** Pickles of plain data and numpy arrays. Tuples are lists here. */
export const dataDialect = ({ packNumbers = false }: PickleOptions): PickleDialect => ({
  instructions: ['text', 'bytes', 'sets'],
  global: (module, name) => ALLOWED.get(`${module} ${name}`),
  setState,
  tuples: {
    make: (items) => items,
    itemsOf: (value) => (Array.isArray(value) ? value : undefined),
  },
  unicode: (reader, length, { below, fail }) =>
    // Bytes as the protocols below 3 write them, half again as long in UTF-8; a large array fits into no string.
    below === ENCODE
      ? latin1Of(reader.bytes(length), () => fail('damaged: no text of one byte a character'))
      : reader.text(length, 'utf8'),
  byteString: (reader, length) =>
    length > LONGEST_PYTHON2_TEXT ? reader.bytes(length) : reader.text(length, 'latin1'),
  packNumbers,
  limits: {
    // Time and memory are bounded by the file's size alone.
    instructions: Infinity,
    heap: freeHeap() / 2,
    integerBytes: MOST_DIGITS,
    integerDigits: MOST_DIGITS,
    depth: DEEPEST,
  },
  sentences: {
    at: (problem, byte) => `${problem} (pickle instruction at byte ${byte})`,
    protocol: (protocol) => `is a pickle of protocol ${protocol}; protocols 0 to 5 are known`,
    global: (name) =>
      `wants Python to import ${shown(name)}; nothing was executed. ` +
      'Only numpy arrays, numbers, text, lists, tuples, dictionaries and sets are read: save such data instead',
    instruction: refusal,
    advice: 'Save plain data instead',
  },
});

/** Of V8's heap: beyond its limit the process ends without an error that could be caught. */
function freeHeap(): number {
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  return limit - used;
}

/** Instructions that are not data, and those that do not exist. */
function refusal(code: number): string {
  switch (code) {
    case 0x6f: // OBJ
    case 0x81: // NEWOBJ
    case 0x92: // NEWOBJ_EX
      return 'makes an object of a Python class; nothing was executed. Save plain data instead';
    case 0x50: // PERSID
    case 0x51: // BINPERSID
      return 'refers to an object outside of the file. Save plain data instead';
    case 0x82: // EXT1
    case 0x83: // EXT2
    case 0x84: // EXT4
      return "refers to Python's extension registry; nothing was executed. Save plain data instead";
    case 0x97: // NEXT_BUFFER
    case 0x98: // READONLY_BUFFER
      return 'has its data in buffers outside of the file. Save it without a buffer_callback';
    default:
      return `not a pickle, or damaged: 0x${code.toString(16).padStart(2, '0')} is no instruction. Copy or download the file again.`;
  }
}
