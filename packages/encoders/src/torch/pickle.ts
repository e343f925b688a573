import { FileFormatError } from '@g2d/tensor-ops';
import type { ByteReader } from './byte-reader.js';

/** A Python tuple. Lists are arrays, dictionaries are `Map`s, integers beyond 2⁵³ are bigints. */
export class Tuple {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** Makes the error for a problem at the place that is being read. */
export type Fail = (problem: string) => FileFormatError;

/** What stands in for a Python class or function: our own code, called with the pickled arguments. */
export class PickleGlobal {
  readonly call: (args: readonly unknown[], fail: Fail) => unknown;

  constructor(call: (args: readonly unknown[], fail: Fail) => unknown) {
    this.call = call;
  }
}

/** What a pickle may refer to. */
export interface PickleHooks {
  /** The stand-in for `module.name`; `undefined` refuses it. */
  global(name: string): unknown;
  /** An object that lies outside of the pickle. */
  persistent(id: unknown, fail: Fail): unknown;
  /** Takes note of an object's further attributes. */
  setState(object: unknown, state: unknown, fail: Fail): void;
}

/** Instructions; each costs at most some hundred bytes. The checkpoint of a ResNet-152 with its optimizer has 150,000. */
const MOST_INSTRUCTIONS = 2 ** 20;
/** Bytes of one integer. The largest in a checkpoint is PyTorch's magic number with ten. */
const LONGEST_INTEGER = 32;

/** Instructions that only the text protocol has: PyTorch writes with it, but cannot load what it wrote. */
const PROTOCOL_0 = new Set([...'FSVPdglp'].map((character) => character.charCodeAt(0)));

/**
 * Reads one pickled object, of protocol 1 to 5, without executing anything.
 *
 * A pickle is a program for a small stack machine that can import and call any Python function. Here it can only
 * build text, numbers, lists, tuples and dictionaries, and call what `hooks.global` gives it. The work is bounded by
 * the number of bytes and of instructions; nothing recurses.
 *
 * @param reader Left behind the pickle's last instruction.
 * @throws {FileFormatError} If it is truncated or damaged, or asks for anything else.
 * @see Python's `pickletools.py` for the instructions
 */
export function readPickle(reader: ByteReader, hooks: PickleHooks): unknown {
  return new Unpickler(reader, hooks).run();
}

class Unpickler {
  readonly #reader: ByteReader;
  readonly #hooks: PickleHooks;
  readonly #stack: unknown[] = [];
  /** Heights of the stack at each MARK; what is below the last one cannot be popped. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #start = 0;

  constructor(reader: ByteReader, hooks: PickleHooks) {
    this.#reader = reader;
    this.#hooks = hooks;
  }

  run(): unknown {
    for (let count = 0; count < MOST_INSTRUCTIONS; count++) {
      this.#start = this.#reader.position;
      const code = this.#reader.uint8();
      if (code === 0x2e) return this.#pop(); // STOP
      this.#execute(code);
    }
    throw this.#fail(
      `has more than ${MOST_INSTRUCTIONS} pickle instructions. Save the tensors of the model alone.`,
    );
  }

  readonly #fail: Fail = (problem) =>
    new FileFormatError(this.#reader.path, problem, { offset: this.#start });

  #damaged(): FileFormatError {
    return this.#fail(`damaged: impossible pickle instruction at byte ${this.#start}.`);
  }

  #execute(code: number): void {
    const reader = this.#reader;
    const stack = this.#stack;
    switch (code) {
      case 0x80: // PROTO
        this.#checkProtocol(reader.uint8());
        break;
      case 0x95: // FRAME: only a hint for reading ahead
        reader.skip(8);
        break;

      // Constants
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
      case 0x47: // BINFLOAT
        stack.push(reader.float64());
        break;
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING, text of Python 2
        stack.push(reader.text(reader.uint32()));
        break;
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING, text of Python 2
        stack.push(reader.text(reader.uint8()));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(reader.text(reader.uint64()));
        break;

      // Collections
      case 0x28: // MARK
        this.#marks.push(stack.length);
        break;
      case 0x29: // EMPTY_TUPLE
        stack.push(new Tuple([]));
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        stack.push(new Tuple(this.#popMany(code - 0x84)));
        break;
      case 0x74: // TUPLE
        stack.push(new Tuple(this.#popToMark()));
        break;
      case 0x5d: // EMPTY_LIST
        stack.push([]);
        break;
      case 0x61: // APPEND
        this.#append(this.#popMany(1));
        break;
      case 0x65: // APPENDS
        this.#append(this.#popToMark());
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        break;
      case 0x73: // SETITEM
        this.#setItems(this.#popMany(2));
        break;
      case 0x75: // SETITEMS
        this.#setItems(this.#popToMark());
        break;

      // Stack and memo
      case 0x30: // POP
        this.#pop();
        break;
      case 0x31: // POP_MARK
        this.#popToMark();
        break;
      case 0x32: // DUP
        stack.push(this.#top());
        break;
      case 0x71: // BINPUT
        this.#memo.set(reader.uint8(), this.#top());
        break;
      case 0x72: // LONG_BINPUT
        this.#memo.set(reader.uint32(), this.#top());
        break;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        break;
      case 0x68: // BINGET
        stack.push(this.#recall(reader.uint8()));
        break;
      case 0x6a: // LONG_BINGET
        stack.push(this.#recall(reader.uint32()));
        break;

      // What would run code in Python
      case 0x63: // GLOBAL
        stack.push(this.#find(reader.line(), reader.line()));
        break;
      case 0x93: // STACK_GLOBAL
        stack.push(this.#find(...(this.#popMany(2) as [unknown, unknown])));
        break;
      case 0x69: // INST: a global and a call in one
        throw this.#refused(`${reader.line()}.${reader.line()}`);
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        stack.push(this.#call());
        break;
      case 0x62: // BUILD
        this.#hooks.setState(...(this.#peekUnder() as [unknown, unknown]), this.#fail);
        break;
      case 0x51: // BINPERSID
        stack.push(this.#hooks.persistent(this.#pop(), this.#fail));
        break;

      default:
        throw this.#unknown(code);
    }
  }

  #checkProtocol(protocol: number): void {
    if (protocol < 2 || protocol > 5) {
      throw this.#fail(`is a pickle of protocol ${protocol}; PyTorch writes protocols up to 5.`);
    }
  }

  #unknown(code: number): FileFormatError {
    if (PROTOCOL_0.has(code)) {
      return this.#fail(
        'was saved with pickle_protocol=0, which PyTorch itself cannot load. Save it with the default protocol.',
      );
    }
    return this.#fail(
      `has the pickle instruction 0x${code.toString(16).padStart(2, '0')} at byte ${this.#start}; only tensors, numbers, text, lists, tuples and dictionaries are read. Save the tensors alone: torch.save(model.state_dict(), file).`,
    );
  }

  #refused(name: string): FileFormatError {
    return this.#fail(
      `wants Python to run or make ${JSON.stringify(name.slice(0, 200))} (byte ${this.#start}); nothing was executed. Only tensors, numbers, text, lists, tuples and dictionaries are read. If you trust the file, save its tensors alone in PyTorch: torch.save(model.state_dict(), file).`,
    );
  }

  #top(): unknown {
    this.#need(1);
    return this.#stack.at(-1);
  }

  #need(count: number): void {
    if (this.#stack.length - (this.#marks.at(-1) ?? 0) < count) throw this.#damaged();
  }

  #pop(): unknown {
    this.#need(1);
    return this.#stack.pop();
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

  #recall(index: number): unknown {
    if (!this.#memo.has(index)) throw this.#damaged();
    return this.#memo.get(index);
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#damaged();
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly unknown[]): void {
    const dictionary = this.#top();
    if (!(dictionary instanceof Map) || items.length % 2 === 1) throw this.#damaged();
    for (let i = 0; i < items.length; i += 2) dictionary.set(items[i], items[i + 1]);
  }

  #find(module: unknown, name: unknown): unknown {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.#damaged();
    const found = this.#hooks.global(`${module}.${name}`);
    if (found === undefined) throw this.#refused(`${module}.${name}`);
    return found;
  }

  #call(): unknown {
    const [callable, args] = this.#popMany(2);
    if (!(callable instanceof PickleGlobal) || !(args instanceof Tuple)) throw this.#damaged();
    return callable.call(args.items, this.#fail);
  }

  /** The object under the topmost one, which is popped: an object and its state. */
  #peekUnder(): unknown[] {
    const state = this.#pop();
    return [this.#top(), state];
  }

  #integerText(): boolean | number | bigint {
    const text = this.#reader.line();
    // How protocol 1 spells booleans.
    if (text === '00' || text === '01') return text === '01';
    const digits = /^([+-]?[0-9]{1,80})L?$/.exec(text)?.[1];
    if (digits === undefined) throw this.#damaged();
    return simplest(BigInt(digits));
  }

  #integerBytes(length: number): number | bigint {
    if (length > LONGEST_INTEGER) {
      throw this.#fail(`has an integer of ${length} bytes; at most ${LONGEST_INTEGER} are read.`);
    }
    // Little-endian two's complement.
    let value = 0n;
    for (const byte of this.#reader.take(length).toReversed()) value = value * 256n + BigInt(byte);
    return simplest(BigInt.asIntN(8 * length, value));
  }
}

const simplest = (value: bigint): number | bigint =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value;
