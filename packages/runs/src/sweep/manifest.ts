import { join } from 'node:path';
import { FileFormatError, OptionError } from '@g2d/core';
import { parseJson } from '@g2d/core/run-folder';
import { readIfThere, writeFileAtomic } from '@g2d/formats/node';
import type { PlannedRun, SweepPlan } from './plan.js';
import type { SweepQueues } from './schema.js';

/** What a sweep's folder is made for: `manifest.json`. Written under the folder's lock, read by anybody. */
export interface SweepManifest {
  readonly name: string;
  readonly runs: readonly PlannedRun[];
  /** True where several sweeps share the folder: it keeps what each of them has planned. */
  readonly isShared?: boolean;
  readonly queues?: SweepQueues;
  /** The machine and the versions that it began with. */
  readonly environment: unknown;
}

const MANIFEST = 'manifest.json';
const FORMAT = 'g2d-sweep';
const VERSION = 1;

/**
 * The manifest of a folder, `undefined` where there is none of ours.
 *
 * @throws {FileFormatError} If it is there and no JSON.
 * @throws {G2DError} With code `G2D_FILE` if it cannot be read.
 */
export function findManifest(folder: string): SweepManifest | undefined {
  const path = join(folder, MANIFEST);
  const bytes = readIfThere(path);
  if (bytes === undefined) return undefined;
  let manifest: unknown;
  try {
    manifest = parseJson(bytes, { path });
  } catch (error) {
    throw new FileFormatError(
      path,
      `it is not JSON: ${String((error as FileFormatError).details['problem']).replace(/^not valid JSON: /, '')} Nothing was changed. Put a copy in its place, or give another folder with --out; each run there goes on by itself with g2d train RUN/config.json --resume.`,
    );
  }
  const { format, version } = (manifest ?? {}) as { readonly format?: unknown; readonly version?: unknown };
  if (format !== FORMAT) return undefined;
  if (version === VERSION) return manifest as SweepManifest;
  throw new OptionError(
    `${path} is of version ${String(version)}, and this g2d knows version ${VERSION}. Use the g2d that wrote it, or another folder.`,
    { option: 'out', value: folder, accepted: `version ${VERSION}` },
  );
}

/**
 * The plan of a sweep that has begun, from its folder alone.
 *
 * @throws {OptionError} If the folder is none of a sweep.
 */
export function readPlan(folder: string): SweepPlan {
  const manifest = findManifest(folder);
  if (manifest) {
    const { name, runs, isShared, queues } = manifest;
    return { name, out: folder, runs, ...(isShared && { isShared }), ...(queues && { queues }) };
  }
  throw new OptionError(
    `${folder} is no folder of a sweep: it has no ${MANIFEST}. Begin one with g2d sweep FILE.`,
    { option: 'DIR', value: folder, accepted: 'the folder of a sweep' },
  );
}

/** Writes the manifest of a sweep: it is there as a whole, or as it was before. */
export function writeManifest({ name, out, isShared, queues, runs }: SweepPlan, environment: unknown): void {
  const manifest = {
    format: FORMAT,
    version: VERSION,
    name,
    ...(isShared && { isShared }),
    environment,
    queues,
    runs,
  };
  writeFileAtomic(join(out, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
}
