import { FileFormatError } from '@g2d/core';

/** Bytes of a known length, read piece by piece: an open file, or bytes in memory. */
export interface ByteSource<Bytes extends Uint8Array = Uint8Array> {
  /** The file's name, for error messages. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /**
   * `length` bytes from `start` on, in memory of their own: a typed array may be laid over them.
   *
   * @throws {FileFormatError} If that is past the end.
   */
  read(start: number, length: number): Bytes;
}

/** Bytes that are in memory already. */
export function bytesInMemory(bytes: Uint8Array, path: string): ByteSource {
  return {
    path,
    size: bytes.length,
    read(start, length) {
      refusePastEnd(this, start, length);
      return new Uint8Array(bytes.subarray(start, start + length));
    },
  };
}

/** Called before memory is taken: a damaged length must not cost any. @throws {FileFormatError} If it is past the end. */
export function refusePastEnd(
  { path, size }: Pick<ByteSource, 'path' | 'size'>,
  start: number,
  length: number,
): void {
  if (length <= size - start) return;
  throw new FileFormatError(
    path,
    `truncated: ${length} bytes are expected at byte ${start}, but only ${Math.max(0, size - start)} are there. ` +
      'Copy or download the file again.',
    { offset: start },
  );
}
