import type { Fail } from '../fail.js';
import type { PickleReader } from './pickle-reader.js';

/** What a dialect's own code may use. */
export interface PickleTools {
  readonly fail: Fail;
  /** Called before memory is taken that the file's bytes do not pay for. @throws {FileFormatError} If it is too much. */
  spend(bytes: number): void;
}

/**
 * What stands in for a Python class or function: our own code, called with the pickled arguments. Nothing else that a
 * pickle names can be called.
 */
export class PickleGlobal {
  /** Gets the pickled arguments. */
  readonly call: (args: readonly unknown[], tools: PickleTools) => unknown;

  constructor(call: (args: readonly unknown[], tools: PickleTools) => unknown) {
    this.call = call;
  }
}

/**
 * Instructions that not every kind of file has: `text` those of protocol 0 alone, `bytes` byte strings of Python 3, `sets`
 * sets and frozen sets, `objects` the call of a class without its `__init__`.
 */
export type OptionalInstructions = 'text' | 'bytes' | 'sets' | 'objects';

/** One kind of pickle: what it may name and hold, and how its reader speaks. */
export interface PickleDialect {
  /** Instructions it has beside numbers, texts, lists, tuples, dictionaries, the memo, and calls of globals. */
  readonly instructions: readonly OptionalInstructions[];
  /** The stand-in for `module.name`, a value or a `PickleGlobal`; `undefined` refuses it. */
  global(module: string, name: string): unknown;
  /** Takes note of an object's further attributes. */
  setState(object: unknown, state: unknown, tools: PickleTools): void;
  /** An object that lies outside of the pickle. Without it, none may. */
  persistent?(id: unknown, tools: PickleTools): unknown;

  /** Tuples as values; `itemsOf` gives `undefined` for anything else. */
  readonly tuples: {
    /** The value that stands for a tuple. */
    make(items: unknown[]): object;
    /** What a tuple's value holds. */
    itemsOf(value: unknown): readonly unknown[] | undefined;
  };
  /** The text of a Unicode instruction, `length` bytes of UTF-8; `below` lies on top of the stack so far. */
  unicode(
    reader: PickleReader,
    length: number,
    place: { readonly below: unknown; readonly fail: Fail },
  ): unknown;
  /** The strings of Python 2. */
  byteString(reader: PickleReader, length: number): unknown;
  /** Lists of nothing but numbers become `Float64Array`s. Default false. */
  readonly packNumbers?: boolean;

  readonly limits: PickleLimits;
  readonly sentences: PickleSentences;
}

/** Beyond these a pickle is refused. */
export interface PickleLimits {
  /** Instructions; each costs at most some hundred bytes. `Infinity` leaves the bound to the file's size. */
  readonly instructions: number;
  /** Bytes, roughly, of lists, texts and dictionaries. They are bounded by the file's size too; `Infinity`: by that alone. */
  readonly heap: number;
  /** Bytes of one integer. */
  readonly integerBytes: number;
  /** Decimal digits of one integer. */
  readonly integerDigits: number;
  /** Values within values. */
  readonly depth: number;
}

/** What is said where a pickle is refused. */
export interface PickleSentences {
  /** A problem, with the byte of the file at which its instruction stands, if that is told. */
  at(problem: string, byte: number): string;
  /** A protocol that is none of 2 to 5. */
  protocol(protocol: number): string;
  /** A global that is not allowed. */
  global(name: string, byte: number): string;
  /** An instruction that the dialect does not have, or that nobody has. */
  instruction(code: number, byte: number): string;
  /** What to do with a file that asks for too much. */
  readonly advice: string;
}
