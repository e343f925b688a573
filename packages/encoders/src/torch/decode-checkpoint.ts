import { decodeSafetensors } from '@g2d/formats';
import { FileFormatError } from '@g2d/core';
import { decodeLegacyPth, decodeZipPth } from './decode-pth.js';
import { TorchTensor } from './torch-tensor.js';
import { Tuple } from './tuple.js';

/** A tensor of a checkpoint; `values()` gives float32 in C order. */
export interface CheckpointTensor {
  readonly shape: readonly number[];
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
 * Nothing in it is executed. `.pth` files may hold tensors in dictionaries, lists and tuples, next to text and
 * numbers, and nothing else. Tensors of bool, integers, float16, bfloat16, float32 and float64 become float32.
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
    const arrays = Object.entries(decodeSafetensors(file, path));
    return {
      format: 'safetensors',
      tensors: new Map(arrays.map(([name, { shape, values }]) => [name, { shape, values: () => values }])),
    };
  }
  // Protocols from 2 on start with their number, protocol 1 with the magic number.
  if (starts(0x80) || starts(0x4c)) {
    return { format: 'pth-legacy', tensors: namedTensors(decodeLegacyPth(file, path), path) };
  }
  throw new FileFormatError(
    path,
    `neither a PyTorch checkpoint (.pth) nor a .safetensors file (${file.length} bytes).`,
  );
}

const DEEPEST = 32;
const LONGEST_NAME = 500;
/** Objects looked at. Far above any checkpoint; containers that hold each other would otherwise have no end. */
const MOST_OBJECTS = 2 ** 17;

/** Every tensor of nested dictionaries, lists and tuples, by the path of keys that leads to it. */
function namedTensors(root: unknown, path: string): ReadonlyMap<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  let objects = 0;
  const visit = (object: unknown, name: string, depth: number): void => {
    if (++objects > MOST_OBJECTS || depth > DEEPEST || name.length > LONGEST_NAME) {
      throw new FileFormatError(
        path,
        `is nested more than ${DEEPEST} deep, has names of more than ${LONGEST_NAME} characters or holds more than ${MOST_OBJECTS} objects. Save the tensors alone: torch.save(model.state_dict(), file).`,
      );
    }
    if (object instanceof TorchTensor) {
      if (tensors.has(name)) throw new FileFormatError(path, `has two tensors called "${name}".`);
      tensors.set(name, object);
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

function entries(object: unknown): Iterable<readonly [unknown, unknown]> {
  if (object instanceof Map) return object.entries();
  if (object instanceof Tuple) return object.items.entries();
  return Array.isArray(object) ? object.entries() : [];
}
