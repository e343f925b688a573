import { refusePastEnd } from '../byte-source.js';

/** Reads a file's bytes one after another; past the end is an error that says so. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly path: string;
  position: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, path: string, position = 0) {
    this.bytes = bytes;
    this.path = path;
    this.position = position;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves past `length` bytes and says where they started. */
  skip(length: number): number {
    const start = this.position;
    refusePastEnd({ path: this.path, size: this.bytes.length }, start, length);
    this.position = start + length;
    return start;
  }

  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  uint16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  /** As a number: above 2⁵³ not exact, but then larger than any file. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.skip(8), true));
  }
}
