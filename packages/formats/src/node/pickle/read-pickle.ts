import { checkKeys, FileFormatError } from '@g2d/core';
import type { ByteSource } from '../../byte-source.js';
import { PickleReader } from '../../pickle/pickle-reader.js';
import { runPickle } from '../../pickle/unpickler.js';
import { withFile } from '../byte-source.js';
import { refuseGitLfsPointer } from '../git-lfs.js';
import { dataDialect, type PickleOptions } from './data-dialect.js';

/**
 * Reads a Python pickle, protocol 0 to 5, of data: numbers, text, bytes, lists, tuples, dictionaries, sets and numpy
 * arrays. Nothing is executed; a pickle that names anything else is refused.
 *
 * Lists and tuples become arrays, dictionaries `Map`s, sets `Set`s, bytes `Uint8Array`s, numpy arrays `NdArray`s, and
 * integers beyond ±2⁵³ bigints. Byte strings of Python 2 become text, read as latin-1. The file is read in pieces, so it
 * may be larger than 2 GiB; every array gets its elements directly.
 *
 * @param path The file.
 * @throws {FileFormatError} If it is truncated or damaged, names anything but data, or unpacks to far more than its size.
 * @example
 * const folds = readPickle('data_folds.pkl') as Map<string, number[]>;
 * @see Python's `pickletools.py`
 */
export function readPickle(path: string, options: PickleOptions = {}): unknown {
  return withFile(path, (file) => unpickle(file, options));
}

/** The pickle in `source`, as `readPickle`. */
export function unpickle(source: ByteSource, options: PickleOptions = {}): unknown {
  checkKeys(options, { packNumbers: true }, 'readPickle');
  const { path } = source;
  refuseGitLfsPointer(source.read(0, Math.min(32, source.size)), path);
  try {
    return runPickle(new PickleReader(source), dataDialect(options));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FileFormatError(path, `holds more than fits into memory (${error.message}).`, { cause: error });
  }
}
