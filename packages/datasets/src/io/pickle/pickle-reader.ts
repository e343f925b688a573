import { FileFormatError } from '@g2d/tensor-ops';
import type { ByteSource } from '../byte-source.js';

const WINDOW_BYTES = 2 ** 18;
/** V8 holds strings up to 2²⁹ − 24 characters. */
const LONGEST_TEXT = 2 ** 28;

/**
 * Reads a file's bytes one after another through a window, so that a file of any size fits; past the end is an error
 * that says so, and a damaged length costs no memory.
 */
export class PickleReader {
  readonly #source: ByteSource;
  #window: Buffer = Buffer.alloc(0);
  /** Where the window starts in the file. */
  #start = 0;
  /** The next byte, in the window. */
  #at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get path(): string {
    return this.#source.path;
  }

  /** Bytes in the whole file. */
  get size(): number {
    return this.#source.size;
  }

  /** The next byte, in the file. */
  get position(): number {
    return this.#start + this.#at;
  }

  uint8(): number {
    // First the move: it may change the window.
    const at = this.#advance(1);
    return this.#window[at] as number;
  }

  uint16(): number {
    const at = this.#advance(2);
    return this.#window.readUInt16LE(at);
  }

  uint32(): number {
    const at = this.#advance(4);
    return this.#window.readUInt32LE(at);
  }

  int32(): number {
    const at = this.#advance(4);
    return this.#window.readInt32LE(at);
  }

  /** As a number: above 2⁵³ not exact, but then larger than any file. */
  uint64(): number {
    const at = this.#advance(8);
    return Number(this.#window.readBigUInt64LE(at));
  }

  /**
   * Big-endian numbers, one at least, each but the first behind a byte that is `code`: the instruction to push it.
   * Features that were pickled as lists are little else, so they are read without a way through the stack machine.
   */
  float64Run(code: number, to: unknown[]): void {
    const first = this.#advance(8);
    const window = this.#window;
    const view = new DataView(window.buffer, window.byteOffset, window.length);
    to.push(view.getFloat64(first, false));
    let at = this.#at;
    for (; at + 9 <= window.length && window[at] === code; at += 9) to.push(view.getFloat64(at + 1, false));
    this.#at = at;
  }

  skip(length: number): void {
    if (length > this.size - this.position) throw this.#truncated(length);
    this.#at += length;
  }

  /** Bytes in memory of their own. */
  bytes(length: number): Buffer {
    const start = this.position;
    if (length > this.size - start) throw this.#truncated(length);
    this.#at += length;
    if (start < this.#start || this.#at > this.#window.length) return this.#source.read(start, length);
    const bytes = Buffer.from(new ArrayBuffer(length));
    this.#window.copy(bytes, 0, this.#at - length, this.#at);
    return bytes;
  }

  text(length: number, encoding: 'utf8' | 'latin1'): string {
    if (length > this.size - this.position) throw this.#truncated(length);
    if (length > LONGEST_TEXT) {
      throw new FileFormatError(
        this.path,
        `has a text of ${length} bytes; at most ${LONGEST_TEXT} are read.`,
        {
          offset: this.position,
        },
      );
    }
    if (length > WINDOW_BYTES) return this.bytes(length).toString(encoding);
    const at = this.#advance(length);
    return this.#window.toString(encoding, at, at + length);
  }

  /** Text up to the next line feed, which is skipped. */
  line(encoding: 'utf8' | 'latin1' = 'utf8'): string {
    let length = this.#window.indexOf(0x0a, this.#at) - this.#at;
    if (length < 0) {
      length = 0;
      for (let end = -1; end < 0;) {
        const start = this.position + length;
        if (start >= this.size) throw this.#truncated(length + 1);
        const piece = this.#source.read(start, Math.min(WINDOW_BYTES, this.size - start));
        end = piece.indexOf(0x0a);
        length += end < 0 ? piece.length : end;
      }
    }
    const text = this.text(length, encoding);
    this.#advance(1);
    return text;
  }

  /** Moves past `length` bytes, at most `WINDOW_BYTES`, and says where in the window they start. */
  #advance(length: number): number {
    if (this.#at + length > this.#window.length) {
      const start = this.position;
      if (length > this.size - start) throw this.#truncated(length);
      this.#window = this.#source.read(start, Math.min(WINDOW_BYTES, this.size - start));
      this.#start = start;
      this.#at = 0;
    }
    const at = this.#at;
    this.#at = at + length;
    return at;
  }

  #truncated(length: number): FileFormatError {
    const left = Math.max(0, this.size - this.position);
    return new FileFormatError(
      this.path,
      `truncated pickle: ${length} bytes are expected at byte ${this.position}, but only ${left} are there. ` +
        'Copy or download the file again.',
      { offset: this.position },
    );
  }
}
