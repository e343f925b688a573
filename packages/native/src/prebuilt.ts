import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { publishBinary, withStaging } from './cache.js';
import { NativeError } from './errors.js';

/** What is prebuilt: tfjs-node's add-on, and the training kernels. */
export type Part = 'addon' | 'kernels';

/** One prebuilt binary in a package of its platform. */
export interface Prebuilt {
  /** The package's name. */
  readonly package: string;
  /** The binary, compressed by Brotli. */
  readonly packed: string;
  /** Of the binary itself, hex. */
  readonly sha256: string;
}

/** `prebuilt.json` of a platform's package, written by `npm run prebuilt`. */
export interface PrebuiltRecord {
  readonly format: 1;
  /** Of each part: a hash of what it was built from, and of what came out. */
  readonly parts: Readonly<Record<Part, { readonly sources: string; readonly sha256: string }>>;
}

/** A system and a processor, as Node names them. */
interface Machine {
  readonly platform: string;
  readonly arch: string;
}

/** The package that holds the binaries for a machine. */
export const prebuiltPackage = ({ platform, arch }: Machine): string => `@g2d/native-${platform}-${arch}`;

/**
 * The prebuilt binary for a machine, if its package is there and holds one of exactly these sources. Null otherwise: then it is compiled.
 *
 * @param folder Of the package; tests hand in their own.
 */
export function findPrebuilt(
  machine: Machine,
  part: Part,
  sources: string,
  folder: string | null = packageFolder(machine),
): Prebuilt | null {
  if (folder === null) return null;
  let record: PrebuiltRecord;
  try {
    record = JSON.parse(readFileSync(join(folder, 'prebuilt.json'), 'utf8')) as PrebuiltRecord;
  } catch {
    return null;
  }
  const found = record.format === 1 ? record.parts[part] : undefined;
  if (found?.sources !== sources) return null;
  return { package: prebuiltPackage(machine), packed: join(folder, `${part}.node.br`), sha256: found.sha256 };
}

function packageFolder(machine: Machine): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${prebuiltPackage(machine)}/package.json`));
  } catch {
    return null;
  }
}

/** Its place in the cache: one of other contents has another. */
export const prebuiltFile = (cache: string, { sha256 }: Prebuilt, name: string): string =>
  join(cache, 'addons', `prebuilt-${sha256.slice(0, 12)}`, name);

/**
 * Unpacks a prebuilt binary into the cache.
 *
 * @throws {NativeError} `G2D_NATIVE_WRONG_HASH` if it is not what its package says.
 */
export async function unpackPrebuilt(
  cache: string,
  file: string,
  prebuilt: Prebuilt,
): Promise<{ readonly file: string; readonly sha256: string }> {
  const binary = await promisify(brotliDecompress)(await readFile(prebuilt.packed)).catch(() =>
    Buffer.alloc(0),
  );
  const actual = createHash('sha256').update(binary).digest('hex');
  if (actual !== prebuilt.sha256) {
    throw new NativeError(
      'G2D_NATIVE_WRONG_HASH',
      `${basename(prebuilt.packed)} of ${prebuilt.package} is damaged: its SHA-256 should be ${prebuilt.sha256}, but it is ${actual}. Install that package ` +
        'again, or build from source with --build.',
      { package: prebuilt.package, expected: prebuilt.sha256, actual },
    );
  }
  return withStaging(cache, async (staging) => {
    const staged = join(staging, 'binary');
    await writeFile(staged, binary, { mode: 0o755 });
    await publishBinary(staged, file, actual);
    return { file, sha256: actual };
  });
}
