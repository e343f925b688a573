import { FileFormatError } from './errors.js';

/**
 * The text of a file: UTF-8, or UTF-16 where a byte order mark says so, as Windows writes it. The mark is left out.
 *
 * @param path The file's name, for the error.
 * @throws {FileFormatError} If the bytes are no such text.
 */
export function decodeText(bytes: Uint8Array, path: string): string {
  const [encoding, name] =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? ['utf-16le', 'UTF-16']
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? ['utf-16be', 'UTF-16']
        : ['utf-8', 'UTF-8'];
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FileFormatError(path, `is no ${name} text. Save it as text with the encoding UTF-8.`, {
      cause: error,
    });
  }
}
