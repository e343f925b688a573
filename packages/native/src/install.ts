import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildAddon, forgetAddon, planAddon, readAddon, type Addon } from './build-addon.js';
import {
  assertFreeSpace,
  brokenFiles,
  cacheLocation,
  cacheNotSafe,
  cacheNotWritable,
  closeToOthers,
  forgetLibrary,
  isLocked,
  isWritable,
  partsOf,
  projectCache,
  publishLibrary,
  readLibrary,
  sha256File,
  strangeIn,
  withLock,
  withStaging,
  type CacheLocation,
  type Library,
} from './cache.js';
import { download, keptDownloads, type Delivery } from './download.js';
import { checkKeys, firstLine, NativeError, systemCode, isNotWritable } from './errors.js';
import {
  currentHost,
  describeHost,
  isSupported,
  isUntried,
  nvidiaDriver,
  wrongLibc,
  type Host,
} from './host.js';
import { installKernels } from './kernels.js';
import { interruptedError } from './pip-download.js';
import {
  hasPassed,
  isAsTested,
  isPlaced,
  linkFile,
  place,
  projectNotWritable,
  readPlaced,
  takeOut,
  writePlaced,
} from './place.js';
import { unpackPrebuilt } from './prebuilt.js';
import { silentProgress, type Progress } from './progress.js';
import {
  addTfjsNode,
  findProject,
  findTfjsNode,
  findTfjsNodes,
  tfjsVersion,
  type TfjsNode,
} from './project.js';
import { runCommand, type RunCommand } from './run-command.js';
import { selfTest, type SelfTest } from './self-test.js';
import { diskFull, unpackWheel, type UnpackedFile, type UnpackRequest } from './unpack-wheel.js';
import {
  chooseWheel,
  describeTarget,
  libraryName,
  nvidiaPlace,
  nvidiaRequirements,
  tensorflowFiles,
  type Distribution,
  type Variant,
} from './wheels.js';

/** What to install and where. Everything has a default. */
export interface InstallOptions {
  /** `'gpu'` takes the CUDA build and NVIDIA's libraries (2.5 GB to download). Default `'cpu'`. */
  readonly variant?: Variant;
  /** A TensorFlow release such as `2.21.0`. One that is not in our table is not pinned by hash. */
  readonly version?: string;
  /** The cache folder. Default `$G2D_CACHE_DIR`, else `~/.cache/g2d-native`. */
  readonly dir?: string;
  /** A folder in the project to install for. Default: the current one. */
  readonly project?: string;
  /** A wheel that is already here, in place of the download. */
  readonly wheel?: string;
  /** Compiles the add-on and the kernels also where there are prebuilt ones. Default false. */
  readonly build?: boolean;
  /** Reads the whole library and compares every hash, also when nothing seems to be missing. Default false. */
  readonly verify?: boolean;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  /** The machine; tests pretend to be on another one. */
  readonly host?: Host;
  /** Runs programs (pip, compiler, npm, the self-test); tests hand in their own. */
  readonly run?: RunCommand;
  /** Free bytes of the disk that holds a folder; tests hand in their own. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

/** What an installation ended with. */
export interface InstallReport {
  /**
   * `installed`: something was done; `unchanged`: everything was there; `own-installation`: tfjs-node's own installer did
   * it, on a platform that we do not serve; `fallback`: no TensorFlow on this platform, WebAssembly is used.
   */
  readonly status: 'installed' | 'unchanged' | 'own-installation' | 'fallback';
  readonly backend: 'tensorflow' | 'wasm';
  readonly device: 'cpu' | 'gpu' | null;
  readonly tensorflow: string | null;
  readonly variant: Variant | null;
  /** Whether the wheel's hash is one of our table. */
  readonly pinned: boolean | null;
  readonly package: string | null;
  readonly library: string | null;
  readonly seconds: number;
  /** Everything a user should know, in the order it came up. */
  readonly notes: readonly string[];
}

/** One installation's tools, so that its steps need not hand them on one by one. */
interface Context {
  readonly progress: Progress;
  readonly run: RunCommand;
  readonly signal: AbortSignal | undefined;
  readonly freeBytes: InstallOptions['freeBytes'];
  readonly note: (line: string) => void;
}

/**
 * Puts TensorFlow under a project's `@tensorflow/tfjs-node-gpu`: takes the library out of its Python wheel into a cache
 * that projects share, builds the add-on, links both, and tests them. Calling it again changes nothing.
 *
 * @throws {NativeError} With a code for each cause; see the README's table.
 * @example
 * const { tensorflow, device } = await install();
 */
export async function install(options: InstallOptions = {}): Promise<InstallReport> {
  checkKeys(options, {
    variant: true,
    version: true,
    dir: true,
    project: true,
    wheel: true,
    build: true,
    verify: true,
    progress: true,
    signal: true,
    host: true,
    run: true,
    freeBytes: true,
  });
  const started = performance.now();
  const { host = currentHost(), progress = silentProgress } = options;
  const notes: string[] = [];
  const context: Context = {
    progress,
    run: options.run ?? runCommand,
    signal: options.signal,
    freeBytes: options.freeBytes,
    note: (line) => {
      notes.push(line);
      progress.note(line);
    },
  };
  try {
    const result = isUntried(host)
      ? await installUntried(options, host, context)
      : isSupported(host)
        ? await installFromWheel(options, host, context)
        : await installElsewhere(options, host, context);
    return { ...result, seconds: (performance.now() - started) / 1000, notes };
  } catch (error) {
    if (options.signal?.aborted && !NativeError.isInstance(error)) throw interruptedError();
    if (['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? ''))
      throw diskFull(cacheLocation(options.dir).path, error);
    throw error;
  } finally {
    progress.end();
  }
}

type Outcome = Omit<InstallReport, 'seconds' | 'notes'>;

async function installFromWheel(options: InstallOptions, host: Host, context: Context): Promise<Outcome> {
  const project = findProject(options.project);
  const wheel = chooseWheel(host, options.variant ?? 'cpu', options.version);
  const driver = wheel.variant === 'cpu' && host.arch === 'x64' ? nvidiaDriver() : null;
  let changed = false;
  let tfjs = isLocked(join(project, 'node_modules')) ? null : findTfjsNode(project);
  if (!tfjs) {
    // Two npm processes at once in one project would spoil each other's work.
    const modules = join(project, 'node_modules');
    if (!(await isWritable(modules))) throw projectNotWritable(modules);
    await withLock(modules, waiting(context), async () => {
      if (findTfjsNode(project)) return;
      context.note(
        `Adding @tensorflow/tfjs-node-gpu to ${project} as an optional dependency, without its install script`,
      );
      const request = { project, name: '@tensorflow/tfjs-node-gpu', scripts: 'skip' } as const;
      await addTfjsNode(request, context.run, context.signal);
      changed = true;
    });
    tfjs = findTfjsNode(project);
    if (!tfjs) throw missingAfterNpm(project);
  }
  if (!existsSync(join(tfjs.folder, 'binding', 'tfjs_binding.cc'))) throw incompletePackage(tfjs);
  const cache = await usableCache(options, project, wheel, tfjs, context);
  let parts: Parts = { cache: cache.path, wheel, tfjs, options, build: options.build ?? false, context };
  let installation = await provide(parts);
  const again = options.verify || cache.wasOpen;
  // Rewritten files have new times; what a disk has lost without that is found by --verify and by doctor. A project that has not tested
  // this library as it lies there does not take another one's word for it.
  if (!installation.newLibrary && (again || !isAsTested(tfjs, installation.library))) {
    context.progress.stage('Checking every file of the library', null);
    const broken = await brokenFiles(installation.library);
    if (broken.length > 0) installation = await repairLibrary(parts, installation, broken);
  }
  // Of an add-on there is no hash but the one beside it: a project that has tested another one builds it again.
  const before = readPlaced(tfjs);
  const isOther = before?.library === installation.library.id && before.addon !== installation.addon.sha256;
  if (!installation.newAddon && (again || isOther)) installation = await repairAddon(parts, installation);
  let placed: { test: SelfTest; changed: boolean } | undefined;
  for (let retry = again; !placed; retry = true) {
    try {
      placed = await placeAndTest(installation, tfjs, retry, context);
    } catch (error) {
      if (!NativeError.isInstance(error) || error.code !== 'G2D_NATIVE_SELF_TEST') throw error;
      const broken = installation.newLibrary ? [] : await brokenFiles(installation.library);
      if (broken.length > 0) installation = await repairLibrary(parts, installation, broken);
      else if (!installation.newAddon) installation = await repairAddon(parts, installation);
      else if (installation.isPrebuilt) {
        context.note(`The prebuilt add-on does not work here (${firstLine(error)}); building it from source`);
        parts = { ...parts, build: true };
        const built = await provide(parts).catch((second: unknown) => {
          // Without a compiler the first problem is the one to solve.
          throw NativeError.isInstance(second) && second.code === 'G2D_NATIVE_NO_COMPILER' ? error : second;
        });
        installation = { ...built, newLibrary: installation.newLibrary };
      } else throw error;
    }
  }
  // What was made just now has the rights that this user gives to everything.
  const made = partsOf(cache.path, installation.library.folder, installation.addon.file);
  closeToOthers(strangeIn(made).flatMap(({ path, isOurs }) => (isOurs ? [path] : [])));
  await installKernels({
    cache: cache.path,
    library: installation.library,
    tfjs,
    run: context.run,
    signal: context.signal,
    again,
    build: parts.build,
    onStage: (title) => context.progress.stage(title, null),
    note: context.note,
  });
  if (installation.newLibrary || installation.newAddon) changed = true;
  if (driver && placed.changed) {
    context.note(
      `An NVIDIA driver (${driver}) is present; npx g2d-native install --gpu takes the CUDA build`,
    );
  }
  return {
    status: changed || placed.changed ? 'installed' : 'unchanged',
    backend: 'tensorflow',
    device: placed.test.device,
    tensorflow: placed.test.tensorflow,
    variant: wheel.variant,
    pinned: wheel.sha256 !== null,
    package: tfjs.folder,
    library: installation.library.folder,
  };
}

// What can be because of a platform that nobody has tried. The other errors, such as a wrong option, a full disk, or a file that is not the expected one, are the same
// everywhere: they say what to do, and going on without a word would hide them.
const becauseUntried: ReadonlySet<string> = new Set([
  'G2D_NATIVE_SELF_TEST',
  'G2D_NATIVE_COMPILER_FAILED',
  'G2D_NATIVE_NO_COMPILER',
  'G2D_NATIVE_NO_SUCH_WHEEL',
  // What was installed there before, without a package index.
  'G2D_NATIVE_NO_INDEX',
  'G2D_NATIVE_BAD_INDEX',
  'G2D_NATIVE_NO_NETWORK',
  'G2D_NATIVE_PIP_FAILED',
]);

/** From the wheel, where that was never tried: what does not work is taken out again, and the machine has what it would have without a wheel. */
async function installUntried(options: InstallOptions, host: Host, context: Context): Promise<Outcome> {
  try {
    const outcome = await installFromWheel(options, host, context);
    if (outcome.status === 'installed')
      context.note(
        `TensorFlow for ${describeHost(host)} was never tried by those who made this; it passed its test here`,
      );
    return outcome;
  } catch (error) {
    if (!NativeError.isInstance(error) || !becauseUntried.has(error.code)) throw error;
    const project = findProject(options.project);
    const tfjs = findTfjsNode(project);
    if (tfjs) {
      // Something else was asked for than what works there: that stays.
      if (error.code !== 'G2D_NATIVE_SELF_TEST' && hasPassed(tfjs)) throw error;
      await takeOut(tfjs);
    }
    const why = `TensorFlow for ${describeHost(host)} was never tried by those who made this, and does not work here (${firstSentence(error)})`;
    return installOwn(project, why, context);
  }
}

/** What fits between parentheses: without the advice, which is for those who want to have it repaired. */
const firstSentence = (error: unknown): string =>
  firstLine(error)
    .split(/\. (?=[A-Z])/)[0]!
    .replace(/\.$/, '');

function missingAfterNpm(project: string): NativeError {
  return new NativeError(
    'G2D_NATIVE_NO_TFJS_NODE',
    `npm left @tensorflow/tfjs-node-gpu out of ${project} without an error, as it does with an optional package that it ` +
      'cannot fetch, or when omit=optional is set. Check the network, or add it by hand: npm install --ignore-scripts ' +
      `@tensorflow/tfjs-node-gpu@${tfjsVersion}`,
    { project },
  );
}

function incompletePackage({ name, folder }: TfjsNode): NativeError {
  return new NativeError(
    'G2D_NATIVE_NO_TFJS_NODE',
    `${folder} is incomplete: it lacks the sources of its add-on. Delete that folder and run this again, or npm install ` +
      `--ignore-scripts ${name} by hand.`,
    { folder },
  );
}

/** The cache to use: the given or usual one if it is complete or can be written, and is nobody else's, else one inside the project. */
async function usableCache(
  options: InstallOptions,
  project: string,
  wheel: Distribution,
  tfjs: TfjsNode,
  context: Context,
): Promise<CacheLocation & { readonly wasOpen: boolean }> {
  const usual = cacheLocation(options.dir);
  const wasOpen = await assertOurs(usual, wheel, tfjs, options.build ?? false, context);
  const why = typeof wasOpen === 'string' ? wasOpen : 'cannot be written';
  const complete = await findInstalled(usual.path, wheel, tfjs, options.build ?? false);
  if (typeof wasOpen !== 'string' && (complete || (await isWritable(usual.path))))
    return { ...usual, wasOpen };
  if (usual.explicit) throw cacheNotWritable(usual.path);
  const own = projectCache(project);
  if (!(await isWritable(own.path))) throw cacheNotWritable(own.path);
  context.note(`The cache ${usual.path} ${why}, so this project gets its own in ${own.path}`);
  return { ...own, wasOpen: false };
}

/**
 * Looks who can write to a cache. What is ours is closed to all others, and everything in it has to be checked then.
 *
 * @returns Whether it was open; why it cannot be used, if it is the usual one and somebody else's.
 * @throws {NativeError} `G2D_NATIVE_CACHE_NOT_SAFE` if it was chosen and others can write to it.
 */
async function assertOurs(
  { path, explicit }: CacheLocation,
  wheel: Distribution,
  tfjs: TfjsNode,
  build: boolean,
  { note }: Context,
): Promise<boolean | string> {
  const folder = join(path, libraryName(wheel));
  const library = readLibrary(folder);
  const parts = partsOf(
    path,
    folder,
    library ? (await planAddon(path, tfjs, library, build)).file : join(path, 'addons', 'none', 'none'),
  );
  const strange = strangeIn(parts);
  const foreign = strange.find(({ isOurs }) => !isOurs);
  if (foreign && explicit) throw cacheNotSafe(foreign);
  if (foreign) return `is not safe (${foreign.path} ${foreign.why})`;
  if (strange.length === 0) return false;
  try {
    closeToOthers(strange.map((one) => one.path));
  } catch (error) {
    if (isNotWritable(error)) throw cacheNotSafe(strange[0]!);
    throw error;
  }
  note(
    `${strange[0]!.path} could be written by other users; it is closed to them now, and everything in the cache is checked`,
  );
  return true;
}

function waiting({ note, signal }: Context): { onWait: () => void; signal: AbortSignal | undefined } {
  return { onWait: () => note('Another installation is at work; waiting for it'), signal };
}

interface Installation {
  readonly library: Library;
  readonly addon: Addon;
  /** Made by this call. */
  readonly newLibrary: boolean;
  readonly newAddon: boolean;
  readonly isPrebuilt: boolean;
}

/** What an installation is made of. */
interface Parts {
  readonly cache: string;
  readonly wheel: Distribution;
  readonly tfjs: TfjsNode;
  readonly options: InstallOptions;
  /** Whether the add-on is compiled also where there is a prebuilt one. */
  readonly build: boolean;
  readonly context: Context;
}

/** A complete library and add-on of the cache, or null. Writes nothing. */
async function findInstalled(
  cache: string,
  wheel: Distribution,
  tfjs: TfjsNode,
  build: boolean,
): Promise<Installation | null> {
  const library = readLibrary(join(cache, libraryName(wheel)));
  if (!library) return null;
  const { file, prebuilt } = await planAddon(cache, tfjs, library, build);
  const addon = await readAddon(file);
  // Of a prebuilt one the hash is known.
  if (!addon || (prebuilt && addon.sha256 !== prebuilt.sha256)) return null;
  return { library, addon, newLibrary: false, newAddon: false, isPrebuilt: prebuilt !== null };
}

/** The library and the add-on of the cache, made if they are not there. */
async function provide({ cache, wheel, tfjs, options, build, context }: Parts): Promise<Installation> {
  const found = await findInstalled(cache, wheel, tfjs, build);
  if (found) return found;
  return withLock(cache, waiting(context), async () => {
    const folder = join(cache, libraryName(wheel));
    const there = readLibrary(folder);
    const library = there ?? (await makeLibrary(cache, folder, wheel, options, context));
    const newLibrary = !there;
    const found = await findInstalled(cache, wheel, tfjs, build);
    if (found) return { ...found, newLibrary };
    const { run, signal, note } = context;
    const { file, prebuilt } = await planAddon(cache, tfjs, library, build);
    try {
      if (prebuilt) {
        const addon = await unpackPrebuilt(cache, file, prebuilt);
        return { library, addon, newLibrary, newAddon: true, isPrebuilt: true };
      }
    } catch (error) {
      if (!NativeError.isInstance(error)) throw error;
      note(error.message);
    }
    context.progress.stage('Building the add-on', null);
    const compiled = await planAddon(cache, tfjs, library, true);
    const request = { cache, file: compiled.file, tfjs, library, run, signal };
    const addon = (await readAddon(compiled.file)) ?? (await buildAddon(request));
    return { library, addon, newLibrary, newAddon: true, isPrebuilt: false };
  });
}

async function repairLibrary(
  parts: Parts,
  { newAddon }: Installation,
  broken: readonly string[],
): Promise<Installation> {
  const { cache, wheel, context } = parts;
  const names = broken.map((path) => basename(path)).join(', ');
  context.note(`The library in ${cache} is damaged (${names}); installing it again`);
  if (!(await isWritable(cache))) throw cacheNotWritable(cache);
  await withLock(cache, waiting(context), async () => {
    const library = readLibrary(join(cache, libraryName(wheel)));
    // Somebody else may have repaired it while we waited.
    if (library && (await brokenFiles(library)).length > 0) await forgetLibrary(library);
  });
  const provided = await provide(parts);
  return { ...provided, newLibrary: true, newAddon: newAddon || provided.newAddon };
}

/** Builds an add-on that cannot be trusted once more. */
async function repairAddon(parts: Parts, { addon, newLibrary }: Installation): Promise<Installation> {
  const { cache, context } = parts;
  context.note(`The add-on in ${cache} is not one that was tested here; building it again`);
  if (!(await isWritable(cache))) throw cacheNotWritable(cache);
  await withLock(cache, waiting(context), () => forgetAddon(addon.file));
  const provided = await provide(parts);
  return { ...provided, newLibrary: newLibrary || provided.newLibrary, newAddon: true };
}

/** Downloads and unpacks a library into a staging folder and puts it in place in one step. */
function makeLibrary(
  cache: string,
  folder: string,
  wheel: Distribution,
  options: InstallOptions,
  context: Context,
): Promise<Library> {
  return withStaging(cache, async (staging) => {
    const staged = join(staging, 'library');
    const given = options.wheel;
    if (!wheel.sha256) {
      context.note(
        `TensorFlow ${wheel.version} is not in the table of tested wheels: its file is ${
          given
            ? 'not compared with any hash but its own RECORD'
            : 'checked only against the hash that the index gives'
        }`,
      );
    }
    await assertFreeSpace(cache, spaceNeeded(wheel, given !== undefined), context.freeBytes);
    if (given) await checkGivenWheel(given, wheel, context);
    const wanted = tensorflowFiles(wheel.platform);
    const select = (path: string) => wanted.find(({ from }) => from === path)?.to ?? null;
    const delivery = given
      ? null
      : await fetchWheel(wheel, (path) => select(path) !== null, cache, staging, context);
    const file = given ?? delivery!.file;
    const { files, metadata } = await unpackDelivery(delivery, () =>
      unpack(file, staged, `Unpacking TensorFlow ${wheel.version}`, context, {
        select,
        required: wanted.filter(({ optional }) => !optional).map(({ from }) => from),
        recordSha256: wheel.recordSha256,
      }),
    );
    assertSameRelease(file, metadata, wheel);
    const nvidia =
      wheel.variant === 'gpu' ? await addNvidia(metadata, wheel, cache, staging, staged, context) : [];
    return publishLibrary(staged, folder, {
      format: 1,
      distribution: wheel.name,
      version: wheel.version,
      variant: wheel.variant,
      ...(wheel.platform === 'linux' ? {} : { platform: wheel.platform }),
      arch: wheel.arch,
      wheelSha256: wheel.sha256,
      files: [...files, ...nvidia],
    });
  });
}

/** Twice the wheel (pip copies it once) or the wheel and its contents, whichever is more; NVIDIA's parts on top. */
function spaceNeeded(wheel: Distribution, given: boolean): number {
  const bytes = given ? 0 : (wheel.bytes ?? 600_000_000);
  const unpacked = wheel.unpackedBytes ?? 1_300_000_000;
  const nvidia = wheel.variant === 'gpu' ? 4_300_000_000 : 0;
  return Math.max(2 * bytes, bytes + unpacked) + nvidia + 50_000_000;
}

async function checkGivenWheel(file: string, wheel: Distribution, context: Context): Promise<void> {
  if (!existsSync(file)) {
    throw new NativeError('G2D_NATIVE_OPTION', `--wheel names ${file}, but there is no such file.`, {
      option: 'wheel',
      value: file,
    });
  }
  if (!wheel.sha256) return;
  context.progress.stage('Checking the wheel', null);
  const actual = await sha256File(file);
  if (actual === wheel.sha256) return;
  throw new NativeError(
    'G2D_NATIVE_WRONG_HASH',
    `${file} is not the wheel of ${wheel.name} ${wheel.version} for ${describeTarget(wheel)}, or it is cut short or damaged: its ` +
      `SHA-256 should be ${wheel.sha256}, but it is ${actual}. Nothing was installed. Download it again.`,
    { file, expected: wheel.sha256, actual },
  );
}

function assertSameRelease(file: string, metadata: string, wheel: Distribution): void {
  const name = /^Name:\s*(\S+)/m.exec(metadata)?.[1]?.replaceAll('_', '-').toLowerCase();
  const version = /^Version:\s*(\S+)/m.exec(metadata)?.[1];
  if (name === wheel.name && version === wheel.version) return;
  throw new NativeError(
    'G2D_NATIVE_WHEEL_BROKEN',
    `${basename(file)} should contain ${wheel.name} ${wheel.version}, but it contains ${name} ${version}. Nothing was installed. ` +
      'Give --version and --cpu or --gpu that fit the wheel.',
    { file, expected: [wheel.name, wheel.version], actual: [name, version] },
  );
}

/** The wheel of TensorFlow, or of it what is wanted, if its RECORD is known. */
function fetchWheel(
  wheel: Pick<Distribution, 'name' | 'version' | 'sha256' | 'platform' | 'arch' | 'bytes' | 'recordSha256'>,
  wanted: (path: string) => boolean,
  cache: string,
  staging: string,
  { run, signal, progress, note }: Context,
): Promise<Delivery> {
  const { name, version, sha256, platform, arch, bytes, recordSha256 } = wheel;
  return download(
    {
      name,
      version,
      sha256,
      platform,
      arch,
      bytes,
      select: recordSha256 === null ? null : wanted,
      staging: join(staging, name),
      kept: keptDownloads(cache),
    },
    { env: process.env, run, signal, progress, note },
  );
}

/** From here on only the unpacked files are needed, and the next wheels want the room. One that is damaged is not kept for another try either. */
async function unpackDelivery<T>(delivery: Delivery | null, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await delivery?.remove();
  }
}

function unpack(
  wheel: string,
  into: string,
  title: string,
  context: Context,
  what: Pick<UnpackRequest, 'select' | 'required' | 'recordSha256'>,
): Promise<{ files: UnpackedFile[]; metadata: string }> {
  return unpackWheel({
    wheel,
    into,
    ...what,
    signal: context.signal,
    onStart: (total) => context.progress.stage(title, total),
    onBytes: context.progress.bytes,
  });
}

/**
 * Unpacks the NVIDIA wheels' `nvidia/` folders beside `lib/`: TensorFlow's library searches `../nvidia/<part>/lib`, see {@link nvidiaPlace}. One at
 * a time, so that the disk holds one wheel and not twelve.
 */
async function addNvidia(
  metadata: string,
  wheel: Distribution,
  cache: string,
  staging: string,
  staged: string,
  context: Context,
): Promise<UnpackedFile[]> {
  const files = new Map<string, UnpackedFile>();
  for (const part of nvidiaRequirements(metadata)) {
    const { platform, arch } = wheel;
    const unpinned = { ...part, sha256: null, recordSha256: null, bytes: null, platform, arch };
    const delivery = await fetchWheel(unpinned, () => true, cache, staging, context);
    const unpacked = await unpackDelivery(delivery, () =>
      unpack(delivery.file, staged, `Unpacking ${part.name} ${part.version}`, context, {
        select: nvidiaPlace,
      }),
    );
    for (const one of unpacked.files) files.set(one.path, one);
  }
  return [...files.values()];
}

async function placeAndTest(
  { library, addon }: Installation,
  tfjs: TfjsNode,
  again: boolean,
  context: Context,
): Promise<{ test: SelfTest; changed: boolean }> {
  const before = readPlaced(tfjs);
  const there = isPlaced(tfjs, library, addon);
  const same = there && before?.addon === addon.sha256 && isAsTested(tfjs, library);
  if (same && !again && before.tested.includes(process.version)) {
    return { test: { tensorflow: before.tensorflow, device: before.device }, changed: false };
  }
  if (!there) {
    context.progress.stage(`Linking it into ${tfjs.folder}`, null);
    await place(tfjs, library, addon, context.note);
  }
  context.progress.stage('Testing a convolution and its gradients', null);
  const test = await selfTest(tfjs, { run: context.run, signal: context.signal });
  if (library.manifest.variant === 'gpu' && test.device === 'cpu') {
    context.note(
      'The CUDA build is installed, but it found no GPU that it can use: it computes on the processor; npx g2d-native doctor says why',
    );
  }
  await writePlaced(tfjs, {
    format: 1,
    library: library.id,
    stamp: library.stamp,
    addon: addon.sha256,
    variant: library.manifest.variant,
    ...test,
    tested: [...new Set([...(same ? before.tested : []), process.version])],
  });
  return { test, changed: !there };
}

/**
 * The platforms for which there is no wheel that works: tfjs-node's own installer is tried, and where it fails too, the
 * WebAssembly backend is what is left.
 */
async function installElsewhere(options: InstallOptions, host: Host, context: Context): Promise<Outcome> {
  const project = findProject(options.project);
  if (options.variant === 'gpu') {
    throw new NativeError(
      'G2D_NATIVE_UNSUPPORTED_PLATFORM',
      `--gpu needs Linux x64 with glibc, but this is ${describeHost(host)}. Leave --gpu out: loadTensorFlow() then takes the ` +
        'fastest backend that is here.',
      { host },
    );
  }
  const libc = wrongLibc(host);
  if (libc) {
    context.note(`TensorFlow's library ${libc}; loadTensorFlow() uses WebAssembly on ${describeHost(host)}`);
    return nowhere;
  }
  context.note(
    `There is no usable TensorFlow wheel for ${describeHost(host)}: using tfjs-node's own installer`,
  );
  return installOwn(project, null, context);
}

const nowhere: Outcome = {
  status: 'fallback',
  backend: 'wasm',
  device: null,
  tensorflow: null,
  variant: null,
  pinned: null,
  package: null,
  library: null,
};

/**
 * By tfjs-node's own installer.
 *
 * @param why What was tried before, and did not work: said together with what came of this.
 */
async function installOwn(project: string, why: string | null, context: Context): Promise<Outcome> {
  const name = '@tensorflow/tfjs-node';
  try {
    const withLibrary = () => findTfjsNodes(project).find((one) => existsSync(linkFile(one)));
    if (!withLibrary()) await addTfjsNode({ project, name, scripts: 'run' }, context.run, context.signal);
    const tfjs = withLibrary() ?? findTfjsNode(project);
    if (!tfjs) throw new Error(`npm left ${name} out because its install script failed`);
    context.progress.stage('Testing a convolution and its gradients', null);
    const test = await selfTest(tfjs, { run: context.run, signal: context.signal });
    if (why) context.note(`${why}: tfjs-node's own installation is used in its place`);
    return { ...nowhere, status: 'own-installation', backend: 'tensorflow', ...test, package: tfjs.folder };
  } catch (error) {
    if (context.signal?.aborted) throw interruptedError();
    context.note(
      why
        ? `${why}, nor does tfjs-node's own installation (${firstSentence(error)}): loadTensorFlow() uses WebAssembly`
        : `tfjs-node's own installation does not work here (${firstLine(error)}): loadTensorFlow() uses WebAssembly`,
    );
    return nowhere;
  }
}
