import { fstatSync, readSync } from 'node:fs';
import { FileFormatError, OptionError, shown } from '@g2d/core';
import { isData, isSeed, type TeacherIdentity } from './teacher-identity.js';

/** In the metadata, so that another safetensors file is not taken for one of these. */
const FORMAT = 'g2d-teacher-outputs/1';
/** safetensors' own limit, in bytes. */
const LONGEST_HEADER = 100_000_000;

/** One of the two tensors: row i lies at `start + 4 · width · i`. */
export interface Rows {
  readonly width: number;
  /** Byte of the file. */
  readonly start: number;
}

/** What the header of a file of teacher outputs says. */
export interface TeacherOutputsHeader {
  readonly ids: readonly string[];
  readonly identity: TeacherIdentity;
  readonly logits: Rows;
  readonly features: Rows;
  /** SHA-256 of the bytes of both, in the order of the file; files of earlier versions have none. */
  readonly sha256: string | undefined;
}

/**
 * The bytes before the data: the length of the JSON, and the JSON, with spaces up to a multiple of eight as the format asks. The data of
 * `logits` follow, then those of `features`, row by row in the order of the ids.
 *
 * @throws {OptionError} If the ids do not fit into a safetensors header.
 */
export function encodeHeader({
  ids,
  identity: { teacherHash, augmentationSeed, data },
  classes,
  width,
  sha256,
}: Pick<TeacherOutputsHeader, 'ids' | 'identity' | 'sha256'> & {
  readonly classes: number;
  readonly width: number;
}): Uint8Array {
  const split = 4 * ids.length * classes;
  const text = Buffer.from(
    JSON.stringify({
      // Values of metadata are texts; these two hold JSON.
      __metadata__: {
        format: FORMAT,
        teacherHash,
        augmentationSeed: JSON.stringify(augmentationSeed),
        ...(data !== undefined && { data }),
        ...(sha256 !== undefined && { sha256 }),
        ids: JSON.stringify(ids),
      },
      logits: { dtype: 'F32', shape: [ids.length, classes], data_offsets: [0, split] },
      features: {
        dtype: 'F32',
        shape: [ids.length, width],
        data_offsets: [split, split + 4 * ids.length * width],
      },
    }),
  );
  const length = Math.ceil(text.length / 8) * 8;
  if (length > LONGEST_HEADER) {
    throw new OptionError(
      `The ids of ${ids.length} samples take ${length} bytes; the header of a safetensors file may have ${LONGEST_HEADER}. Use shorter ids, or a file for each part of the samples.`,
      { option: 'ids', value: length, accepted: `${LONGEST_HEADER} bytes or less` },
    );
  }
  const bytes = Buffer.alloc(8 + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length), 0);
  text.copy(bytes, 8);
  return bytes;
}

/**
 * Reads and checks the header of an open file. Nothing is believed: what is allocated is bounded by the size of the file.
 *
 * @param descriptor Of the file.
 * @param file Used in error messages.
 * @throws {FileFormatError} If it is truncated, or no file of teacher outputs.
 */
export function readHeader(descriptor: number, file: string): TeacherOutputsHeader {
  const stat = fstatSync(descriptor);
  const size = stat.isFile() ? stat.size : 0;
  const length = size < 8 ? Infinity : Number(readBytes(descriptor, file, 8, 0).readBigUInt64LE(0));
  if (length > Math.min(size - 8, LONGEST_HEADER)) {
    throw new FileFormatError(
      file,
      `not a safetensors file, or truncated (${size} bytes). Delete it and compute the outputs again.`,
    );
  }
  const header = record(parsed(readBytes(descriptor, file, length, 8)));
  const metadata = record(header['__metadata__']);
  if (metadata['format'] !== FORMAT) {
    throw new FileFormatError(
      file,
      `holds no teacher outputs: "format" in the metadata is ${shown(metadata['format'])}, expected "${FORMAT}".`,
    );
  }
  const ids = parsed(metadata['ids']);
  const { teacherHash, data: of, sha256 } = metadata;
  const augmentationSeed = parsed(metadata['augmentationSeed']);
  if (!isListOfTexts(ids) || new Set(ids).size !== ids.length || ids.length === 0) {
    throw new FileFormatError(file, '"ids" in the metadata is no list of sample ids that differ.');
  }
  if (typeof teacherHash !== 'string' || !isSeed(augmentationSeed)) {
    throw new FileFormatError(file, 'the metadata do not name a teacher hash and an augmentation seed.');
  }
  if (!isData(of) || !isData(sha256))
    throw new FileFormatError(
      file,
      '"data" and "sha256" in the metadata must be texts, where they are there.',
    );
  const entries = (['logits', 'features'] as const).map((name) => {
    const entry = tensorEntry(header[name], ids.length);
    if (entry) return entry;
    throw new FileFormatError(
      file,
      `"${name}" is no float32 tensor with a row for each of ${ids.length} ids.`,
    );
  });
  const [logits, features] = entries as [TensorEntry, TensorEntry];
  // Either may come first: other programs write tensors in the order of their names.
  const [first, second] = logits.begin <= features.begin ? [logits, features] : [features, logits];
  const data = size - 8 - length;
  if (first.begin !== 0 || second.begin !== first.end || second.end !== data) {
    throw new FileFormatError(
      file,
      `has ${data} bytes of data, where the header says [${first.begin}, ${first.end}] and [${second.begin}, ${second.end}]: truncated or damaged. Delete it and compute the outputs again.`,
    );
  }
  const rows = ({ width, begin }: TensorEntry): Rows => ({ width, start: 8 + length + begin });
  return {
    ids,
    identity: { teacherHash, augmentationSeed, ...(of !== undefined && { data: of }) },
    sha256,
    logits: rows(logits),
    features: rows(features),
  };
}

/** Reads exactly `length` bytes at `position`. */
export function readBytes(descriptor: number, file: string, length: number, position: number): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(length));
  readInto(bytes, descriptor, file, position);
  return bytes;
}

/** Fills `bytes` from `position` on. */
export function readInto(bytes: Uint8Array, descriptor: number, file: string, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const count = readSync(descriptor, bytes, done, bytes.length - done, position + done);
    if (count === 0) {
      throw new FileFormatError(
        file,
        `truncated: ends before byte ${position + bytes.length}. Delete it and compute the outputs again.`,
      );
    }
    done += count;
  }
}

interface TensorEntry {
  readonly width: number;
  readonly begin: number;
  readonly end: number;
}

function tensorEntry(value: unknown, samples: number): TensorEntry | undefined {
  const { dtype, shape, data_offsets: offsets } = record(value);
  if (dtype !== 'F32' || !isPair(shape) || !isPair(offsets)) return undefined;
  const [rows, width] = shape;
  const [begin, end] = offsets;
  return rows === samples && width > 0 && end - begin === 4 * rows * width
    ? { width, begin, end }
    : undefined;
}

/** The value of a JSON text, `undefined` if it is none. */
function parsed(text: unknown): unknown {
  try {
    const json =
      typeof text === 'string' ? text : new TextDecoder('utf-8', { fatal: true }).decode(text as Buffer);
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const isListOfTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
const isPair = (value: unknown): value is readonly [number, number] =>
  Array.isArray(value) &&
  value.length === 2 &&
  value.every((item) => Number.isSafeInteger(item) && item >= 0);
