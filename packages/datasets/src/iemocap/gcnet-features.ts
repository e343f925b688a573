import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openNpy } from '@g2d/formats/node';
import { FileFormatError } from '@g2d/core';
import { assertFinite } from './utterances.js';

export type Speaker = 'F' | 'M';

/** Utterance → the file or the folder with its features. */
export type FeatureFiles = ReadonlyMap<string, string>;

/**
 * Looks for each utterance's features: the one entry of the folder that begins with its name.
 *
 * @returns Those found, and the utterances with none.
 * @throws {FileFormatError} If an utterance has several.
 */
export function findFeatures(
  folder: string,
  utterances: readonly string[],
): { readonly files: FeatureFiles; readonly missing: readonly string[] } {
  const entries = readdirSync(folder).sort();
  const files = new Map<string, string>();
  const missing: string[] = [];
  // Both lists in order: an entry belongs to the last utterance that it does not come before.
  const wanted = [...utterances].sort();
  let at = 0;
  for (const utterance of wanted) {
    while (at < entries.length && (entries[at] as string) < utterance) at++;
    const own: string[] = [];
    for (let i = at; i < entries.length && (entries[i] as string).startsWith(utterance); i++)
      own.push(entries[i] as string);
    if (own.length > 1) {
      throw new FileFormatError(
        folder,
        `has ${own.length} entries for ${utterance}: ${own.slice(0, 3).join(', ')}; expected one.`,
        {
          id: utterance,
        },
      );
    }
    if (own.length === 0) missing.push(utterance);
    else files.set(utterance, join(folder, own[0] as string));
  }
  return { files, missing };
}

/**
 * The vectors of both speakers, each `[D]`: a file belongs to who speaks; a folder holds one vector for each face, whose name says
 * whose it is. Several vectors are averaged; who has none gets zeros.
 *
 * @throws {FileFormatError} If a file is damaged, of another width, not finite, or its name has neither F nor M.
 */
export function readSpeakers(
  path: string,
  {
    utterance,
    speaker,
    width,
  }: { readonly utterance: string; readonly speaker: Speaker; readonly width: number },
): Readonly<Record<Speaker, Float32Array>> {
  const vectors: Record<Speaker, Float64Array[]> = { F: [], M: [] };
  if (isFolder(path)) {
    for (const name of readdirSync(path).sort()) {
      if (name.startsWith('.')) continue;
      if (!/[FM]/.test(name)) {
        throw new FileFormatError(
          join(path, name),
          'is the face of neither speaker: its name has no F and no M.',
          {
            id: utterance,
          },
        );
      }
      vectors[name.includes('F') ? 'F' : 'M'].push(...readVectors(join(path, name), utterance, width));
    }
  } else {
    vectors[speaker].push(...readVectors(path, utterance, width));
  }
  return { F: mean(vectors.F, width), M: mean(vectors.M, width) };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw new FileFormatError(path, 'is not there any more: put it back, or open the dataset again.', {
      cause: error,
    });
  }
}

/** Rows of `[D]`, `[1, D]` or `[T, D]`. */
function readVectors(path: string, utterance: string, width: number): readonly Float64Array[] {
  const file = openNpy(path);
  try {
    const { shape } = file;
    if (shape.length < 1 || shape.length > 2 || shape.at(-1) !== width || shape[0] === 0) {
      throw new FileFormatError(
        path,
        `has the shape [${shape.join(', ')}]; expected [${width}] or [steps, ${width}].`,
        {
          id: utterance,
        },
      );
    }
    const values = Float64Array.from(file.all());
    assertFinite(values, path, utterance);
    return Array.from({ length: values.length / width }, (_, i) =>
      values.subarray(i * width, (i + 1) * width),
    );
  } finally {
    file.close();
  }
}

function mean(vectors: readonly Float64Array[], width: number): Float32Array {
  return Float32Array.from({ length: width }, (_, i) => {
    const sum = vectors.reduce((total, vector) => total + (vector[i] as number), 0);
    return vectors.length === 0 ? 0 : sum / vectors.length;
  });
}
