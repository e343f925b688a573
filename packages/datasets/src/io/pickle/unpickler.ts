import { FileFormatError } from '@g2d/tensor-ops';
import { ALLOWED, ENCODE, setState, type PickleFunction, type Tools } from './globals.js';
import type { PickleReader } from './pickle-reader.js';
import { latin1Of, unescapeString, unescapeUnicode } from './python-text.js';

/** How a pickle is read. */
export interface PickleOptions {
  /**
   * Lists of nothing but numbers become `Float64Array`s: a tenth of the memory for features that were pickled as nested
   * lists. Lists of 1,000 entries and more stay lists. Default false.
   */
  readonly packNumbers?: boolean;
}

/** Values within values. What we read has five levels. */
const DEEPEST = 100;
/** Digits of one integer; Python itself refuses above 4,300. */
const MOST_DIGITS = 1000;
/** Python's picklers write lists in batches of this; a shorter one is the whole list. */
const BATCH = 1000;
/** Memory beyond what was read: for each byte of the file, and for a small one at least. */
const SPEND_FACTOR = 16;
const SPEND_LEAST = 2 ** 20;
/** Python 2 strings up to this are text; longer ones are the elements of an array, which would not fit into a string. */
const LONGEST_PYTHON2_TEXT = 2 ** 20;

/**
 * Runs the pickle that starts at `reader`, of protocol 0 to 5, without executing anything.
 *
 * A pickle is a program for a small stack machine that can import and call any Python function. Here it can only
 * build text, numbers, bytes, lists, dictionaries and sets, and call what `ALLOWED` names. Time and memory are bounded
 * by the file's size; nothing recurses.
 *
 * @see Python's `pickletools.py` for the instructions
 */
export class Unpickler {
  readonly #reader: PickleReader;
  readonly #packNumbers: boolean;
  readonly #stack: unknown[] = [];
  /** Heights of the stack at each MARK; what is below the last one cannot be popped. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  /** How deep a container's content is nested, where it holds other containers. */
  readonly #depths = new Map<object, number>();
  /** The list that was made last, while nothing but the stack and one memo entry can refer to it. */
  #fresh: unknown;
  #freshMemo = -1;
  #spent = 0;
  #start = 0;
  readonly #tools: Tools;

  constructor(reader: PickleReader, { packNumbers = false }: PickleOptions) {
    this.#reader = reader;
    this.#packNumbers = packNumbers;
    this.#tools = { fail: this.#fail, spend: (bytes) => this.#spend(bytes) };
  }

  run(): unknown {
    const reader = this.#reader;
    for (;;) {
      this.#start = reader.position;
      const code = reader.uint8();
      if (code === 0x47) {
        reader.float64Run(code, this.#stack); // BINFLOAT
      } else if (code === 0x2e) {
        return this.#pop(); // STOP
      } else {
        this.#execute(code);
      }
    }
  }

  readonly #fail = (problem: string): FileFormatError =>
    new FileFormatError(this.#reader.path, `${problem} (pickle instruction at byte ${this.#start})`, {
      offset: this.#start,
    });

  #damaged(): FileFormatError {
    return this.#fail('damaged: an impossible instruction. Copy or download the file again.');
  }

  #execute(code: number): void {
    const reader = this.#reader;
    const stack = this.#stack;
    switch (code) {
      case 0x80: // PROTO
        this.#checkProtocol(reader.uint8());
        break;
      case 0x95: // FRAME: only a hint for reading ahead
        reader.uint64();
        break;

      // Numbers and constants
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
        stack.push(true);
        break;
      case 0x89: // NEWFALSE
        stack.push(false);
        break;
      case 0x4b: // BININT1
        stack.push(reader.uint8());
        break;
      case 0x4d: // BININT2
        stack.push(reader.uint16());
        break;
      case 0x4a: // BININT
        stack.push(reader.int32());
        break;
      case 0x49: // INT
      case 0x4c: // LONG
        stack.push(this.#integerText());
        break;
      case 0x8a: // LONG1
        stack.push(this.#integerBytes(reader.uint8()));
        break;
      case 0x8b: // LONG4
        stack.push(this.#integerBytes(reader.uint32()));
        break;
      case 0x46: // FLOAT
        stack.push(this.#floatText());
        break;

      // Text and bytes
      case 0x58: // BINUNICODE
        stack.push(this.#unicode(reader.uint32()));
        break;
      case 0x8c: // SHORT_BINUNICODE
        stack.push(this.#unicode(reader.uint8()));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(this.#unicode(reader.uint64()));
        break;
      case 0x56: // UNICODE
        stack.push(unescapeUnicode(reader.line('latin1'), () => this.#damaged()));
        break;
      case 0x55: // SHORT_BINSTRING, of Python 2
        stack.push(this.#python2Text(reader.uint8()));
        break;
      case 0x54: // BINSTRING, of Python 2
        stack.push(this.#python2Text(reader.uint32()));
        break;
      case 0x53: // STRING
        stack.push(unescapeString(reader.line('latin1'), () => this.#damaged()));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(reader.bytes(reader.uint8()));
        break;
      case 0x42: // BINBYTES
        stack.push(reader.bytes(reader.uint32()));
        break;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(reader.bytes(reader.uint64()));
        break;

      // Collections. Tuples are lists here.
      case 0x28: // MARK
        this.#marks.push(stack.length);
        break;
      case 0x29: // EMPTY_TUPLE
        stack.push([]);
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.#pushList(this.#popMany(code - 0x84));
        break;
      case 0x74: // TUPLE
      case 0x6c: // LIST
        this.#pushList(this.#popToMark());
        break;
      case 0x5d: // EMPTY_LIST
        this.#fresh = [];
        this.#freshMemo = -1;
        stack.push(this.#fresh);
        break;
      case 0x61: // APPEND
        this.#append(this.#popMany(1));
        break;
      case 0x65: // APPENDS
        this.#appendAll(this.#popToMark());
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        break;
      case 0x64: // DICT
        this.#makeDictionary();
        break;
      case 0x73: // SETITEM
        this.#setItems(this.#popMany(2));
        break;
      case 0x75: // SETITEMS
        this.#setItems(this.#popToMark());
        break;
      case 0x8f: // EMPTY_SET
        stack.push(new Set());
        break;
      case 0x90: // ADDITEMS
        this.#addItems(this.#popToMark());
        break;
      case 0x91: // FROZENSET
        this.#makeSet();
        break;

      // Stack and memo
      case 0x30: // POP
        this.#popOrMark();
        break;
      case 0x31: // POP_MARK
        this.#popToMark();
        break;
      case 0x32: // DUP
        this.#fresh = undefined;
        stack.push(this.#top());
        break;
      case 0x70: // PUT
        this.#memorize(this.#index());
        break;
      case 0x71: // BINPUT
        this.#memorize(reader.uint8());
        break;
      case 0x72: // LONG_BINPUT
        this.#memorize(reader.uint32());
        break;
      case 0x94: // MEMOIZE
        this.#memorize(this.#memo.size);
        break;
      case 0x67: // GET
        this.#recall(this.#index());
        break;
      case 0x68: // BINGET
        this.#recall(reader.uint8());
        break;
      case 0x6a: // LONG_BINGET
        this.#recall(reader.uint32());
        break;

      // What would run code in Python
      case 0x63: // GLOBAL
        stack.push(this.#find(reader.line(), reader.line()));
        break;
      case 0x93: // STACK_GLOBAL
        stack.push(this.#find(...(this.#popMany(2) as [unknown, unknown])));
        break;
      case 0x52: // REDUCE
        this.#call();
        break;
      case 0x62: // BUILD
        this.#build();
        break;

      default:
        throw this.#refused(code);
    }
  }

  #checkProtocol(protocol: number): void {
    if (protocol > 5) {
      throw this.#fail(`is a pickle of protocol ${protocol}; protocols 0 to 5 are known`);
    }
  }

  /** Instructions that are not data, and those that do not exist. */
  #refused(code: number): FileFormatError {
    const reader = this.#reader;
    switch (code) {
      case 0x69: // INST: a global and a call in one
        return this.#foreign(reader.line(), reader.line());
      case 0x6f: // OBJ
      case 0x81: // NEWOBJ
      case 0x92: // NEWOBJ_EX
        return this.#fail('makes an object of a Python class; nothing was executed. Save plain data instead');
      case 0x50: // PERSID
      case 0x51: // BINPERSID
        return this.#fail('refers to an object outside of the file. Save plain data instead');
      case 0x82: // EXT1
      case 0x83: // EXT2
      case 0x84: // EXT4
        return this.#fail(
          "refers to Python's extension registry; nothing was executed. Save plain data instead",
        );
      case 0x97: // NEXT_BUFFER
      case 0x98: // READONLY_BUFFER
        return this.#fail('has its data in buffers outside of the file. Save it without a buffer_callback');
      default:
        return this.#fail(
          `not a pickle, or damaged: 0x${code.toString(16).padStart(2, '0')} is no instruction. Copy or download the file again.`,
        );
    }
  }

  #foreign(module: string, name: string): FileFormatError {
    return this.#fail(
      `wants Python to import ${JSON.stringify(`${module}.${name}`.slice(0, 200))}; nothing was executed. ` +
        'Only numpy arrays, numbers, text, lists, tuples, dictionaries and sets are read: save such data instead',
    );
  }

  #spend(bytes: number): void {
    this.#spent += bytes;
    const most = Math.max(SPEND_LEAST, SPEND_FACTOR * this.#reader.size);
    if (this.#spent > most) {
      throw this.#fail(
        `unpacks to more than ${most} bytes, ${SPEND_FACTOR} times its size. It is damaged, or made to do harm`,
      );
    }
  }

  #need(count: number): void {
    if (this.#stack.length - (this.#marks.at(-1) ?? 0) < count) throw this.#damaged();
  }

  #top(): unknown {
    this.#need(1);
    return this.#stack.at(-1);
  }

  #pop(): unknown {
    this.#need(1);
    return this.#stack.pop();
  }

  /** Python's POP drops a MARK if that is what lies on top. */
  #popOrMark(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.#pop();
  }

  #popMany(count: number): unknown[] {
    this.#need(count);
    return this.#stack.splice(-count);
  }

  #popToMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#damaged();
    return this.#stack.splice(mark);
  }

  #memorize(index: number): void {
    const value = this.#top();
    this.#memo.set(index, value);
    if (value === this.#fresh) {
      if (this.#freshMemo >= 0) this.#fresh = undefined;
      this.#freshMemo = index;
    }
  }

  #recall(index: number): void {
    if (!this.#memo.has(index)) {
      throw this.#fail(`damaged: it refers to entry ${index} of the memo, which was never set`);
    }
    const value = this.#memo.get(index);
    if (value === this.#fresh) this.#fresh = undefined;
    this.#stack.push(value);
  }

  #index(): number {
    const text = this.#reader.line();
    if (!/^[0-9]{1,10}$/.test(text)) throw this.#damaged();
    return Number(text);
  }

  #pushList(items: unknown[]): void {
    this.#nest(items, items);
    this.#stack.push(items);
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (list instanceof Float64Array) {
      throw this.#fail('adds to a list in a way that Python does not. Read it without packNumbers');
    }
    if (!Array.isArray(list)) throw this.#damaged();
    this.#nest(list, items);
    for (const item of items) list.push(item);
  }

  #appendAll(items: readonly unknown[]): void {
    const list = this.#top();
    const fresh = this.#packNumbers && list === this.#fresh && (list as unknown[]).length === 0;
    if (fresh && isPackable(items)) this.#replaceFresh(new Float64Array(items));
    else this.#append(items);
  }

  /** Puts the packed list in the place of the fresh one, which lies on top and which nothing else refers to. */
  #replaceFresh(packed: Float64Array): void {
    this.#stack[this.#stack.length - 1] = packed;
    if (this.#memo.get(this.#freshMemo) === this.#fresh) this.#memo.set(this.#freshMemo, packed);
    this.#fresh = undefined;
  }

  #setItems(items: readonly unknown[]): void {
    const dictionary = this.#top();
    if (!(dictionary instanceof Map)) throw this.#damaged();
    this.#put(dictionary, items);
  }

  #put(dictionary: Map<unknown, unknown>, items: readonly unknown[]): void {
    if (items.length % 2 === 1) throw this.#damaged();
    this.#nest(dictionary, items);
    for (let i = 0; i < items.length; i += 2) dictionary.set(items[i], items[i + 1]);
  }

  #addItems(items: readonly unknown[]): void {
    const set = this.#top();
    if (!(set instanceof Set)) throw this.#damaged();
    this.#nest(set, items);
    for (const item of items) set.add(item);
  }

  #makeDictionary(): void {
    const dictionary = new Map<unknown, unknown>();
    this.#put(dictionary, this.#popToMark());
    this.#stack.push(dictionary);
  }

  #makeSet(): void {
    const items = this.#popToMark();
    const set = new Set(items);
    this.#nest(set, items);
    this.#stack.push(set);
  }

  /** Takes note of how deep `container` is nested once it holds `items`: whoever walks through it may recurse. */
  #nest(container: object, items: readonly unknown[]): void {
    let deepest = 0;
    for (const item of items) {
      if (typeof item === 'object' && item !== null) deepest = Math.max(deepest, this.#depths.get(item) ?? 1);
    }
    if (deepest === 0) return;
    if (deepest >= DEEPEST) throw this.#fail(`nests lists or dictionaries more than ${DEEPEST} deep`);
    this.#depths.set(container, Math.max(deepest + 1, this.#depths.get(container) ?? 1));
  }

  #find(module: unknown, name: unknown): PickleFunction {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.#damaged();
    const found = ALLOWED.get(`${module} ${name}`);
    if (found === undefined) throw this.#foreign(module, name);
    return found;
  }

  #call(): void {
    const [callable, args] = this.#popMany(2);
    if (typeof callable !== 'function' || !Array.isArray(args)) throw this.#damaged();
    // Functions come from `#find` only.
    const result = (callable as PickleFunction)(args, this.#tools);
    if (typeof result === 'object' && result !== null) this.#nest(result, args);
    this.#stack.push(result);
  }

  #build(): void {
    const state = this.#pop();
    const object = this.#top();
    setState(object, state, this.#tools);
    this.#nest(object as object, [state]);
  }

  #unicode(length: number): string | Uint8Array {
    // Bytes as the protocols below 3 write them, half again as long in UTF-8; a large array fits into no string.
    if (this.#stack.at(-1) === ENCODE) return latin1Of(this.#reader.bytes(length), () => this.#damaged());
    return this.#reader.text(length, 'utf8');
  }

  #python2Text(length: number): string | Uint8Array {
    return length > LONGEST_PYTHON2_TEXT ? this.#reader.bytes(length) : this.#reader.text(length, 'latin1');
  }

  #integerText(): boolean | number | bigint {
    const text = this.#reader.line();
    // How protocols 0 and 1 spell booleans.
    if (text === '00' || text === '01') return text === '01';
    const digits = /^([+-]?[0-9]+)L?$/.exec(text)?.[1];
    if (digits === undefined || digits.length > MOST_DIGITS) throw this.#damaged();
    return simplest(BigInt(digits));
  }

  #integerBytes(length: number): number | bigint {
    if (length > MOST_DIGITS) {
      // A length beyond the file is a truncated file.
      this.#reader.skip(length);
      throw this.#fail(`has an integer of ${length} bytes; at most ${MOST_DIGITS} are read`);
    }
    const hex = this.#reader.bytes(length).toReversed();
    // Little-endian two's complement.
    const value = length === 0 ? 0n : BigInt(`0x${Buffer.from(hex).toString('hex')}`);
    return simplest(BigInt.asIntN(8 * length, value));
  }

  #floatText(): number {
    const text = this.#reader.line();
    if (/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(text)) return Number(text);
    const special = /^([+-]?)(inf|nan)$/.exec(text);
    if (special === null) throw this.#damaged();
    return special[2] === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity;
  }
}

const simplest = (value: bigint): number | bigint =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value;

function isPackable(items: readonly unknown[]): items is number[] {
  return items.length > 0 && items.length < BATCH && items.every((item) => typeof item === 'number');
}
