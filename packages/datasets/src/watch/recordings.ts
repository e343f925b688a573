import { join } from 'node:path';
import { readNpz } from '@g2d/formats/node';
import { FileFormatError } from '@g2d/core';
import { assertChecksum } from '../checksum.js';

/** Exercises by class id, as seglearn calls them. */
export const EXERCISES = ['PEN', 'ABD', 'FEL', 'IR', 'ER', 'TRAP', 'ROW'] as const;
export const SUBJECTS = 10;
export const RECORDINGS = 140;
/** Steps of all recordings together, 50 a second. */
const STEPS = 244_102;
/** Of a step: ax, ay, az, wx, wy, wz. */
export const AXES = 6;
/** The file holds whole millionths. */
const UNIT = 1e-6;
const SHA256 = '5c02386e16de622157f2037d50a44bc4c5ceacb9e2771007e5ca05f7a39213df';

export const watchFile = (root: string): string => join(root, 'watch.npz');

/** One exercise of one subject with one arm. */
export interface Recording {
  /** `07-right-PEN`. */
  readonly name: string;
  /** 1 to 10. */
  readonly subject: number;
  /** Class id. */
  readonly exercise: number;
  /** `[steps, 6]`, flat. */
  readonly values: Float64Array;
}

/**
 * Reads all recordings, in the order of the file.
 *
 * @throws {FileFormatError} If it is no such archive, arrays are missing or do not fit together, or it is another file than the
 * repository's.
 */
export function readRecordings(root: string): readonly Recording[] {
  const path = watchFile(root);
  const arrays = readNpz(path);
  const array = (name: string, ...shape: readonly number[]): ArrayLike<number> => {
    const found = arrays.get(name);
    if (!found) throw new FileFormatError(path, `has no array "${name}".`, { array: name });
    if (found.shape.join() === shape.join()) return found.all();
    throw new FileFormatError(
      path,
      `"${name}" has the shape [${found.shape.join(', ')}]; expected [${shape.join(', ')}].`,
      { array: name },
    );
  };
  const values = array('values', STEPS, AXES);
  const [lengths, exercises, subjects, sides] = (['length', 'exercise', 'subject', 'side'] as const).map(
    (name) => Array.from(array(name, RECORDINGS)),
  ) as [number[], number[], number[], number[]];
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== STEPS || lengths.some((length) => length < 1)) {
    throw new FileFormatError(path, `the lengths of its recordings sum to ${total}; expected ${STEPS}.`);
  }
  let start = 0;
  const recordings = lengths.map((length, i): Recording => {
    const [exercise, subject] = [exercises[i] as number, subjects[i] as number];
    const label = EXERCISES[exercise];
    if (label === undefined || subject < 1 || subject > SUBJECTS) {
      throw new FileFormatError(
        path,
        `recording ${i} is of exercise ${exercise} and subject ${subject}; expected 0 to ${EXERCISES.length - 1} and 1 to ${SUBJECTS}.`,
      );
    }
    const from = start;
    start += length;
    return {
      name: `${String(subject).padStart(2, '0')}-${sides[i] === 1 ? 'right' : 'left'}-${label}`,
      subject,
      exercise,
      values: new Float64Array(length * AXES).map((_, at) => (values[from * AXES + at] as number) * UNIT),
    };
  });
  assertChecksum(path, SHA256);
  return recordings;
}
