import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FileFormatError, OptionError } from '@g2d/tensor-ops';
import { writeFileAtomic } from '@g2d/tensor-ops/node';

/** One row as numbers, in the narrowest array that holds them. bool is read as 0 and 1, 64-bit integers as doubles. */
export type NpyRow =
  Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

/** An open `.npy` file. Rows are read when they are asked for. */
export interface NpyFile {
  readonly path: string;
  readonly shape: readonly number[];
  /** As in the file, without the byte order: `f8`, `u1`, `b1`, … */
  readonly dtype: string;
  /** Numbers in one row: the product of all axes but the first. */
  readonly rowLength: number;
  /** The numbers of entry `index` of the first axis, in C order, as a fresh array. */
  row(index: number): NpyRow;
  /** The whole array in C order. Only for small files such as labels: it is read into memory at once. */
  all(): NpyRow;
  close(): void;
}

interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const HOST_ORDER = HOST_IS_LITTLE_ENDIAN ? '<' : '>';
/** numpy itself refuses headers above 10,000 bytes. */
const LONGEST_HEADER = 2 ** 20;
/** Rows of a Fortran-order file are gathered in blocks of at most this many bytes. */
const BLOCK_BYTES = 16 * 2 ** 20;

const READERS: Readonly<Record<string, (bytes: ArrayBuffer) => NpyRow>> = {
  b1: (bytes) => new Uint8Array(bytes),
  i1: (bytes) => new Int8Array(bytes),
  u1: (bytes) => new Uint8Array(bytes),
  i2: (bytes) => new Int16Array(bytes),
  u2: (bytes) => new Uint16Array(bytes),
  i4: (bytes) => new Int32Array(bytes),
  u4: (bytes) => new Uint32Array(bytes),
  i8: (bytes) => Float64Array.from(new BigInt64Array(bytes), Number),
  u8: (bytes) => Float64Array.from(new BigUint64Array(bytes), Number),
  f4: (bytes) => new Float32Array(bytes),
  f8: (bytes) => new Float64Array(bytes),
};

/**
 * Opens a numpy array file, format versions 1 to 3, either byte order, C or Fortran order, with elements bool, int
 * or uint of 8 to 64 bits, or float of 32 or 64 bits.
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
  let file: number | undefined = openSync(path, 'r');
  try {
    const fileBytes = fstatSync(file).size;
    const { header, dataStart } = readHeader(file, path, fileBytes);
    const { order, type, itemBytes } = elementType(header.descr, path);
    const { shape, fortranOrder } = header;
    const rows = shape[0] ?? 1;
    const rowLength = shape.slice(1).reduce((product, axis) => product * axis, 1);
    const rowBytes = rowLength * itemBytes;
    const dataBytes = rows * rowBytes;
    // `> fileBytes` also catches shapes whose product is beyond 2^53.
    if (!(dataBytes <= fileBytes - dataStart)) {
      throw new FileFormatError(
        path,
        `truncated npy file: the header promises [${shape.join(', ')}] of ${header.descr}, ${dataBytes} bytes of ` +
          `data, but only ${fileBytes - dataStart} follow it. Copy or download the file again.`,
        { shape, expectedBytes: dataBytes, actualBytes: fileBytes - dataStart },
      );
    }

    const read = (offset: number, length: number): Buffer => {
      if (file === undefined) throw new FileFormatError(path, 'the file has been closed.');
      // A buffer of its own, not of the pool: typed arrays need its start aligned.
      const bytes = Buffer.from(new ArrayBuffer(length));
      readFully(file, bytes, dataStart + offset, path);
      return bytes;
    };
    const decode = (bytes: Buffer): NpyRow => {
      if (itemBytes > 1 && order !== HOST_ORDER) {
        if (itemBytes === 2) bytes.swap16();
        else if (itemBytes === 4) bytes.swap32();
        else bytes.swap64();
      }
      return (READERS[type] as (bytes: ArrayBuffer) => NpyRow)(bytes.buffer as ArrayBuffer);
    };
    const scattered =
      fortranOrder && rowLength > 1
        ? scatteredRows({ read, rows, rowLength, itemBytes, tail: shape.slice(1) })
        : undefined;

    return {
      path,
      shape,
      dtype: type,
      rowLength,
      row(index) {
        if (!(Number.isInteger(index) && index >= 0 && index < rows)) {
          throw new OptionError(`${path} has rows 0 to ${rows - 1}; there is no row ${index}.`, {
            option: 'index',
            value: index,
            accepted: `0 to ${rows - 1}`,
          });
        }
        return decode(scattered === undefined ? read(index * rowBytes, rowBytes) : scattered(index));
      },
      all() {
        if (scattered === undefined) return decode(read(0, dataBytes));
        const gathered = Buffer.from(new ArrayBuffer(dataBytes));
        for (let i = 0; i < rows; i++) gathered.set(scattered(i), i * rowBytes);
        return decode(gathered);
      },
      close() {
        if (file !== undefined) closeSync(file);
        file = undefined;
      },
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
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
  writeFileAtomic(path, [MAGIC, length, header, data]);
}

function readFully(file: number, bytes: Buffer, position: number, path: string): void {
  for (let done = 0; done < bytes.length;) {
    const count = readSync(file, bytes, done, bytes.length - done, position + done);
    if (count === 0) throw new FileFormatError(path, 'truncated npy file: it became shorter while open.');
    done += count;
  }
}

function readHeader(
  file: number,
  path: string,
  fileBytes: number,
): { readonly header: Header; readonly dataStart: number } {
  const start = Buffer.alloc(Math.min(12, fileBytes));
  readFully(file, start, 0, path);
  if (!start.subarray(0, 6).equals(MAGIC)) {
    throw new FileFormatError(path, 'not an npy file: it does not start with \\x93NUMPY.');
  }
  if (start.length < 12) throw new FileFormatError(path, 'truncated npy file: it ends within the header.');
  const version = start[6] as number;
  if (version < 1 || version > 3) {
    throw new FileFormatError(path, `npy format version ${version}; only versions 1 to 3 are known.`);
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
  const bytes = Buffer.alloc(headerBytes);
  readFully(file, bytes, headerStart, path);
  const header = parseHeader(bytes.toString(version === 3 ? 'utf8' : 'latin1'), path);
  return { header, dataStart: headerStart + headerBytes };
}

/** Parses `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }`: these three keys in any order, nothing else. */
function parseHeader(text: string, path: string): Header {
  let at = 0;
  const fail = (expected: string): FileFormatError =>
    new FileFormatError(
      path,
      `invalid npy header: expected ${expected} at character ${at} of ${JSON.stringify(text.slice(0, 200))}.`,
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
  const string = /'[^'\\\n]*'|"[^"\\\n]*"/;
  const found: { descr?: string; fortranOrder?: boolean; shape?: number[] } = {};

  need(/\{/, '{');
  while (take(/\}/) === undefined) {
    const key = need(string, 'a key').slice(1, -1);
    need(/:/, ':');
    if (key === 'descr' && found.descr === undefined) {
      if (take(/\[/) !== undefined) {
        throw new FileFormatError(path, 'a structured npy array; only plain numbers can be read.');
      }
      found.descr = need(string, 'a type string').slice(1, -1);
    } else if (key === 'fortran_order' && found.fortranOrder === undefined) {
      found.fortranOrder = need(/True|False/, 'True or False') === 'True';
    } else if (key === 'shape' && found.shape === undefined) {
      found.shape = [];
      need(/\(/, '(');
      while (take(/\)/) === undefined) {
        // Python 2 wrote 60000L
        found.shape.push(Number(need(/[0-9]+L?/, 'a size').replace('L', '')));
        if (take(/,/) === undefined) {
          need(/\)/, ')');
          break;
        }
      }
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

function elementType(
  descr: string,
  path: string,
): { readonly order: string; readonly type: string; readonly itemBytes: number } {
  const [, order, type] = /^([<>|=]?)(.*)$/s.exec(descr) as unknown as [string, string, string];
  if (type.startsWith('O')) {
    throw new FileFormatError(
      path,
      'an npy array of Python objects (dtype object). They are pickled and never loaded; save plain numbers instead.',
    );
  }
  if (!Object.hasOwn(READERS, type)) {
    throw new FileFormatError(
      path,
      `npy elements of type '${descr}'; only bool, integers and floats of 32 or 64 bits can be read.`,
    );
  }
  return {
    order: order === '<' || order === '>' ? order : HOST_ORDER,
    type,
    itemBytes: Number(type.slice(1)),
  };
}

/** Gathers rows of a Fortran-order array: element f of row i lies at i + rows · f, the second axis fastest. */
function scatteredRows(layout: {
  readonly read: (offset: number, length: number) => Buffer;
  readonly rows: number;
  readonly rowLength: number;
  readonly itemBytes: number;
  readonly tail: readonly number[];
}): (index: number) => Buffer {
  const { read, rows, rowLength, itemBytes, tail } = layout;
  const rowBytes = rowLength * itemBytes;
  const blockRows = Math.min(rows, Math.max(1, Math.floor(BLOCK_BYTES / rowBytes)));
  const strides = tail.map((_, axis) => tail.slice(axis + 1).reduce((product, size) => product * size, 1));
  // C-order position of the element at Fortran position f
  const position = Uint32Array.from({ length: rowLength }, (_, f) => {
    let rest = f;
    let index = 0;
    tail.forEach((size, axis) => {
      index += (rest % size) * (strides[axis] as number);
      rest = Math.floor(rest / size);
    });
    return index;
  });
  let blockStart = -1;
  let block = new Uint8Array(0);
  return (index) => {
    const start = index - (index % blockRows);
    if (start !== blockStart) {
      const count = Math.min(blockRows, rows - start);
      const gathered = new Uint8Array(count * rowBytes);
      for (let f = 0; f < rowLength; f++) {
        const column = read((start + rows * f) * itemBytes, count * itemBytes);
        let to = (position[f] as number) * itemBytes;
        for (let i = 0; i < count; i++, to += rowBytes) {
          for (let b = 0; b < itemBytes; b++) gathered[to + b] = column[i * itemBytes + b] as number;
        }
      }
      block = gathered;
      blockStart = start;
    }
    const row = Buffer.from(new ArrayBuffer(rowBytes));
    row.set(block.subarray((index - start) * rowBytes, (index - start + 1) * rowBytes));
    return row;
  };
}
