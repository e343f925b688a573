import { FileFormatError } from '@g2d/core';
import { refusePastEnd, type ByteSource } from '../byte-source.js';

const WINDOW_BYTES = 2 ** 18;
/** V8 holds strings up to 2²⁹ − 24 characters. */
const LONGEST_TEXT = 2 ** 28;

/** `utf8` puts U+FFFD for what is no UTF-8, `strict-utf8` refuses it. */
export type PickleEncoding = 'utf8' | 'strict-utf8' | 'latin1';

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a file's bytes one after another through a window, so that a file of any size fits; past the end is an error
 * that says so, and a damaged length costs no memory.
 */
export class PickleReader {
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  #view = viewOf(this.#window);
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

  /** The next byte as a number. */
  uint8(): number {
    // First the move: it may change the window.
    const at = this.#advance(1);
    return this.#window[at] as number;
  }

  /** Two bytes, the low one first. */
  uint16(): number {
    const at = this.#advance(2);
    return this.#view.getUint16(at, true);
  }

  /** Four bytes, the lowest one first. */
  uint32(): number {
    const at = this.#advance(4);
    return this.#view.getUint32(at, true);
  }

  /** The same, with a sign. */
  int32(): number {
    const at = this.#advance(4);
    return this.#view.getInt32(at, true);
  }

  /** As a number: above 2⁵³ not exact, but then larger than any file. */
  uint64(): number {
    const at = this.#advance(8);
    return Number(this.#view.getBigUint64(at, true));
  }

  /**
   * Big-endian numbers, one at least, each but the first behind a byte that is `code`: the instruction to push it.
   * Features that were pickled as lists are little else, so they are read without a way through the stack machine.
   */
  float64Run(code: number, to: unknown[]): void {
    const first = this.#advance(8);
    const window = this.#window;
    const view = this.#view;
    to.push(view.getFloat64(first, false));
    let at = this.#at;
    for (; at + 9 <= window.length && window[at] === code; at += 9) to.push(view.getFloat64(at + 1, false));
    this.#at = at;
  }

  /** @throws {FileFormatError} If the file ends before. */
  skip(length: number): void {
    this.#refusePastEnd(length);
    this.#at += length;
  }

  /** Bytes in memory of their own. */
  bytes(length: number): Uint8Array {
    const start = this.position;
    this.#refusePastEnd(length);
    this.#at += length;
    if (start < this.#start || this.#at > this.#window.length) return this.#source.read(start, length);
    return new Uint8Array(this.#window.subarray(this.#at - length, this.#at));
  }

  /** So many bytes as a text. */
  text(length: number, encoding: PickleEncoding): string {
    this.#refusePastEnd(length);
    if (length > LONGEST_TEXT) {
      throw new FileFormatError(
        this.path,
        `has a text of ${length} bytes; at most ${LONGEST_TEXT} are read.`,
        {
          offset: this.position,
        },
      );
    }
    const start = this.position;
    if (length > WINDOW_BYTES) return this.#decoded(this.bytes(length), encoding, start);
    const at = this.#advance(length);
    return this.#decoded(this.#window.subarray(at, at + length), encoding, start);
  }

  /** Text up to the next line feed, which is skipped. */
  line(encoding: PickleEncoding = 'utf8'): string {
    let length = this.#window.indexOf(0x0a, this.#at) - this.#at;
    if (length < 0) {
      length = 0;
      for (let end = -1; end < 0;) {
        const start = this.position + length;
        if (start >= this.size) this.#refusePastEnd(length + 1);
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
      this.#refusePastEnd(length);
      this.#window = this.#source.read(start, Math.min(WINDOW_BYTES, this.size - start));
      this.#view = viewOf(this.#window);
      this.#start = start;
      this.#at = 0;
    }
    const at = this.#at;
    this.#at = at + length;
    return at;
  }

  #decoded(bytes: Uint8Array, encoding: PickleEncoding, start: number): string {
    if (encoding === 'latin1') return latin1(bytes);
    try {
      return (encoding === 'utf8' ? UTF8 : STRICT_UTF8).decode(bytes);
    } catch {
      throw new FileFormatError(this.path, `damaged: no valid text at byte ${start}.`, { offset: start });
    }
  }

  #refusePastEnd(length: number): void {
    refusePastEnd(this.#source, this.position, length);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** In pieces, as a call takes only so many arguments. The decoder that the platform calls latin1 is of Windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}
