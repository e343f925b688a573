import {
  bytesInMemory,
  float32Values,
  PickleReader,
  runPickle,
  type Fail,
  type PickleDialect,
} from '@g2d/formats';
import { FileFormatError, shown } from '@g2d/core';
import { listStoredZip, type StoredMember } from './stored-zip.js';
import { TORCH_DIALECT } from './torch-dialect.js';
import { isSize, StorageReference } from './torch-globals.js';
import type { TorchStorage } from './torch-tensor.js';
import { TorchType } from './torch-type.js';
import { Tuple } from './tuple.js';

/** What a storage is called in a pickle: kind, element type, key, device, number of elements, view. */
interface StorageId {
  readonly type: TorchType;
  readonly key: string;
  readonly length: number;
  readonly view: unknown;
}

interface WholeStorage extends TorchStorage {
  /** Of one element. */
  readonly bytes: number;
}

/**
 * Decodes what `torch.save` wrote since PyTorch 1.6: a zip archive with `data.pkl` and one member per storage.
 *
 * @returns The saved object: dictionaries as `Map`, tuples as `Tuple`, tensors as `TorchTensor` or `UnreadableTensor`.
 * @throws {FileFormatError} If it is damaged, or holds anything but tensors in plain containers.
 */
export function decodeZipPth(file: Uint8Array, path: string): unknown {
  const members = listStoredZip(file, path);
  const root = [...members.keys()].find((name) => /^([^/]*\/)?data\.pkl$/.test(name))?.slice(0, -8);
  const member = (name: string): StoredMember | undefined => members.get(`${root}${name}`);
  const pickle = member('data.pkl');
  if (pickle === undefined) {
    throw new FileFormatError(path, 'a zip archive, but no checkpoint: it has no data.pkl.');
  }
  if (member('constants.pkl') !== undefined) {
    throw new FileFormatError(
      path,
      'a TorchScript program. Save its tensors instead: torch.save(model.state_dict(), file).',
    );
  }
  const byteOrder = new TextDecoder().decode(member('byteorder')?.bytes() ?? new Uint8Array());
  if (!['', 'little', 'big'].includes(byteOrder)) {
    throw new FileFormatError(path, `damaged: byte order ${shown(byteOrder.slice(0, 20))}.`);
  }
  const storages = new Map<string, WholeStorage>();
  return runPickle(new PickleReader(bytesInMemory(pickle.bytes(), path)), {
    ...TORCH_DIALECT,
    persistent(id, { fail }) {
      const { type, key, length } = storageId(id, fail);
      let storage = storages.get(key);
      if (storage === undefined) {
        const data = member(`data/${key}`);
        const bytes = length * type.bytes;
        if (bytes !== (data?.length ?? 0)) {
          throw fail(
            `damaged: storage ${shown(key.slice(0, 80))} should have ${bytes} bytes and has ${data?.length ?? 'none'}.`,
          );
        }
        storage = storageOf(type, length, () => data?.bytes() ?? new Uint8Array(), byteOrder !== 'big');
        storages.set(key, storage);
      }
      return new StorageReference(storage);
    },
  });
}

const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const LEGACY_VERSION = 1001;

/**
 * Decodes what `torch.save` wrote before PyTorch 1.6: five pickles (magic number, version, system, object, keys of
 * the storages), then the storages.
 *
 * @returns As `decodeZipPth`.
 * @throws {FileFormatError} If it is damaged, or holds anything but tensors in plain containers.
 */
export function decodeLegacyPth(file: Uint8Array, path: string): unknown {
  const reader = new PickleReader(bytesInMemory(file, path));
  if (runPickle(reader, WITHOUT_STORAGES) !== MAGIC_NUMBER) {
    throw new FileFormatError(path, 'a pickle, but not of torch.save: the magic number is missing.');
  }
  const version = runPickle(reader, WITHOUT_STORAGES);
  if (version !== LEGACY_VERSION) {
    throw new FileFormatError(
      path,
      `torch.save format ${typeof version === 'number' ? version : 'unknown'}; only ${LEGACY_VERSION} is known.`,
    );
  }
  // Byte order and integer sizes of the machine: storages are little-endian whatever it says.
  runPickle(reader, WITHOUT_STORAGES);

  const bytes = new Map<string, Uint8Array>();
  const storages = new Map<string, WholeStorage>();
  const object = runPickle(reader, {
    ...TORCH_DIALECT,
    persistent(id, { fail }) {
      const { type, key, length, view } = storageId(id, fail);
      const storage = storages.get(key) ?? storageOf(type, length, () => bytes.get(key) as Uint8Array, true);
      storages.set(key, storage);
      return new StorageReference(view === null ? storage : part(storage, view, fail));
    },
  });

  const keys = runPickle(reader, WITHOUT_STORAGES);
  if (!Array.isArray(keys)) throw new FileFormatError(path, 'damaged: no list of storages.');
  for (const key of keys as unknown[]) {
    const storage = storages.get(key as string);
    const length = reader.uint64();
    if (storage === undefined || storage.length !== length) {
      throw new FileFormatError(
        path,
        `damaged: a storage of ${length} elements where the tensors expect ${storage?.length ?? 'none'}.`,
      );
    }
    const start = reader.position;
    reader.skip(length * storage.bytes);
    bytes.set(key as string, file.subarray(start, reader.position));
  }
  if (bytes.size !== storages.size) {
    throw new FileFormatError(path, `damaged: ${storages.size - bytes.size} storages are missing.`);
  }
  return object;
}

const WITHOUT_STORAGES: PickleDialect = {
  ...TORCH_DIALECT,
  persistent(_, { fail }) {
    throw fail('damaged: a storage where none can be.');
  },
};

function storageId(id: unknown, fail: Fail): StorageId {
  const [kind, type, key, , length, view = null] = id instanceof Tuple ? id.items : [];
  if (kind !== 'storage' || !(type instanceof TorchType) || typeof key !== 'string' || !isSize(length)) {
    throw fail('damaged: a reference to something that is no storage.');
  }
  return { type, key, length, view };
}

function storageOf(
  type: TorchType,
  length: number,
  bytes: () => Uint8Array,
  littleEndian: boolean,
): WholeStorage {
  const { name, element, bytes: size } = type;
  return {
    name,
    type: element,
    bytes: size,
    length,
    read(begin, end) {
      // Tensors of such elements are not made.
      if (element === undefined) throw new Error(`elements of type ${name} are not read`);
      return float32Values(bytes().subarray(begin * size, end * size), element, littleEndian);
    },
    as: (other) => storageOf(other, Math.floor((length * size) / other.bytes), bytes, littleEndian),
  };
}

/** A storage that is a part of another, as PyTorch before 0.4 had them: its key, offset and number of elements. */
function part(storage: TorchStorage, view: unknown, fail: Fail): TorchStorage {
  const [, offset, length] = view instanceof Tuple ? view.items : [];
  if (!isSize(offset) || !isSize(length) || offset + length > storage.length) {
    throw fail('damaged: a part of a storage that lies outside of it.');
  }
  return {
    ...storage,
    length,
    read: (begin, end) => storage.read(offset + begin, offset + end),
    as: () => {
      throw fail('damaged: a part of a storage of bytes.');
    },
  };
}
