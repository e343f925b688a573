import { FileFormatError } from '@g2d/core';
import { PickleGlobal, type OptionalInstructions, type PickleDialect, type PickleTools } from './dialect.js';
import type { PickleReader } from './pickle-reader.js';
import { unescapeString, unescapeUnicode } from './python-text.js';

/** Python's picklers write lists in batches of this; a shorter one is the whole list. */
const BATCH = 1000;
/** Memory that calls take beyond what was read: for each byte of the file, and for a small one at least. */
const SPEND_FACTOR = 16;
const SPEND_LEAST = 2 ** 20;
/** The same for lists, texts, dictionaries and all else that V8 keeps in its heap. */
const HEAP_FACTOR = 32;
const HEAP_LEAST = 2 ** 28;
/** Memory, roughly, of what a few bytes of a pickle can make: a file of nothing else must not fill all there is. */
const BYTES = { slot: 16, list: 48, dictionary: 160, entry: 48, text: 32, buffer: 192, memo: 40 } as const;

/** Instructions that a dialect may lack. */
const OPTIONAL: Readonly<Record<OptionalInstructions, readonly number[]>> = {
  // STRING, UNICODE, FLOAT, PERSID, DICT, LIST, PUT, GET
  text: [0x53, 0x56, 0x46, 0x50, 0x64, 0x6c, 0x70, 0x67],
  // SHORT_BINBYTES, BINBYTES, BINBYTES8, BYTEARRAY8
  bytes: [0x43, 0x42, 0x8e, 0x96],
  // EMPTY_SET, ADDITEMS, FROZENSET
  sets: [0x8f, 0x90, 0x91],
  // NEWOBJ
  objects: [0x81],
};
const BINPERSID = 0x51;

/**
 * Runs the pickle that starts at `reader`, of protocol 0 to 5, without executing anything.
 *
 * A pickle is a program for a small stack machine that can import and call any Python function. Here it can only
 * build text, numbers, bytes, lists, tuples, dictionaries and sets, and call what the dialect gives it. Time and memory are
 * bounded by the file's size and the dialect's limits; nothing recurses.
 *
 * @param reader Left behind the pickle's last instruction.
 * @param dialect What the pickle may name and hold.
 * @throws {FileFormatError} If it is truncated or damaged, or asks for anything else.
 * @see Python's `pickletools.py` for the instructions
 */
export function runPickle(reader: PickleReader, dialect: PickleDialect): unknown {
  return new Unpickler(reader, dialect).run();
}

class Unpickler {
  readonly #reader: PickleReader;
  readonly #dialect: PickleDialect;
  /** Instructions that the dialect lacks. */
  readonly #lacking: ReadonlySet<number>;
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
  #heap = 0;
  readonly #mostHeap: number;
  #start = 0;
  readonly #tools: PickleTools;

  constructor(reader: PickleReader, dialect: PickleDialect) {
    this.#reader = reader;
    this.#dialect = dialect;
    this.#mostHeap = Math.min(Math.max(HEAP_LEAST, HEAP_FACTOR * reader.size), dialect.limits.heap);
    this.#lacking = new Set([
      ...Object.entries(OPTIONAL).flatMap(([name, codes]) =>
        dialect.instructions.includes(name as OptionalInstructions) ? [] : codes,
      ),
      ...(dialect.persistent === undefined ? [BINPERSID] : []),
    ]);
    this.#tools = { fail: this.#fail, spend: (bytes) => this.#spend(bytes) };
  }

  run(): unknown {
    const reader = this.#reader;
    const stack = this.#stack;
    const { instructions: most } = this.#dialect.limits;
    const highest = this.#mostHeap / BYTES.slot;
    for (let count = 0; count < most; count++) {
      this.#start = reader.position;
      if (stack.length + this.#marks.length > highest) this.#take(Infinity);
      const code = reader.uint8();
      if (code === 0x47) {
        const before = stack.length;
        reader.float64Run(code, stack); // BINFLOAT
        count += stack.length - before - 1;
      } else if (code === 0x2e) {
        return this.#pop(); // STOP
      } else {
        this.#execute(code);
      }
    }
    throw this.#fail(`has more than ${most} pickle instructions. ${this.#dialect.sentences.advice}`);
  }

  readonly #fail = (problem: string): FileFormatError =>
    new FileFormatError(this.#reader.path, this.#dialect.sentences.at(problem, this.#start), {
      offset: this.#start,
    });

  #damaged(): FileFormatError {
    return this.#fail('damaged: an impossible pickle instruction. Copy or download the file again.');
  }

  #execute(code: number): void {
    const reader = this.#reader;
    const stack = this.#stack;
    if (this.#lacking.has(code)) throw this.#refused(code);
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
        stack.push(this.#byteString(reader.uint8()));
        break;
      case 0x54: // BINSTRING, of Python 2
        stack.push(this.#byteString(reader.uint32()));
        break;
      case 0x53: // STRING
        stack.push(unescapeString(reader.line('latin1'), () => this.#damaged()));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(this.#bytes(reader.uint8()));
        break;
      case 0x42: // BINBYTES
        stack.push(this.#bytes(reader.uint32()));
        break;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(this.#bytes(reader.uint64()));
        break;

      // Collections
      case 0x28: // MARK
        this.#marks.push(stack.length);
        break;
      case 0x29: // EMPTY_TUPLE
        this.#pushTuple([]);
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.#pushTuple(this.#popMany(code - 0x84));
        break;
      case 0x74: // TUPLE
        this.#pushTuple(this.#popToMark());
        break;
      case 0x6c: // LIST
        this.#pushList(this.#popToMark());
        break;
      case 0x5d: // EMPTY_LIST
        this.#take(BYTES.list);
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
        this.#take(BYTES.dictionary);
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
        this.#take(BYTES.dictionary);
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
      case 0x69: // INST: a global and a call in one
        throw this.#foreign(reader.line(), reader.line());
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        this.#call();
        break;
      case 0x62: // BUILD
        this.#build();
        break;
      case BINPERSID:
        stack.push(this.#dialect.persistent?.(this.#pop(), this.#tools));
        break;

      default:
        throw this.#refused(code);
    }
  }

  #checkProtocol(protocol: number): void {
    // Protocols 0 and 1 have no such instruction.
    if (protocol < 2 || protocol > 5) throw this.#fail(this.#dialect.sentences.protocol(protocol));
  }

  #refused(code: number): FileFormatError {
    return this.#fail(this.#dialect.sentences.instruction(code, this.#start));
  }

  #foreign(module: string, name: string): FileFormatError {
    return this.#fail(this.#dialect.sentences.global(`${module}.${name}`.slice(0, 200), this.#start));
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

  #take(bytes: number): void {
    this.#heap += bytes;
    if (this.#heap > this.#mostHeap) {
      throw this.#fail(
        `unpacks to more than ${Math.round(this.#mostHeap / 2 ** 20)} MiB of lists, texts and dictionaries, from ` +
          `${this.#reader.size} bytes. It is damaged, or made to do harm. If it is neither, give Node more memory ` +
          '(--max-old-space-size), or save numbers as arrays',
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

  /** Of protocol 0 alone: Python's POP drops a MARK if that is what lies on top. */
  #popOrMark(): void {
    const text = this.#dialect.instructions.includes('text');
    if (text && this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
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
    this.#take(BYTES.memo);
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
    this.#take(BYTES.list + BYTES.slot * items.length);
    this.#nest(items, items);
    this.#stack.push(items);
  }

  #pushTuple(items: unknown[]): void {
    this.#take(BYTES.list + BYTES.slot * items.length);
    const tuple = this.#dialect.tuples.make(items);
    this.#nest(tuple, items);
    this.#stack.push(tuple);
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (list instanceof Float64Array) {
      throw this.#fail('adds to a list in a way that Python does not. Read it without packNumbers');
    }
    if (!Array.isArray(list)) throw this.#damaged();
    this.#take(BYTES.slot * items.length);
    this.#nest(list, items);
    for (const item of items) list.push(item);
  }

  #appendAll(items: readonly unknown[]): void {
    const list = this.#top();
    const { packNumbers = false } = this.#dialect;
    const fresh = packNumbers && list === this.#fresh && (list as unknown[]).length === 0;
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
    this.#take((BYTES.entry / 2) * items.length);
    this.#nest(dictionary, items);
    for (let i = 0; i < items.length; i += 2) dictionary.set(items[i], items[i + 1]);
  }

  #addItems(items: readonly unknown[]): void {
    const set = this.#top();
    if (!(set instanceof Set)) throw this.#damaged();
    this.#take(BYTES.entry * items.length);
    this.#nest(set, items);
    for (const item of items) set.add(item);
  }

  #makeDictionary(): void {
    this.#take(BYTES.dictionary);
    const dictionary = new Map<unknown, unknown>();
    this.#put(dictionary, this.#popToMark());
    this.#stack.push(dictionary);
  }

  #makeSet(): void {
    const items = this.#popToMark();
    this.#take(BYTES.dictionary + BYTES.entry * items.length);
    const set = new Set(items);
    this.#nest(set, items);
    this.#stack.push(set);
  }

  /** Takes note of how deep `container` is nested once it holds `items`: whoever walks through it may recurse. */
  #nest(container: object, items: readonly unknown[]): void {
    const { depth } = this.#dialect.limits;
    if (depth === Infinity) return;
    let deepest = 0;
    for (const item of items) {
      if (typeof item === 'object' && item !== null) deepest = Math.max(deepest, this.#depths.get(item) ?? 1);
    }
    if (deepest === 0) return;
    if (deepest >= depth) throw this.#fail(`nests lists or dictionaries more than ${depth} deep`);
    this.#depths.set(container, Math.max(deepest + 1, this.#depths.get(container) ?? 1));
  }

  #find(module: unknown, name: unknown): unknown {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.#damaged();
    const found = this.#dialect.global(module, name);
    if (found === undefined) throw this.#foreign(module, name);
    return found;
  }

  #call(): void {
    const [callable, tuple] = this.#popMany(2);
    const args = this.#dialect.tuples.itemsOf(tuple);
    // Made by dialects only.
    if (!(callable instanceof PickleGlobal) || args === undefined) throw this.#damaged();
    this.#take(BYTES.dictionary);
    const result = callable.call(args, this.#tools);
    if (typeof result === 'object' && result !== null) this.#nest(result, args);
    this.#stack.push(result);
  }

  #build(): void {
    const state = this.#pop();
    const object = this.#top();
    this.#dialect.setState(object, state, this.#tools);
    this.#nest(object as object, [state]);
  }

  #unicode(length: number): unknown {
    const text = this.#dialect.unicode(this.#reader, length, { below: this.#stack.at(-1), fail: this.#fail });
    this.#take(BYTES.text + length);
    return text;
  }

  #bytes(length: number): Uint8Array {
    // Their content is not in the heap.
    this.#take(BYTES.buffer);
    return this.#reader.bytes(length);
  }

  #byteString(length: number): unknown {
    const text = this.#dialect.byteString(this.#reader, length);
    this.#take(typeof text === 'string' ? BYTES.text + length : BYTES.buffer);
    return text;
  }

  #integerText(): boolean | number | bigint {
    const text = this.#reader.line();
    // How protocols 0 and 1 spell booleans.
    if (text === '00' || text === '01') return text === '01';
    const [, sign = '', digits] = /^([+-]?)([0-9]+)L?$/.exec(text) ?? [];
    if (digits === undefined || digits.length > this.#dialect.limits.integerDigits) throw this.#damaged();
    return simplest(BigInt(sign + digits));
  }

  #integerBytes(length: number): number | bigint {
    const most = this.#dialect.limits.integerBytes;
    if (length > most) {
      const cut = length > this.#reader.size - this.#reader.position ? 'truncated: ' : '';
      throw this.#fail(`${cut}has an integer of ${length} bytes; at most ${most} are read.`);
    }
    const digits = Array.from(this.#reader.bytes(length), (byte) => byte.toString(16).padStart(2, '0'));
    // Little-endian two's complement.
    const value = length === 0 ? 0n : BigInt(`0x${digits.toReversed().join('')}`);
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
