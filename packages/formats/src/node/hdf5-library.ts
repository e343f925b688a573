import { randomUUID } from 'node:crypto';
import { FileFormatError, G2DError } from '@g2d/core';
import type { Dataset } from 'h5wasm';
import type { OpenFile } from './byte-source.js';
import { optionalPackage } from './optional-package.js';

type H5wasm = typeof import('h5wasm');

/** What we use of the WebAssembly module itself. */
type Memory = Pick<Awaited<H5wasm['ready']>, 'get_dataset_data' | '_malloc' | '_free' | 'HEAPU8'>;

/** What we use of the WebAssembly module's own file system. */
interface FileSystem {
  writeFile(path: string, content: Uint8Array): void;
  unlink(path: string): void;
  lookupPath(path: string): { readonly node: FileNode };
  getStream(descriptor: number): { readonly tty?: { ops: object } } | null;
  readonly ErrnoError: new (errno: number) => Error;
}

interface FileNode {
  usedBytes: number;
  stream_ops: object;
}

const STDERR = 2;
/** Emscripten's number for "input/output error". */
const EIO = 29;

/** The HDF5 library with a private file system: it sees the files that `mount` gives it and nothing else of the machine. */
export class Hdf5Library {
  readonly h5wasm: H5wasm;
  readonly #files: FileSystem;
  readonly #memory: Memory;

  private constructor(h5wasm: H5wasm, files: FileSystem, memory: Memory) {
    this.h5wasm = h5wasm;
    this.#files = files;
    this.#memory = memory;
  }

  /** @throws {G2DError} If the optional dependency is not installed. */
  static async load(): Promise<Hdf5Library> {
    const h5wasm = await optionalPackage('h5wasm', 'HDF5 files', () => import('h5wasm'));
    const module = await h5wasm.ready;
    return new Hdf5Library(h5wasm, module.FS as unknown as FileSystem, module);
  }

  /**
   * Makes a file visible to the library. It is read where the library asks for it: a file of any size costs no memory.
   *
   * @returns Its name in the private file system.
   */
  mount(file: OpenFile): string {
    const files = this.#files;
    // HDF5 takes files of one name for the same file.
    const name = `/${randomUUID()}.h5`;
    files.writeFile(name, new Uint8Array(0));
    const { node } = files.lookupPath(name);
    node.usedBytes = file.size;
    node.stream_ops = {
      ...node.stream_ops,
      read(_stream: unknown, heap: Int8Array, offset: number, length: number, position: number): number {
        const count = Math.max(0, Math.min(length, file.size - position));
        try {
          file.readInto(new Uint8Array(heap.buffer, heap.byteOffset + offset, count), position);
        } catch {
          throw new files.ErrnoError(EIO);
        }
        return count;
      },
    };
    return name;
  }

  unmount(name: string): void {
    this.#files.unlink(name);
  }

  /** The elements of a dataset as they are, but little-endian: h5wasm has no array for some types of numbers. */
  bytes({ file_id: file, path }: Dataset, length: number): Uint8Array {
    const memory = this.#memory;
    const start = memory._malloc(length);
    if (start === 0 && length > 0) throw new Error(`no memory for ${length} bytes`);
    try {
      memory.get_dataset_data(file, path, null, null, null, BigInt(start));
      // After reading: the memory may have grown, and moved.
      return memory.HEAPU8.slice(start, start + length);
    } finally {
      memory._free(start);
    }
  }

  /**
   * Runs `work`, turning whatever goes wrong in the library, a crash of its WebAssembly code included, into an error that
   * names the file. What the library prints becomes the reason.
   */
  run<T>(path: string, what: string, work: () => T): T {
    const printed: number[] = [];
    const tty = this.#files.getStream(STDERR)?.tty;
    const ops = tty?.ops;
    if (tty !== undefined) {
      tty.ops = {
        put_char: (_tty: unknown, byte: number | null) => {
          if (byte !== null && printed.length < 10_000) printed.push(byte);
        },
        fsync: () => {},
      };
    }
    const failed = (reason: string, cause?: unknown): FileFormatError => {
      const filter = FILTER.exec(reason)?.[1];
      return new FileFormatError(
        path,
        filter === undefined
          ? `${what} cannot be read as HDF5 (${reason}). Copy or download the file again.`
          : `${what} is packed with ${filter}, which is not read here; gzip is. Convert the file: h5repack -f GZIP=4 in.h5 out.h5`,
        cause === undefined ? {} : { cause },
      );
    };
    const reason = (): string | undefined => reasonIn(Buffer.from(printed).toString());
    try {
      const result = work();
      // h5wasm looks at no status code when it reads numbers: after a failure they are whatever the memory held.
      const silent = reason();
      if (silent !== undefined) throw failed(silent);
      return result;
    } catch (error) {
      if (G2DError.isInstance(error)) throw error;
      throw failed(reason() ?? String(error), error);
    } finally {
      if (tty !== undefined && ops !== undefined) tty.ops = ops;
    }
  }
}

/** The innermost of HDF5's error messages: `#006: file.c line 577 in H5F__super_read(): truncated file: …` */
function reasonIn(printed: string): string | undefined {
  const messages = printed
    .split('HDF5-DIAG')
    .find((part) => part.includes('#000'))
    ?.match(/#\d{3}: .* in \w+\(\): .*/g)
    ?.map((message) => message.replace(/^.* in \w+\(\): /, ''));
  // Behind that it only tells where it looked for the filter.
  return (messages?.find((message) => FILTER.test(message)) ?? messages?.at(-1))?.slice(0, 300);
}

const FILTER = /^required filter ('[^']*') is not registered/;
