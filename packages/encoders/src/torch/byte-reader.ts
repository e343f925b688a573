import { FileFormatError } from '@g2d/tensor-ops';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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
    if (length > this.bytes.length - start) {
      throw new FileFormatError(
        this.path,
        `truncated: ${length} bytes are expected at byte ${start}, but only ${Math.max(0, this.bytes.length - start)} are there. Copy or download the file again.`,
        { offset: start },
      );
    }
    this.position = start + length;
    return start;
  }

  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  uint8(): number {
    return this.#view.getUint8(this.skip(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.skip(4), true);
  }

  /** As a number: above 2⁵³ not exact, but then larger than any file. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.skip(8), true));
  }

  /** Big-endian, as pickle stores it. */
  float64(): number {
    return this.#view.getFloat64(this.skip(8), false);
  }

  text(length: number): string {
    const start = this.position;
    try {
      return UTF8.decode(this.take(length));
    } catch (error) {
      if (FileFormatError.isInstance(error)) throw error;
      throw new FileFormatError(this.path, `damaged: no valid text at byte ${start}.`, { offset: start });
    }
  }

  /** Text up to the next line feed. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    const text = this.text((end < 0 ? this.bytes.length + 1 : end) - this.position);
    this.position++;
    return text;
  }
}
