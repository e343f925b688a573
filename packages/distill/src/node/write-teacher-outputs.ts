import { createHash } from 'node:crypto';
import { createReadStream, rmSync, statSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { OptionError, ShapeError, shown, checkKeys } from '@g2d/core';
import type { TeacherOutputs } from '../g2d-loss.js';
import { littleEndian } from './little-endian.js';
import { assertIdentity, type TeacherIdentity } from './teacher-identity.js';
import { encodeHeader } from './teacher-outputs-format.js';
import { temporaryFolder } from './temporary-folder.js';

/** What one teacher says about some samples. The tensors stay the caller's. */
export interface TeacherBatch {
  /** One for each row. */
  readonly ids: readonly string[];
  readonly outputs: TeacherOutputs;
}

/** Of which teacher and augmentation the outputs are, and who wants to know how far it is. */
export interface WriteTeacherOutputsOptions extends TeacherIdentity {
  /** Called after every batch with the number of samples so far. */
  readonly onProgress?: (samples: number) => void;
}

/**
 * Stores the outputs of one teacher on all samples, to be read by `TeacherOutputsFile` in every epoch.
 *
 * A safetensors file: `logits` `[N, C]` and `features` `[N, D]`, float32, with hash, seed, ids and a checksum in its metadata. One batch is in memory at
 * a time, and the ids. Samples come in any order. The file appears under its name when it is complete, or not at all; a pass that was killed
 * starts anew. Several processes may write the same file at once: each writes all of it, and the last one stands.
 *
 * Stored outputs equal those computed in every step only if the student's inputs are those that the teacher saw: without
 * augmentation (`augmentationSeed: null`), or when the same seed is replayed.
 *
 * @param file Where to; missing folders are made.
 * @param batches What the teacher says, for each sample once.
 * @throws {OptionError} If a sample comes twice or has an output that is not finite (it is named), or there is no sample.
 * @throws {ShapeError} If rows and ids do not agree, or outputs are not as wide as those before.
 * @example
 * await writeTeacherOutputs('audio.safetensors', { teacherHash: hash, augmentationSeed: null }, outputs());
 * @see G2D, App. A.6.3
 */
export async function writeTeacherOutputs(
  file: string,
  options: WriteTeacherOutputsOptions,
  batches: AsyncIterable<TeacherBatch> | Iterable<TeacherBatch>,
): Promise<void> {
  const { teacherHash, augmentationSeed, data, onProgress } = checkKeys(
    options,
    { teacherHash: true, augmentationSeed: true, data: true, onProgress: true },
    'writeTeacherOutputs',
  );
  const identity = { teacherHash, augmentationSeed, data };
  assertIdentity(identity);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new OptionError(`${file} is a folder. Give the name of a file in it.`, {
      option: 'file',
      value: file,
      accepted: 'the name of a file',
    });
  }
  const folder = temporaryFolder(file);
  try {
    const content = await writeRows(folder, batches, onProgress);
    // How many samples there are is known only now, so that the two tensors are put behind one another by a copy.
    const whole = join(folder, 'whole');
    await withFile(whole, async (handle) => {
      const hash = createHash('sha256');
      for await (const chunk of partsIn(folder)) hash.update(chunk);
      await handle.writeFile(encodeHeader({ ...content, identity, sha256: hash.digest('hex') }));
      for await (const chunk of partsIn(folder)) await handle.writeFile(chunk);
      await handle.sync();
    });
    await rename(whole, file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The tensors, in the order of the file. */
const PARTS = ['logits', 'features'] as const;

/** The bytes of the tensors, one behind the other. */
async function* partsIn(folder: string): AsyncGenerator<Buffer> {
  for (const part of PARTS) {
    const chunks = createReadStream(join(folder, part), { highWaterMark: 2 ** 20 });
    for await (const chunk of chunks) yield chunk as Buffer;
  }
}

/** Appends the rows of all batches to one file for each tensor. */
async function writeRows(
  folder: string,
  batches: AsyncIterable<TeacherBatch> | Iterable<TeacherBatch>,
  onProgress: ((samples: number) => void) | undefined,
): Promise<{ readonly ids: readonly string[]; readonly classes: number; readonly width: number }> {
  // A set keeps the order in which samples came.
  const ids = new Set<string>();
  let widths: Widths | undefined;
  await withFile(join(folder, 'logits'), (logits) =>
    withFile(join(folder, 'features'), async (features) => {
      for await (const batch of batches) {
        widths = checkedWidths(batch, widths);
        for (const id of batch.ids) {
          if (typeof id !== 'string')
            throw refused(id, 'has an id that is no text', 'Convert the ids to texts.');
          if (ids.has(id)) throw refused(id, 'comes twice', 'Give each sample once.');
          ids.add(id);
        }
        await logits.writeFile(littleEndian(await finiteValues(batch, 'logits')));
        await features.writeFile(littleEndian(await finiteValues(batch, 'features')));
        onProgress?.(ids.size);
      }
    }),
  );
  if (!widths || ids.size === 0) {
    throw new OptionError('`batches` has no samples; there is nothing to store.', {
      option: 'batches',
      value: 0,
      accepted: 'one sample or more',
    });
  }
  return { ids: [...ids], classes: widths.logits, width: widths.features };
}

type Widths = Readonly<Record<(typeof PARTS)[number], number>>;

/** The widths of a batch's outputs; throws unless they are those of the batches before. */
function checkedWidths({ ids, outputs }: TeacherBatch, before: Widths | undefined): Widths {
  for (const part of PARTS) {
    const { shape } = outputs[part];
    const width = before?.[part] ?? Math.max(1, shape[1]);
    if (shape.length === 2 && shape[0] === ids.length && shape[1] === width) continue;
    throw new ShapeError({
      argument: `outputs.${part}`,
      expected: `[${ids.length}, ${before ? width : 'any'}], a row for each id from ${shown(ids[0])} on${before ? ', as wide as those before' : ''}`,
      actual: shape,
    });
  }
  return before ?? { logits: outputs.logits.shape[1], features: outputs.features.shape[1] };
}

async function finiteValues({ ids, outputs }: TeacherBatch, part: keyof Widths): Promise<Float32Array> {
  const tensor: tf.Tensor2D = outputs[part];
  const values = await tensor.data();
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    const id = ids[Math.floor(bad / tensor.shape[1])];
    throw refused(id, `has ${values[bad]} among its ${part}`, "Look at its input and the teacher's weights.");
  }
  // Integers are stored as float32 too.
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

const refused = (id: unknown, problem: string, remedy: string): OptionError =>
  new OptionError(`Sample ${shown(id)} ${problem}. ${remedy}`, {
    option: 'batches',
    value: id,
    accepted: 'each sample once, with finite outputs',
  });

/** Runs `body` with a new file, which is closed in any case. */
async function withFile<T>(path: string, body: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, 'wx');
  try {
    return await body(handle);
  } finally {
    await handle.close();
  }
}
