import { FileFormatError, OptionError } from '@g2d/core';
import type { Fail } from '../fail.js';
import { OpenFile, withFile, type BufferSource } from './byte-source.js';
import { NPY_MAGIC, readNpyHeader, type NpyLayout } from './npy-header.js';
import {
  decodeNumbers,
  decodeText,
  rowMajorPositions,
  scatter,
  toRowMajor,
  type NumberArray,
} from './numpy-elements.js';
import { writeFileAtomic } from './write-file-atomic.js';

/** One row as numbers, in the narrowest array that holds them. bool is read as 0 and 1, 64-bit integers as doubles. */
export type NpyRow = NumberArray;

/** A numpy array of numbers. Rows are read when they are asked for. */
export interface NpyFile {
  readonly path: string;
  readonly shape: readonly number[];
  /** As in the file, without the byte order: `f8`, `u1`, `b1`, … */
  readonly dtype: string;
  /** Numbers in one row: the product of all axes but the first. */
  readonly rowLength: number;
  /** The numbers of entry `index` of the first axis, in C order, as a fresh array. */
  row(index: number): NpyRow;
  /** `count` entries of the first axis from `start` on, one after the other. */
  rows(start: number, count: number): NpyRow;
  /** The whole array in C order. Only for small files such as labels: it is read into memory at once. */
  all(): NpyRow;
  /** Lets go of the file. */
  close(): void;
}

/** A numpy array of texts. */
export interface NpyText {
  readonly shape: readonly number[];
  /** In C order. */
  readonly values: readonly string[];
}

const HOST_ORDER = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? '<' : '>';
/** Rows of a Fortran-order file are gathered in blocks of at most this many bytes. */
const BLOCK_BYTES = 16 * 2 ** 20;
/** What is read at once: larger files are read by rows. */
const LARGEST_PIECE = 2 ** 30;

/**
 * Opens a numpy array file, format versions 1 to 3, either byte order, C or Fortran order, with elements bool, int
 * or uint of 8 to 64 bits, or float of 16 to 64 bits.
 *
 * Nothing but the header is read here, so a file of any size opens at once. The header is a Python literal; it is
 * parsed, never evaluated, and nothing is unpickled. Rows of a Fortran-order file lie scattered over the whole file:
 * they are gathered in blocks, which is quick in order and slow at random on a file larger than 16 MiB.
 *
 * @param path The file.
 * @throws {FileFormatError} If it is not such a file, or shorter than its header promises.
 * @see NEP 1 and `numpy.lib.format`
 */
export function openNpy(path: string): NpyFile {
  const file = new OpenFile(path);
  try {
    return npyOf(file, () => file.close());
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The array in `source`, as `openNpy`. */
export function npyOf(source: BufferSource, close: () => void = () => {}): NpyFile {
  const { path } = source;
  const layout = readNpyHeader(source);
  const { shape, type, dataStart, dataBytes } = layout;
  if (type.kind !== 'number') {
    throw new FileFormatError(path, `npy elements of type '${type.name}', which is text; expected numbers.`);
  }
  const rows = shape[0] ?? 1;
  const rowLength = shape.slice(1).reduce((product, axis) => product * axis, 1);
  const rowBytes = rowLength * type.itemBytes;

  const fail: Fail = (problem) => new FileFormatError(path, problem);
  const contiguous = (start: number, count: number): Buffer =>
    source.read(dataStart + start * rowBytes, count * rowBytes);
  const read = layout.fortranOrder && rowLength > 1 && dataBytes > 0 ? gathered(source, layout) : contiguous;

  const rowsFrom = (start: number, count: number): NpyRow => {
    const whole = Number.isInteger(start) && Number.isInteger(count);
    if (!(whole && start >= 0 && count >= 0 && start + count <= rows)) {
      const asked = count === 1 ? `row ${start}` : `rows ${start} to ${start + count - 1}`;
      throw new OptionError(`${path} has rows 0 to ${rows - 1}; there is no ${asked}.`, {
        option: 'index',
        value: start,
        accepted: `0 to ${rows - 1}`,
      });
    }
    if (count * rowBytes > LARGEST_PIECE) {
      throw new FileFormatError(
        path,
        `${count} rows of this array have ${count * rowBytes} bytes; at most ${LARGEST_PIECE} are read at once. ` +
          'Read fewer rows at a time.',
      );
    }
    return decodeNumbers(read(start, count), type, fail);
  };
  return {
    path,
    shape,
    dtype: type.name,
    rowLength,
    row: (index) => rowsFrom(index, 1),
    rows: rowsFrom,
    all: () => rowsFrom(0, rows),
    close,
  };
}

/**
 * Reads an npy file of texts: byte strings (numpy `S`, as UTF-8) or Unicode (`U`), of any shape.
 *
 * @param path The file.
 * @throws {FileFormatError} If it is not such a file, or not of texts.
 */
export function readNpyText(path: string): NpyText {
  return withFile(path, (file) => {
    const { shape, type, fortranOrder, dataStart, dataBytes } = readNpyHeader(file);
    if (type.kind === 'number' || dataBytes > LARGEST_PIECE) {
      throw new FileFormatError(
        path,
        `npy elements of type '${type.name}', ${dataBytes} bytes; expected texts (numpy S or U), at most ${LARGEST_PIECE} bytes.`,
      );
    }
    const bytes = file.read(dataStart, dataBytes);
    const ordered = fortranOrder ? toRowMajor(bytes, shape, type.itemBytes) : bytes;
    return { shape, values: decodeText(ordered, type, (problem) => new FileFormatError(path, problem)) };
  });
}

/**
 * Writes an array as a numpy file (version 1, C order, the host's byte order), atomically.
 *
 * @param path Where to; missing folders are made.
 * @param values The numbers in C order.
 * @param shape Its product is the number of values.
 */
export function writeNpy(
  path: string,
  values: Uint8Array | Int32Array | Float32Array | Float64Array,
  shape: readonly number[],
): void {
  const count = shape.reduce((product, axis) => product * axis, 1);
  if (count !== values.length) {
    throw new OptionError(`${values.length} values do not fill the shape [${shape.join(', ')}].`, {
      option: 'shape',
      value: shape,
      accepted: `a shape of ${values.length} elements`,
    });
  }
  const descr =
    values instanceof Uint8Array
      ? '|u1'
      : HOST_ORDER + (values instanceof Int32Array ? 'i4' : values instanceof Float32Array ? 'f4' : 'f8');
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${axes}), }`;
  // magic 6, version 2, length 2, then the text, padded so that the data start at a multiple of 64
  const padding = 63 - ((10 + text.length) % 64);
  const header = Buffer.from(`${text}${' '.repeat(padding)}\n`, 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt8(1, 0);
  length.writeUInt16LE(header.length, 2);
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  writeFileAtomic(path, [NPY_MAGIC, length, header, data]);
}

/** Reads rows of a Fortran-order array: element f of row i lies at i + rows · f, the second axis fastest. */
function gathered(
  source: BufferSource,
  { shape, type, dataStart }: NpyLayout,
): (start: number, count: number) => Buffer {
  const { itemBytes } = type;
  const rows = shape[0] as number;
  const position = rowMajorPositions(shape.slice(1));
  const rowBytes = position.length * itemBytes;
  const blockRows = Math.min(rows, Math.max(1, Math.floor(BLOCK_BYTES / rowBytes)));
  let blockStart = -1;
  let block = Buffer.alloc(0);
  const blockOf = (index: number): Buffer => {
    const start = index - (index % blockRows);
    if (start !== blockStart) {
      const count = Math.min(blockRows, rows - start);
      block = Buffer.alloc(count * rowBytes);
      for (let f = 0; f < position.length; f++) {
        const column = source.read(dataStart + (start + rows * f) * itemBytes, count * itemBytes);
        scatter(column, block, (position[f] as number) * itemBytes, { itemBytes, stride: rowBytes });
      }
      blockStart = start;
    }
    return block;
  };
  return (start, count) => {
    const bytes = Buffer.from(new ArrayBuffer(count * rowBytes));
    for (let i = 0; i < count; i++) {
      const at = ((start + i) % blockRows) * rowBytes;
      bytes.set(blockOf(start + i).subarray(at, at + rowBytes), i * rowBytes);
    }
    return bytes;
  };
}
