import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { FileFormatError, G2DError, OptionError } from '@g2d/core';
import type { TeacherOutputs } from '../g2d-loss.js';
import { float32LittleEndian } from './little-endian.js';
import {
  assertIdentity,
  isSameIdentity,
  StaleTeacherOutputsError,
  type TeacherIdentity,
} from './teacher-identity.js';
import { readHeader, readInto, type Rows, type TeacherOutputsHeader } from './teacher-outputs-format.js';

/**
 * The stored outputs of one teacher, row by row.
 *
 * Only the ids are in memory. The rows are read through once, for their checksum, when the file is opened. A row is read where it lies, into the batch's own buffer; rows that were read before come from the operating
 * system's page cache, which does what a memory mapping would (Node has none without a native add-on).
 *
 * @example
 * const audio = TeacherOutputsFile.open('audio.safetensors', { teacherHash: hash, augmentationSeed: null });
 * const outputs = audio.rows(['clip-17', 'clip-3']); // { logits: [2, C], features: [2, D] }
 * @see G2D, App. A.6.3
 */
export class TeacherOutputsFile {
  /** Sample ids in the order of the file. */
  readonly ids: readonly string[];
  readonly #file: string;
  readonly #index: ReadonlyMap<string, number>;
  readonly #logits: Rows;
  readonly #features: Rows;
  #descriptor: number | undefined;

  /** Use `open`. */
  private constructor(file: string, descriptor: number, { ids, logits, features }: TeacherOutputsHeader) {
    this.ids = ids;
    this.#file = file;
    this.#descriptor = descriptor;
    this.#index = new Map(ids.map((id, row) => [id, row]));
    this.#logits = logits;
    this.#features = features;
  }

  /**
   * Opens a file that `writeTeacherOutputs` wrote. A file that replaces it later is not seen.
   *
   * @param file Its name.
   * @param expected The teacher and the augmentation that are trained with.
   * @throws {StaleTeacherOutputsError} If the outputs are of another teacher, another augmentation or other data.
   * @throws {FileFormatError} If the file is truncated or damaged, or no file of teacher outputs.
   * @throws An error of Node's, with code `ENOENT`, if there is no such file.
   */
  static open(file: string, { teacherHash, augmentationSeed, data }: TeacherIdentity): TeacherOutputsFile {
    const expected = { teacherHash, augmentationSeed, ...(data !== undefined && { data }) };
    assertIdentity(expected);
    const descriptor = openSync(file, 'r');
    try {
      const header = readHeader(descriptor, file);
      const stored = header.identity;
      if (!isSameIdentity(stored, expected)) throw new StaleTeacherOutputsError({ file, stored, expected });
      assertUndamaged(descriptor, file, header);
      return new TeacherOutputsFile(file, descriptor, header);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /**
   * What the teacher says about samples, in their order.
   *
   * @param ids Sample ids `[B]`.
   * @returns float32 `[B, C]` and `[B, D]`; dispose them.
   * @throws {OptionError} If the file has no such sample.
   * @throws {FileFormatError} If the file became shorter.
   */
  rows(ids: readonly string[]): TeacherOutputs {
    const rows = ids.map((id) => {
      const row = this.#index.get(id);
      if (row !== undefined) return row;
      throw new OptionError(
        `${this.#file} has no outputs of sample "${id}"; it holds ${this.ids.length} samples, "${this.ids[0]}" the first. Store the outputs of every split that is trained on.`,
        { option: 'ids', value: id, accepted: 'ids of stored samples' },
      );
    });
    return { logits: this.#read(this.#logits, rows), features: this.#read(this.#features, rows) };
  }

  #read({ width, start }: Rows, rows: readonly number[]): tf.Tensor2D {
    if (this.#descriptor === undefined) {
      throw new G2DError(
        'G2D_CLOSED',
        `${this.#file} was closed; open it again, or close it after the last batch.`,
        { file: this.#file },
      );
    }
    const size = 4 * width;
    const bytes = Buffer.from(new ArrayBuffer(rows.length * size));
    for (const [i, row] of rows.entries()) {
      readInto(bytes.subarray(i * size, (i + 1) * size), this.#descriptor, this.#file, start + row * size);
    }
    return tf.tensor2d(float32LittleEndian(bytes), [rows.length, width], 'float32');
  }

  /** Closes the file. Tensors that it gave stay. */
  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** Bytes that are read at once for the checksum. */
const CHUNK = 2 ** 20;

/** One bit in a row would train the student towards something else, and nobody would know. */
function assertUndamaged(
  descriptor: number,
  file: string,
  { ids, logits, features, sha256 }: TeacherOutputsHeader,
): void {
  if (sha256 === undefined) return;
  const hash = createHash('sha256');
  const end = Math.min(logits.start, features.start) + 4 * ids.length * (logits.width + features.width);
  const bytes = Buffer.alloc(CHUNK);
  for (let at = Math.min(logits.start, features.start); at < end; at += CHUNK) {
    const chunk = bytes.subarray(0, Math.min(CHUNK, end - at));
    readInto(chunk, descriptor, file, at);
    hash.update(chunk);
  }
  const found = hash.digest('hex');
  if (found === sha256) return;
  throw new FileFormatError(
    file,
    `the outputs are not those that were stored: they have the checksum ${found}, and the header says ${sha256}. Delete it and compute the outputs again.`,
  );
}
