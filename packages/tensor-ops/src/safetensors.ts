import { FileFormatError, ShapeError } from './errors.js';

/** A named array: float32 values in C order and their shape. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Encodes named float32 arrays in the safetensors format: an 8-byte length, a JSON header, the raw data.
 *
 * @param arrays By name. The order of the file is the order of the names, so equal content gives equal bytes.
 * @param metadata Text entries for the header's `__metadata__`.
 * @returns The bytes of a `.safetensors` file.
 * @throws {ShapeError} If a shape and the number of values disagree.
 */
export function encodeSafetensors(
  arrays: Readonly<Record<string, NamedArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata;
  const names = Object.keys(arrays).sort();
  let offset = 0;
  for (const name of names) {
    const { shape, values } = arrays[name] as NamedArray;
    const size = shape.reduce((product, axis) => product * axis, 1);
    if (size !== values.length) {
      throw new ShapeError({
        argument: name,
        expected: `${values.length} elements, as many as its values`,
        actual: shape,
      });
    }
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + 4 * size] };
    offset += 4 * size;
  }
  // Padded with spaces so that the data starts at a multiple of eight, as the format asks.
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + padded + offset);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(padded), true);
  file.fill(0x20, 8, 8 + padded);
  file.set(text, 8);
  let position = 8 + padded;
  for (const name of names) {
    for (const value of (arrays[name] as NamedArray).values) {
      view.setFloat32(position, value, true);
      position += 4;
    }
  }
  return file;
}

/**
 * Decodes the float32 arrays of a safetensors file.
 *
 * @param file The bytes of the file.
 * @param path Used in error messages.
 * @throws {FileFormatError} If the file is truncated, is no safetensors file, or holds another type than float32.
 */
export function decodeSafetensors(file: Uint8Array, path: string): Record<string, NamedArray> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerLength = file.length < 8 ? Infinity : Number(view.getBigUint64(0, true));
  if (headerLength > file.length - 8) {
    throw new FileFormatError(path, `not a safetensors file, or truncated (${file.length} bytes).`);
  }
  let header: Record<string, { dtype?: unknown; shape?: unknown; data_offsets?: unknown }>;
  try {
    header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerLength)));
  } catch {
    throw new FileFormatError(path, 'the header is not JSON; not a safetensors file.');
  }
  const arrays: Record<string, NamedArray> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [begin, end] = Array.isArray(entry.data_offsets) ? (entry.data_offsets as number[]) : [];
    const shape = entry.shape as number[];
    const start = 8 + headerLength + (begin ?? NaN);
    const size = Array.isArray(shape) ? shape.reduce((product, axis) => product * axis, 1) : NaN;
    if (
      entry.dtype !== 'F32' ||
      (end ?? NaN) - (begin ?? NaN) !== 4 * size ||
      !(start + 4 * size <= file.length)
    ) {
      throw new FileFormatError(
        path,
        `tensor "${name}" is not float32, or its data lie outside of the file.`,
      );
    }
    arrays[name] = {
      shape,
      values: Float32Array.from({ length: size }, (_, i) => view.getFloat32(start + 4 * i, true)),
    };
  }
  return arrays;
}
