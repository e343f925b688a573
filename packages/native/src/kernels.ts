import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { compileAddon, linkFlags, readAddon, type Addon } from './build-addon.js';
import { targetOf, type Library } from './cache.js';
import { firstLine, NativeError } from './errors.js';
import { bindingFile, readPlaced } from './place.js';
import { findPrebuilt, prebuiltFile, unpackPrebuilt } from './prebuilt.js';
import type { TfjsNode } from './project.js';
import type { RunCommand } from './run-command.js';
import { testKernels } from './test-kernels.js';
import { targetName, type Platform } from './wheels.js';

// Operations of our own for TensorFlow, in C++. They are an addition: whatever goes wrong with them, TensorFlow works as it
// does without them, and training takes a third longer.

/** What became of the kernels in a package. Kept beside them. */
interface KernelsRecord {
  /** What they were built from, for, and with which Node they were tried: for another key all is done again. */
  readonly key: string;
  /** Hash of the add-on, if there is one that gave the right numbers. */
  readonly sha256: string | null;
  /** Why there is none. */
  readonly problem: string | null;
}

type Package = Pick<TfjsNode, 'folder'>;

/** The kernels' place in the npm package, beside tfjs-node's own add-on. */
export const kernelsFile = (tfjs: Package): string => join(dirname(bindingFile(tfjs)), 'g2d_kernels.node');
const recordFile = (tfjs: Package): string => join(dirname(bindingFile(tfjs)), 'g2d-kernels.json');

// From the sources as from the built package, whose files lie in `dist`.
const sources = fileURLToPath(new URL('../src/kernels/', import.meta.url));

const kernelFlags = (platform: Platform) => [
  '-O3',
  '-std=c++17',
  '-fPIC',
  '-shared',
  '-pthread',
  '-fvisibility=hidden',
  // Every processor gives the same bits, and the gradient decides by the forward pass's own numbers.
  '-ffp-contract=off',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-Wno-psabi',
  '-DNAPI_VERSION=8',
  // TensorFlow keeps pointers into it: it must outlive the worker thread that loaded it. On macOS the one who loads it says so.
  ...(platform === 'linux' ? ['-Wl,-z,nodelete'] : []),
  ...linkFlags(platform),
];

/** What the binary depends on. Not on the processor: it holds the loops for several and chooses when it is loaded. */
export async function kernelSources(platform: Platform): Promise<string> {
  const hash = createHash('sha256').update(kernelFlags(platform).join(' '));
  for (const name of (await readdir(sources)).sort())
    hash.update(name).update(await readFile(join(sources, name)));
  return hash.digest('hex').slice(0, 12);
}

/** Flags and sources of the kernels for a compiler. */
export const kernelArguments = (platform: Platform): string[] => [
  ...kernelFlags(platform),
  join(sources, 'g2d-kernels.cc'),
];

/** The kernels in a package that were tried there, and why there are none; null where nobody tried. */
export function readKernels(tfjs: Package): KernelsRecord | null {
  try {
    return JSON.parse(readFileSync(recordFile(tfjs), 'utf8')) as KernelsRecord;
  } catch {
    return null;
  }
}

/** What {@link installKernels} works with. */
export interface KernelsRequest {
  readonly cache: string;
  readonly library: Library;
  readonly tfjs: TfjsNode;
  readonly run: RunCommand;
  readonly signal: AbortSignal | undefined;
  /** Tries again also what did not work before. */
  readonly again: boolean;
  /** Compiles also where there are prebuilt ones. */
  readonly build: boolean;
  readonly onStage: (title: string) => void;
  readonly note: (line: string) => void;
}

/** Builds the kernels, puts them beside the add-on and compares them with TensorFlow. What fails becomes a note. */
export async function installKernels(request: KernelsRequest): Promise<void> {
  const { tfjs, library, again, signal, note } = request;
  // They compute on the processor.
  if (library.manifest.variant !== 'cpu') return;
  const record = (values: Omit<KernelsRecord, 'key'>) => writeRecord(tfjs, { key, ...values });
  const hash = await kernelSources(targetOf(library).platform);
  const key = `${hash} ${library.id} ${library.stamp} ${process.version}`;
  const before = readKernels(tfjs);
  const there = before?.problem != null || (existsSync(kernelsFile(tfjs)) && before?.sha256 != null);
  if (!again && before?.key === key && there) return;
  try {
    let tried = await tryKernels(request, hash, again);
    // Of what lay in the cache there is no hash but the one beside it; prebuilt ones that do not work here may work if they are built here.
    if (tried.problem && (tried.wasThere || tried.isPrebuilt))
      tried = await tryKernels({ ...request, build: request.build || tried.isPrebuilt }, hash, true);
    if (tried.problem) throw new Error(tried.problem);
    await record({ sha256: tried.sha256, problem: null });
  } catch (error) {
    if (signal?.aborted) throw error;
    const problem = firstLine(error);
    await rm(kernelsFile(tfjs), { force: true }).catch(() => {});
    await record({ sha256: null, problem }).catch(() => {});
    note(`Training does without the kernels in C++, which save up to a quarter of its time: ${problem}`);
  }
}

async function tryKernels(
  request: KernelsRequest,
  hash: string,
  fresh: boolean,
): Promise<Provided & { readonly problem: string | null }> {
  const { tfjs, run, signal } = request;
  const addon = await provideKernels(request, hash, fresh);
  const file = kernelsFile(tfjs);
  await copyFile(addon.file, `${file}.${process.pid}`);
  await rename(`${file}.${process.pid}`, file);
  request.onStage('Comparing the training kernels with TensorFlow');
  return { ...addon, problem: await testKernels(tfjs, file, { run, signal }) };
}

interface Provided extends Addon {
  /** Not made by this call. */
  readonly wasThere: boolean;
  readonly isPrebuilt: boolean;
}

/** @param fresh Whether they are made also where the cache has some. */
async function provideKernels(request: KernelsRequest, hash: string, fresh: boolean): Promise<Provided> {
  const { cache, library, build, run, signal } = request;
  const { version } = library.manifest;
  const target = targetOf(library);
  const name = 'g2d_kernels.node';
  const prebuilt = build ? null : findPrebuilt(target, 'kernels', hash);
  if (prebuilt) {
    const file = prebuiltFile(cache, prebuilt, name);
    const kept = fresh ? null : await readAddon(file);
    if (kept?.sha256 === prebuilt.sha256) return { ...kept, wasThere: true, isPrebuilt: true };
    try {
      return { ...(await unpackPrebuilt(cache, file, prebuilt)), wasThere: false, isPrebuilt: true };
    } catch (error) {
      if (!NativeError.isInstance(error)) throw error;
      request.note(error.message);
    }
  }
  const file = join(cache, 'addons', `kernels-tensorflow-${version}-${targetName(target)}-${hash}`, name);
  const kept = fresh ? null : await readAddon(file);
  if (kept) return { ...kept, wasThere: true, isPrebuilt: false };
  request.onStage('Building the training kernels');
  const built = await compileAddon({ cache, file, library, run, signal }, 'the training kernels', () =>
    Promise.resolve(kernelArguments(target.platform)),
  );
  return { ...built, wasThere: false, isPrebuilt: false };
}

async function writeRecord(tfjs: Package, record: KernelsRecord): Promise<void> {
  const file = recordFile(tfjs);
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify(record, null, 2)}\n`);
  await rename(`${file}.${process.pid}`, file);
}

/** Never unloaded: Node has no name for it, and Apple's linker, unlike Linux's, cannot write it into the file. */
const RTLD_NODELETE_OF_MACOS = 0x80;

/**
 * Loads the kernels into a process that has loaded TensorFlow from this package, unless `G2D_KERNELS=off`. Only those that
 * passed their test here.
 *
 * @returns Whether their operations can be used.
 */
export function loadKernels(tfjs: Package, env: NodeJS.ProcessEnv): boolean {
  if (env['G2D_KERNELS'] === 'off' || !readPlaced(tfjs) || !readKernels(tfjs)?.sha256) return false;
  try {
    const flags = constants.dlopen.RTLD_NOW | (process.platform === 'darwin' ? RTLD_NODELETE_OF_MACOS : 0);
    process.dlopen({ exports: {} }, kernelsFile(tfjs), flags);
    return true;
  } catch {
    // Deleted since, or made for another system: everything works without.
    return false;
  }
}
