import { readFileSync } from 'node:fs';
import { decodeText, FileFormatError } from '@g2d/core';
import { checkFile, parseJson } from '@g2d/core/run-folder';

/**
 * Reads a file that holds one JSON object.
 *
 * @throws {FileFormatError} If it is missing, is not JSON or is not what the schema says.
 */
export function readFile<T>(path: string, schema: Parameters<typeof checkFile<T>>[0]): T {
  return checkFile(schema, parseJson(readText(path), { path }), { path });
}

/** Reads a text file; a missing one is an error that names it. */
export function readText(path: string): string {
  try {
    return decodeText(readFileSync(path), path);
  } catch (error) {
    if (FileFormatError.isInstance(error)) throw error;
    throw new FileFormatError(
      path,
      `cannot be read (${(error as Error).message}). Nothing was changed; put it right, then try again.`,
    );
  }
}
