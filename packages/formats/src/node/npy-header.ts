import { FileFormatError, shown } from '@g2d/core';
import type { BufferSource } from './byte-source.js';
import { refuseGitLfsPointer } from './git-lfs.js';
import { elementType, type ElementType } from './numpy-elements.js';

/** What an npy file holds, and where. */
export interface NpyLayout {
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly fortranOrder: boolean;
  /** Where the elements start in the file. */
  readonly dataStart: number;
  readonly dataBytes: number;
}

export const NPY_MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** numpy itself refuses headers above 10,000 bytes. */
const LONGEST_HEADER = 2 ** 16;
/** numpy's own limit. */
const MOST_AXES = 64;

/**
 * Reads the header of an npy file, format versions 1 to 3. It is a Python literal; it is parsed, never evaluated.
 *
 * @throws {FileFormatError} If it is not such a file, or shorter than its header promises.
 * @see NEP 1 and `numpy.lib.format`
 */
export function readNpyHeader(source: BufferSource): NpyLayout {
  const { path, size: fileBytes } = source;
  const start = source.read(0, Math.min(32, fileBytes));
  refuseGitLfsPointer(start, path);
  if (!start.subarray(0, 6).equals(NPY_MAGIC)) {
    throw new FileFormatError(path, 'not an npy file: it does not start with \\x93NUMPY.', { offset: 0 });
  }
  if (start.length < 12) throw new FileFormatError(path, 'truncated npy file: it ends within the header.');
  const version = start[6] as number;
  if (version < 1 || version > 3) {
    throw new FileFormatError(
      path,
      `npy format version ${version}; only versions 1 to 3 are known. Save the array again with numpy.save.`,
      { offset: 6 },
    );
  }
  const headerStart = version === 1 ? 10 : 12;
  const headerBytes = version === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  if (headerStart + headerBytes > fileBytes) {
    throw new FileFormatError(path, 'truncated npy file: it ends within the header.');
  }
  if (headerBytes > LONGEST_HEADER) {
    throw new FileFormatError(
      path,
      `npy header of ${headerBytes} bytes; at most ${LONGEST_HEADER} are read.`,
    );
  }
  const text = source.read(headerStart, headerBytes).toString(version === 3 ? 'utf8' : 'latin1');
  const { descr, fortranOrder, shape } = parseHeader(text, path);
  if (/^[|<>=]?O/.test(descr)) {
    throw new FileFormatError(
      path,
      'an npy array of Python objects (dtype object). They are pickled and never loaded; save plain numbers instead.',
    );
  }
  const type = elementType(descr, (problem) => new FileFormatError(path, `npy ${problem}`));
  const dataStart = headerStart + headerBytes;
  const dataBytes = shape.reduce((product, axis) => product * axis, type.itemBytes);
  // `!(… <= …)` also catches shapes whose product is beyond any number.
  if (!(dataBytes <= fileBytes - dataStart)) {
    throw new FileFormatError(
      path,
      `truncated npy file: the header promises [${shape.slice(0, 8).join(', ')}] of ${descr}, ${dataBytes} bytes of ` +
        `data, but only ${fileBytes - dataStart} follow it. Copy or download the file again.`,
      { shape, expectedBytes: dataBytes, actualBytes: fileBytes - dataStart },
    );
  }
  return { shape, type, fortranOrder, dataStart, dataBytes };
}

interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

const OPEN = /\{/;
const STRING = /'[^'\\\n]*'|"[^"\\\n]*"/;

/** Parses `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }`: these three keys in any order, nothing else. */
function parseHeader(text: string, path: string): Header {
  let at = 0;
  const fail = (expected: string): FileFormatError =>
    new FileFormatError(
      path,
      `invalid npy header: expected ${expected} at character ${at} of ${shown(text.slice(0, 200))}.`,
      { offset: at },
    );
  const take = (pattern: RegExp): string | undefined => {
    const sticky = new RegExp(`[ \\t\\n\\r]*(${pattern.source})`, 'y');
    sticky.lastIndex = at;
    const match = sticky.exec(text);
    if (match === null) return undefined;
    at = sticky.lastIndex;
    return match[1];
  };
  const need = (pattern: RegExp, name: string): string => {
    const taken = take(pattern);
    if (taken === undefined) throw fail(name);
    return taken;
  };
  const sizes = (): number[] => {
    const found: number[] = [];
    need(/\(/, '(');
    while (take(/\)/) === undefined) {
      // Python 2 wrote 60000L
      found.push(Number(need(/[0-9]+L?/, 'a size').replace('L', '')));
      if (found.length > MOST_AXES) throw fail(`at most ${MOST_AXES} axes`);
      if (take(/,/) === undefined) {
        need(/\)/, ')');
        break;
      }
    }
    return found;
  };
  const found: { descr?: string; fortranOrder?: boolean; shape?: number[] } = {};

  need(OPEN, '{');
  while (take(/\}/) === undefined) {
    const key = need(STRING, 'a key').slice(1, -1);
    need(/:/, ':');
    if (key === 'descr' && found.descr === undefined) {
      if (take(/\[/) !== undefined) {
        throw new FileFormatError(
          path,
          'a structured npy array; only plain numbers and text can be read. Save one array for each field.',
        );
      }
      found.descr = need(STRING, 'a type string').slice(1, -1);
    } else if (key === 'fortran_order' && found.fortranOrder === undefined) {
      found.fortranOrder = need(/True|False/, 'True or False') === 'True';
    } else if (key === 'shape' && found.shape === undefined) {
      found.shape = sizes();
    } else {
      throw fail("'descr', 'fortran_order' and 'shape' once each");
    }
    if (take(/,/) === undefined) {
      need(/\}/, '}');
      break;
    }
  }
  if (text.slice(at).trim() !== '') throw fail('the end');
  const { descr, fortranOrder, shape } = found;
  if (descr === undefined || fortranOrder === undefined || shape === undefined) {
    throw fail("'descr', 'fortran_order' and 'shape'");
  }
  return { descr, fortranOrder, shape };
}
