import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { checkKeys, OptionError, UnknownModalityError } from '@g2d/core';
import type { MultimodalDataset, DatasetSource } from '@g2d/core';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '@g2d/formats/node';
import { descriptionOf } from './pipeline/description.js';
import { hasFreeLength, unitLength } from './pipeline/shapes.js';

/** Settings of `decodedCache`. */
export interface DecodedCacheOptions<M extends string> {
  /** Where the decoded inputs go; made if it is not there. Several datasets and processes may share it. Delete it to start anew. */
  readonly folder: string;
  /** Which inputs are kept. Default: all. */
  readonly modalities?: readonly M[];
  /**
   * What else the inputs depend on, as text, for a reading function of your own: its version, its options, a fingerprint of the data;
   * for all modalities or for each. Entries of another text are not used. Default: nothing.
   */
  readonly version?: string | Readonly<Partial<Record<M, string>>>;
}

const MAGIC = Buffer.from('G2DCACHE');
const DIGEST_BYTES = 32;
const HEADER_BYTES = MAGIC.length + DIGEST_BYTES;

/**
 * A dataset that keeps its decoded inputs on disk, so that the second epoch reads numbers instead of decoding pictures
 * and sound.
 *
 * An entry is one modality of one sample: 4 bytes a number and 40 more, so a picture of 224 × 224 × 3 takes 588 KiB; nothing limits
 * the whole. It is found by the sample's id and by what made it: the dataset's name, split, `source` and shapes, the content of the
 * module that `source` names, size and time of the sample's `files`, `version`, and the version of this package. What none of
 * these says is not seen: a dataset of your own without `source` and `files` needs a `version`. Each entry has a checksum; a
 * damaged one is read from the source again and replaced. Any number of processes and workers may share a folder.
 *
 * Inputs that training augmentation draws anew (`augmented`, when asked for with `random`) always come from the source.
 *
 * @param dataset It is closed with the wrapper.
 * @throws {OptionError} If the folder cannot be made.
 * @throws {UnknownModalityError} If the dataset lacks a modality that is named.
 * @example
 * const train = decodedCache(await avMnist({ root, split: 'train' }), { folder: 'cache' });
 */
export function decodedCache<M extends string>(
  dataset: MultimodalDataset<M>,
  options: DecodedCacheOptions<M>,
): MultimodalDataset<M> {
  checkKeys(options, { folder: true, modalities: true, version: true }, 'decodedCache');
  const { name, ids, modalities, shapes, augmented = [], source } = dataset;
  const { folder, modalities: cached = modalities, version } = options;
  for (const modality of cached) {
    if (!modalities.includes(modality)) {
      throw new UnknownModalityError({ modality, known: modalities, where: `Dataset ${name}` });
    }
  }
  const root = resolve(folder, keyOf(dataset));
  makeRoot(root, folder);
  let warned = false;
  // The source has it too: a cache that fails slows a training down, it does not end it.
  const warn = (problem: string): void => {
    if (!warned) process.emitWarning(problem);
    warned = true;
  };
  const unreadable = (error: NodeJS.ErrnoException): undefined => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR')
      warn(`What is kept in ${folder} cannot be read: ${error.message}`);
  };

  const pathOf = async (modality: M, index: number): Promise<string> => {
    const key = createHash('sha256').update(`${modality}/${ids[index]}`);
    const own = typeof version === 'object' ? version[modality] : version;
    if (own !== undefined) key.update(`\n${own}`);
    for (const file of dataset.files?.(index, modality) ?? []) {
      // One that is gone fails where it is read, with a better message.
      const found = await stat(file).catch(() => undefined);
      key.update(`\n${found?.size} ${found?.mtimeMs}`);
    }
    const name = key.digest('hex');
    // Two levels: a folder of a hundred thousand files is slow on some file systems.
    return join(root, name.slice(0, 2), name.slice(2, 40));
  };
  const stored = async (modality: M, path: string): Promise<Float32Array | undefined> => {
    const shape = shapes[modality];
    const unit = unitLength(shape);
    const values = decodeEntry(await readFile(path).catch(unreadable));
    const fits =
      values &&
      (hasFreeLength(shape) ? values.length > 0 && values.length % unit === 0 : values.length === unit);
    return fits ? values : undefined;
  };
  const store = async (path: string, values: Float32Array): Promise<void> => {
    try {
      await writeEntry(path, values);
    } catch (error) {
      warn(`Nothing can be kept in ${folder}: ${(error as Error).message}`);
    }
  };

  return {
    ...descriptionOf(dataset),
    ...(source && {
      source: { module: '@g2d/datasets', name: 'decodedCache', options: { inner: source, ...options } },
    }),
    async sample(index, { modalities: wanted = modalities, random } = {}) {
      const drawn = (modality: M): boolean => random !== undefined && augmented.includes(modality);
      const found = new Map<M, Float32Array>();
      // Taken before the files are read: what is replaced meanwhile is read again the next time.
      const paths = new Map<M, string>();
      if (ids[index] !== undefined) {
        const kept = wanted.filter((modality) => cached.includes(modality) && !drawn(modality));
        await Promise.all(
          kept.map(async (modality) => {
            const path = await pathOf(modality, index);
            paths.set(modality, path);
            const values = await stored(modality, path);
            if (values) found.set(modality, values);
          }),
        );
      }
      const missing = wanted.filter((modality) => !found.has(modality));
      const sample = await dataset.sample(index, { modalities: missing, ...(random && { random }) });
      await Promise.all(
        missing
          // What a sample lacks is zeros without being decoded.
          .filter((modality) => paths.has(modality) && sample.present?.[modality] !== false)
          .map((modality) => store(paths.get(modality) as string, sample.inputs[modality])),
      );
      return {
        ...sample,
        inputs: { ...sample.inputs, ...(Object.fromEntries(found) as Record<M, Float32Array>) },
      };
    },
    ...(dataset.files && { files: dataset.files.bind(dataset) }),
    close: () => dataset.close(),
  };
}

/** What an entry depends on beside the sample's id and files. */
function keyOf({ name, split, source, shapes }: MultimodalDataset<string>): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  const facts = {
    version: manifest.version,
    order: endianness(),
    name,
    split,
    source,
    module: source && moduleContent(source),
    shapes,
  };
  return createHash('sha256').update(canonical(facts)).digest('hex').slice(0, 24);
}

/** Of the user's module that reads: it may be changed between two trainings. */
function moduleContent({ module, options }: DatasetSource): string | undefined {
  const { inner } = (options ?? {}) as { readonly inner?: DatasetSource };
  if (inner !== undefined && module === '@g2d/datasets') return moduleContent(inner);
  if (!module.startsWith('file:')) return undefined;
  return digest(readFileSync(fileURLToPath(module))).toString('hex');
}

/** As text, the same for equal values whatever the order of their keys. */
function canonical(value: unknown): string {
  if (ArrayBuffer.isView(value) || value instanceof Map || value instanceof Set) {
    return canonical([...(value as Iterable<unknown>)]);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof RegExp) {
    return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? 'undefined');
  }
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${entries
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
    .sort()
    .join()}}`;
}

function makeRoot(root: string, folder: string): void {
  try {
    makeFolder(root);
  } catch (error) {
    throw new OptionError(`\`folder\` ${folder} cannot be made: ${(error as Error).message}.`, {
      option: 'folder',
      value: folder,
      accepted: 'a folder that can be written',
    });
  }
}

const digest = (payload: Uint8Array): Buffer => createHash('sha256').update(payload).digest();

function decodeEntry(bytes: Buffer | undefined): Float32Array | undefined {
  if (bytes === undefined || bytes.length < HEADER_BYTES || (bytes.length - HEADER_BYTES) % 4 !== 0) return;
  const payload = bytes.subarray(HEADER_BYTES);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return;
  if (!bytes.subarray(MAGIC.length, HEADER_BYTES).equals(digest(payload))) return;
  const values = new Float32Array(payload.length / 4);
  new Uint8Array(values.buffer).set(payload);
  return values;
}

/**
 * Under a temporary name, then renamed, so that a reader sees all of it or nothing. It is not synced as a checkpoint is: that
 * would wait for the disk at every sample, and what a power cut tears is found by its checksum.
 */
async function writeEntry(path: string, values: Float32Array): Promise<void> {
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  const payload = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(temporary, Buffer.concat([MAGIC, digest(payload), payload]), { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
