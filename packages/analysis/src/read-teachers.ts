import { basename, dirname, join, resolve } from 'node:path';
import { G2DError } from '@g2d/core';
import { recordedConfigSchema, summarySchema } from '@g2d/core/run-folder';
import { isThere } from '@g2d/formats/node';
import { readFile } from './read-file.js';
import type { RunConfig, RunTeacher } from './run.js';

/**
 * The teachers of a student: their settings from the copies below `teachers/`, their results from there too, from the folder
 * that the student names, or from one of that name beside the student's own.
 *
 * A folder that was removed, moved or trained again since is no error: a student needs nothing outside of its own folder.
 * Results are taken from elsewhere only if the settings there are those of the copy.
 *
 * @throws {FileFormatError} If a copy in the student's own folder cannot be read.
 */
export function readTeachers(folder: string, config: RunConfig): Record<string, RunTeacher> {
  if (config.kind === 'teacher') return {};
  const entries = config.modalities.flatMap((modality) => {
    const copy = readTeacher(join(folder, 'teachers', modality));
    const named = config.teachers?.[modality];
    if (copy?.summary || named === undefined) return copy ? [[modality, copy] as const] : [];
    const beside = join(dirname(resolve(folder)), basename(named));
    const teacher = sameTeacher(named, copy) ?? (copy && sameTeacher(beside, copy)) ?? copy;
    return teacher ? [[modality, teacher] as const] : [];
  });
  return Object.fromEntries(entries);
}

/**
 * The runs whose encoders a run began with (`encoders.<modality>.weights`), as far as they are still where it names them. Nothing of them
 * was copied, and a checkpoint of PyTorch is no run.
 */
export function readEncoderRuns({ encoders }: RunConfig): Record<string, RunTeacher> {
  const entries = Object.entries((encoders ?? {}) as Record<string, { readonly weights?: unknown } | null>);
  return Object.fromEntries(
    entries.flatMap(([modality, encoder]) => {
      const weights = encoder?.weights as string | { readonly path?: string } | undefined;
      const path = typeof weights === 'string' ? weights : weights?.path;
      const run = typeof path === 'string' ? readElsewhere(path) : undefined;
      return run ? [[modality, run] as const] : [];
    }),
  );
}

function sameTeacher(folder: string, copy: RunTeacher | undefined): RunTeacher | undefined {
  const original = readElsewhere(folder);
  const isSame = original && (!copy || JSON.stringify(copy.config) === JSON.stringify(original.config));
  return isSame ? original : undefined;
}

function readTeacher(folder: string): RunTeacher | undefined {
  if (!isThere(join(folder, 'config.json'))) return undefined;
  const config = readFile(join(folder, 'config.json'), recordedConfigSchema);
  const path = join(folder, 'summary.json');
  return { config, ...(isThere(path) && { summary: readFile(path, summarySchema) }) };
}

/** What is elsewhere may have become anything since. */
function readElsewhere(folder: string): RunTeacher | undefined {
  try {
    return readTeacher(folder);
  } catch (error) {
    if (G2DError.isInstance(error)) return undefined;
    throw error;
  }
}
