import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { compileAddon, readAddon, type Addon } from './build-addon.js';
import type { Library } from './cache.js';
import { firstLine } from './errors.js';
import { bindingFile, readPlaced } from './place.js';
import type { TfjsNode } from './project.js';
import type { RunCommand } from './run-command.js';
import { testKernels } from './test-kernels.js';

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

const flags = [
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
  // TensorFlow keeps pointers into it: it must outlive the worker thread that loaded it.
  '-Wl,-z,nodelete',
  '-Wl,-rpath,$ORIGIN/../../deps/lib',
  '-s',
];

/** What the binary depends on. Not on the processor: it holds the loops for several and chooses when it is loaded. */
async function sourcesHash(): Promise<string> {
  const hash = createHash('sha256').update(flags.join(' '));
  for (const name of (await readdir(sources)).sort())
    hash.update(name).update(await readFile(join(sources, name)));
  return hash.digest('hex').slice(0, 12);
}

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
  readonly onStage: (title: string) => void;
  readonly note: (line: string) => void;
}

/** Builds the kernels, puts them beside the add-on and compares them with TensorFlow. What fails becomes a note. */
export async function installKernels(request: KernelsRequest): Promise<void> {
  const { tfjs, library, again, signal, note } = request;
  // They compute on the processor.
  if (library.manifest.variant !== 'cpu') return;
  const record = (values: Omit<KernelsRecord, 'key'>) => writeRecord(tfjs, { key, ...values });
  const hash = await sourcesHash();
  const key = `${hash} ${library.id} ${library.stamp} ${process.version}`;
  const before = readKernels(tfjs);
  const there = before?.problem != null || (existsSync(kernelsFile(tfjs)) && before?.sha256 != null);
  if (!again && before?.key === key && there) return;
  try {
    let tried = await tryKernels(request, hash, again);
    // Of what lay in the cache there is no hash but the one beside it.
    if (tried.problem && tried.wasThere) tried = await tryKernels(request, hash, true);
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
): Promise<{ readonly sha256: string; readonly wasThere: boolean; readonly problem: string | null }> {
  const { tfjs, run, signal } = request;
  const { wasThere, ...addon } = await provideKernels(request, hash, fresh);
  const file = kernelsFile(tfjs);
  await copyFile(addon.file, `${file}.${process.pid}`);
  await rename(`${file}.${process.pid}`, file);
  request.onStage('Comparing the training kernels with TensorFlow');
  return { sha256: addon.sha256, wasThere, problem: await testKernels(tfjs, file, { run, signal }) };
}

/** @param fresh Whether they are built also where the cache has some. */
async function provideKernels(
  request: KernelsRequest,
  hash: string,
  fresh: boolean,
): Promise<Addon & { readonly wasThere: boolean }> {
  const { cache, library, run, signal } = request;
  const { version, arch } = library.manifest;
  const file = join(cache, 'addons', `kernels-tensorflow-${version}-${arch}-${hash}`, 'g2d_kernels.node');
  const kept = fresh ? null : await readAddon(file);
  if (kept) return { ...kept, wasThere: true };
  request.onStage('Building the training kernels');
  const build = { cache, file, library, run, signal };
  const built = await compileAddon(build, 'the training kernels', () =>
    Promise.resolve([...flags, join(sources, 'g2d-kernels.cc')]),
  );
  return { ...built, wasThere: false };
}

async function writeRecord(tfjs: Package, record: KernelsRecord): Promise<void> {
  const file = recordFile(tfjs);
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify(record, null, 2)}\n`);
  await rename(`${file}.${process.pid}`, file);
}

/**
 * Loads the kernels into a process that has loaded TensorFlow from this package, unless `G2D_KERNELS=off`. Only those that
 * passed their test here.
 *
 * @returns Whether their operations can be used.
 */
export function loadKernels(tfjs: Package, env: NodeJS.ProcessEnv): boolean {
  if (env['G2D_KERNELS'] === 'off' || !readPlaced(tfjs) || !readKernels(tfjs)?.sha256) return false;
  try {
    process.dlopen({ exports: {} }, kernelsFile(tfjs), constants.dlopen.RTLD_NOW);
    return true;
  } catch {
    // Deleted since, or made for another system: everything works without.
    return false;
  }
}
