import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { checkOptions, OptionError, shown } from '@g2d/core';
import { parseJson } from '@g2d/core/run-folder';
import { sweepSchema, type SweepFile } from './schema.js';

/** A sweep with the configurations that its runs begin with. */
export interface Sweep extends SweepFile {
  readonly out: string;
  /** By what stands in the grid's "dataset"; of a sweep without it, the only one. */
  readonly bases: readonly SweepBase[];
}

/** Where runs begin. */
export interface SweepBase {
  /** What the grid has; `undefined` for the sweep's one base. */
  readonly value?: string;
  /** How ids, "when" and "exclude" call it: the folder of its file. */
  readonly name: string;
  readonly path: string;
  readonly config: unknown;
}

/**
 * Reads a sweep's file and the configurations that it names.
 *
 * @param changes Keys of the file (not dotted) → values that take their place.
 * @throws {FileFormatError} If a file is no JSON.
 * @throws {OptionError} If a file cannot be read, or a key is unknown or its value impossible.
 * @example
 * const sweep = readSweep('examples/av-mnist-small/sweep.json');
 */
export function readSweep(path: string, changes: Readonly<Record<string, unknown>> = {}): Sweep {
  const read = readJson(path, 'sweep');
  const values =
    typeof read === 'object' && read !== null && !Array.isArray(read) ? { ...read, ...changes } : read;
  // Whoever mixes up the two would get a sentence on the first key that the other has not.
  if (typeof values === 'object' && values !== null && 'encoders' in values) {
    throw new OptionError(
      `${path} is the configuration of one run, not a sweep: g2d train takes it, and a sweep names it as its "base".`,
      { option: 'sweep', value: path, accepted: 'a file with "base" and "grid"' },
    );
  }
  const sweep = checkOptions(sweepSchema, values, { where: path });
  const datasets = sweep.grid['dataset'];
  if ((datasets === undefined) === (sweep.base === undefined)) {
    throw new OptionError(
      `${path} needs ${datasets ? 'either "base" or "dataset" in its grid, and has both' : '"base", the configuration that its runs begin with'}.`,
      { option: 'base', value: sweep.base, accepted: 'the path of a configuration' },
    );
  }
  const base = (file: unknown): SweepBase => {
    if (typeof file !== 'string') {
      throw new OptionError(`In ${path}, "grid.dataset" has ${shown(file)}; it must be texts.`, {
        option: 'grid.dataset',
        value: file,
        accepted: 'paths of configurations',
      });
    }
    const found = join(dirname(path), file);
    return { name: basename(dirname(resolve(found))), path: found, config: readJson(found, 'configuration') };
  };
  return {
    ...sweep,
    out: sweep.out ?? join('runs', sweep.name),
    bases: datasets ? datasets.map((file) => ({ ...base(file), value: file as string })) : [base(sweep.base)],
  };
}

function readJson(path: string, what: string): unknown {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : String(error);
    throw new OptionError(`The ${what} ${path} cannot be read: ${reason}. Give the path of a JSON file.`, {
      option: what,
      value: path,
      accepted: 'a JSON file',
    });
  }
  return parseJson(bytes, { path });
}
