import { FileFormatError } from '@g2d/core';
import type { Dataset, File, Group, Metadata } from 'h5wasm';
import { OpenFile } from './byte-source.js';
import { refuseGitLfsPointer } from './git-lfs.js';
import { Hdf5Library } from './hdf5-library.js';
import { float32Values } from '../float32-values.js';
import { exactNumbers, type NumberArray } from './numpy-elements.js';

/** Numbers out of an HDF5 file. */
export interface Hdf5Array {
  readonly shape: readonly number[];
  /** In C order: as stored, floats of 16 bits as float32, 64-bit integers as doubles, enumerations as their numbers. Fresh: the caller may change them. */
  readonly values: NumberArray;
}

/** An open HDF5 file. Datasets are read when they are asked for. */
export interface Hdf5File {
  readonly path: string;
  /** Names of the datasets and groups in a group. Default: the outermost one. */
  names(group?: string): readonly string[];
  /** The shape of a dataset, such as `1/mean`, without reading it. */
  shape(name: string): readonly number[];
  /** The numbers of a dataset. */
  read(name: string): Hdf5Array;
  /** Lets go of the file. */
  close(): void;
}

const SIGNATURE = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');
/** The largest dataset that is read at once; what we read of MMIN has 90 kB each. */
const LARGEST_DATASET = 2 ** 28;
/** Classes of types, as HDF5 numbers them. */
const [INTEGER, FLOAT, ENUM] = [0, 1, 8];
/** What other datasets hold. */
const OTHERS: Readonly<Record<number, string>> = {
  2: 'times',
  3: 'texts',
  4: 'bit fields',
  5: 'bytes without a type',
  6: 'records of several fields, or complex numbers (a compound type)',
  7: 'references',
  9: 'rows of different length (a type of variable length)',
  10: 'arrays as elements',
};
/** A user block of any content may stand in front: the file starts behind it, at a power of two. */
const FIRST_USER_BLOCK = 512;

/**
 * Opens an HDF5 file of numbers. It needs the optional dependency `h5wasm`, the HDF5 library as WebAssembly.
 *
 * The library can read this file only: links to other files, and datasets that keep their numbers in other files, are
 * refused. Call `close` when done.
 *
 * @param path The file.
 * @throws {FileFormatError} If it is no HDF5 file, or damaged.
 * @throws {G2DError} `G2D_MISSING_DEPENDENCY` if `h5wasm` is not installed.
 */
export async function openHdf5(path: string): Promise<Hdf5File> {
  const file = new OpenFile(path);
  try {
    const start = file.read(0, Math.min(32, file.size));
    refuseGitLfsPointer(start, path);
    if (!hasSignature(file)) {
      throw new FileFormatError(path, 'not an HDF5 file: it does not start with \\x89HDF.', { offset: 0 });
    }
    const library = await Hdf5Library.load();
    return opened(library, file);
  } catch (error) {
    file.close();
    throw error;
  }
}

function hasSignature(file: OpenFile): boolean {
  for (let at = 0; at + SIGNATURE.length <= file.size; at = at === 0 ? FIRST_USER_BLOCK : 2 * at) {
    if (file.read(at, SIGNATURE.length).equals(SIGNATURE)) return true;
  }
  return false;
}

function opened(library: Hdf5Library, file: OpenFile): Hdf5File {
  const { path } = file;
  const { h5wasm } = library;
  const name = library.mount(file);
  let root: File | undefined;
  try {
    root = library.run(path, 'the file', () => {
      const handle = new h5wasm.File(name, 'r');
      try {
        // It says that it could not open the file only when something is read.
        handle.keys();
      } catch (error) {
        handle.close();
        throw error;
      }
      return handle;
    });
  } catch (error) {
    library.unmount(name);
    throw error;
  }

  const find = (wanted: string): Dataset | Group => {
    if (root === undefined) throw new FileFormatError(path, 'the file has been closed.');
    let found: Group | Dataset = root;
    for (const part of wanted.split('/').filter((part) => part !== '' && part !== '.')) {
      const next: unknown = found instanceof h5wasm.Group ? found.get(part) : null;
      if (!(next instanceof h5wasm.Group || next instanceof h5wasm.Dataset)) {
        throw new FileFormatError(
          path,
          next === null
            ? `has no dataset "${wanted}".`
            : `has a link in the place of "${wanted}"; only what lies in the file itself is read.`,
          { dataset: wanted },
        );
      }
      found = next;
    }
    return found;
  };
  const dataset = (wanted: string): Dataset => {
    const found = find(wanted);
    if (!(found instanceof h5wasm.Dataset)) {
      throw new FileFormatError(path, `"${wanted}" is a group; expected a dataset.`, { dataset: wanted });
    }
    return found;
  };
  const describe = (wanted: string): string => `dataset "${wanted}"`;

  return {
    path,
    names: (group = '/') =>
      library.run(path, `group "${group}"`, () => {
        const found = find(group);
        if (!(found instanceof h5wasm.Group)) {
          throw new FileFormatError(path, `"${group}" is a dataset; expected a group.`, { group });
        }
        return found.keys();
      }),
    shape: (wanted) =>
      library.run(path, describe(wanted), () => shapeOf(dataset(wanted).metadata, wanted, path)),
    read: (wanted) =>
      library.run(path, describe(wanted), () => {
        const found = dataset(wanted);
        const shape = shapeOf(found.metadata, wanted, path);
        const { type, size } = found.metadata;
        const values =
          type === FLOAT && size === 2
            ? float32Values(library.bytes(found, 2 * countOf(shape)), 'F16')
            : found.value;
        return { shape, values: numbersOf(values, shape, wanted, path) };
      }),
    close() {
      if (root === undefined) return;
      const handle = root;
      root = undefined;
      try {
        library.run(path, 'the file', () => handle.close());
      } finally {
        library.unmount(name);
        file.close();
      }
    },
  };
}

function shapeOf(metadata: Metadata, name: string, path: string): readonly number[] {
  const { shape, type, size, virtual_sources: sources } = metadata;
  const fail = (problem: string): FileFormatError =>
    new FileFormatError(path, `dataset "${name}" ${problem}`, { dataset: name });
  if (shape === null) throw fail('is empty: it has no shape. Expected numbers.');
  const isNumber = type === INTEGER || type === ENUM || (type === FLOAT && [2, 4, 8].includes(size));
  if (!isNumber) {
    const what = type === FLOAT ? `floats of ${8 * size} bits` : (OTHERS[type] ?? `a type of class ${type}`);
    throw fail(
      `holds ${what}; expected integers, or floats of 16, 32 or 64 bits. Save it as such, for example in Python: ` +
        'file.create_dataset(name, data=array.astype("float32"))',
    );
  }
  if (sources !== undefined) {
    throw fail('keeps its numbers in other files; expected them here.');
  }
  const bytes = shape.reduce((product, axis) => product * axis, size);
  if (!(bytes <= LARGEST_DATASET)) {
    throw new FileFormatError(
      path,
      `dataset "${name}" has the shape [${shape.join(', ')}], ${bytes} bytes; at most ${LARGEST_DATASET} are read.`,
      { dataset: name, shape },
    );
  }
  return shape;
}

function numbersOf(value: unknown, shape: readonly number[], name: string, path: string): NumberArray {
  const fail = (problem: string): FileFormatError =>
    new FileFormatError(path, `dataset "${name}": ${problem}`, { dataset: name });
  if (!ArrayBuffer.isView(value)) throw fail('it holds no plain numbers.');
  const numbers =
    value instanceof BigInt64Array || value instanceof BigUint64Array
      ? exactNumbers(value, fail)
      : (value as unknown as NumberArray);
  if (numbers.length !== countOf(shape)) {
    throw fail(`${numbers.length} numbers do not fill the shape [${shape.join(', ')}].`);
  }
  return numbers;
}

const countOf = (shape: readonly number[]): number => shape.reduce((product, axis) => product * axis, 1);
