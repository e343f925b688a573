import { listSafetensors } from '@g2d/formats';
import { FileFormatError, shown } from '@g2d/core';
import { decodeLegacyPth, decodeZipPth } from './decode-pth.js';
import { TorchTensor, UnreadableTensor } from './torch-tensor.js';
import { Tuple } from './tuple.js';

/** A tensor of a checkpoint. */
export interface CheckpointTensor {
  readonly shape: readonly number[];
  /** Why its values cannot be read; `undefined` if they can. */
  readonly problem?: string;
  /** Its values as float32, in C order. */
  values(): Float32Array;
}

/** A checkpoint's tensors by name. In nested dictionaries, names are joined by dots: `model.conv1.weight`. */
export interface Checkpoint {
  readonly format: 'pth' | 'pth-legacy' | 'safetensors';
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
}

/**
 * Decodes a PyTorch checkpoint, in the format that its content shows, whatever the file is called.
 *
 * Nothing in it is executed. `.pth` files may hold tensors in dictionaries, lists and tuples, next to what trainings save
 * beside them: text, numbers, states of random streams, arguments. Tensors of bool, integers and floats of 8 to 64 bits become
 * float32; others (sparse, quantized, complex) are listed with the problem that they are.
 *
 * @param file The bytes of the file.
 * @param path Used in error messages.
 * @throws {FileFormatError} If it is truncated, damaged, of another format, or names anything but tensors.
 */
export function decodeCheckpoint(file: Uint8Array, path: string): Checkpoint {
  const starts = (...bytes: readonly number[]): boolean => bytes.every((byte, i) => file[i] === byte);
  if (starts(0x50, 0x4b)) return { format: 'pth', tensors: namedTensors(decodeZipPth(file, path), path) };
  // Before the pickle: the length in front of the header can be any bytes.
  if (file[8] === 0x7b) {
    return { format: 'safetensors', tensors: listSafetensors(file, path) };
  }
  // Protocols from 2 on start with their number, protocol 1 with the magic number.
  if (starts(0x80) || starts(0x4c)) {
    return { format: 'pth-legacy', tensors: namedTensors(decodeLegacyPth(file, path), path) };
  }
  const other = OTHERS.find(({ start }) => starts(...start));
  if (other !== undefined) throw new FileFormatError(path, other.problem);
  throw new FileFormatError(
    path,
    `neither a PyTorch checkpoint (.pth) nor a .safetensors file (${file.length} bytes).`,
  );
}

/** What people take for a checkpoint. */
const OTHERS: readonly { readonly start: readonly number[]; readonly problem: string }[] = [
  {
    start: [0x89, 0x48, 0x44, 0x46],
    problem: 'an HDF5 file, as Keras writes it. Read are PyTorch checkpoints (.pth) and .safetensors files.',
  },
  { start: [0x1f, 0x8b], problem: 'is packed with gzip. Unpack it first: gunzip.' },
  {
    // version https://git-lfs
    start: [
      0x76, 0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 0x20, 0x68, 0x74, 0x74, 0x70, 0x73, 0x3a, 0x2f, 0x2f, 0x67,
      0x69, 0x74,
    ],
    problem:
      'is a Git LFS pointer, not the file itself: the repository was cloned without Git LFS. Run `git lfs pull` in the clone, or download the file itself.',
  },
  { start: [0x3c], problem: 'a web page or XML, not a checkpoint. Download the file itself.' },
];

const DEEPEST = 32;
const LONGEST_NAME = 500;
/** Objects looked at. Far above any checkpoint; containers that hold each other would otherwise have no end. */
const MOST_OBJECTS = 2 ** 17;

/** Every tensor of nested dictionaries, lists and tuples, by the path of keys that leads to it. */
function namedTensors(root: unknown, path: string): ReadonlyMap<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  let objects = 0;
  const visit = (object: unknown, name: string, depth: number): void => {
    if (++objects > MOST_OBJECTS || depth > DEEPEST || name.length > LONGEST_NAME) {
      throw new FileFormatError(
        path,
        `is nested more than ${DEEPEST} deep, has names of more than ${LONGEST_NAME} characters or holds more than ${MOST_OBJECTS} objects. Save the tensors alone: torch.save(model.state_dict(), file).`,
      );
    }
    if (object instanceof TorchTensor || object instanceof UnreadableTensor) {
      if (tensors.has(name)) throw new FileFormatError(path, `has two tensors called ${shown(name)}.`);
      tensors.set(name, object instanceof TorchTensor ? object : refusing(object, name, path));
    }
    for (const [key, value] of entries(object)) {
      if (typeof key === 'string' || typeof key === 'number') {
        visit(value, name === '' ? String(key) : `${name}.${key}`, depth + 1);
      }
    }
  };
  visit(root, '', 0);
  return tensors;
}

const refusing = ({ shape, problem }: UnreadableTensor, name: string, path: string): CheckpointTensor => ({
  shape,
  problem,
  values() {
    throw new FileFormatError(path, `tensor ${shown(name)} ${problem}.`);
  },
});

function entries(object: unknown): Iterable<readonly [unknown, unknown]> {
  if (object instanceof Map) return object.entries();
  if (object instanceof Tuple) return object.items.entries();
  return Array.isArray(object) ? object.entries() : [];
}
