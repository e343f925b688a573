import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import {
  access,
  constants,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  rmdir,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isNotWritable, NativeError, systemCode } from './errors.js';
import type { UnpackedFile } from './unpack-wheel.js';
import { diskFull } from './unpack-wheel.js';
import type { Platform, Variant } from './wheels.js';

/** The folder that projects share. */
export interface CacheLocation {
  readonly path: string;
  /** Chosen by the user: then it is used or the installation fails, and no other folder is tried. */
  readonly explicit: boolean;
}

/** What lies in a library folder; written last, so a folder without it is not an installation. */
export interface Manifest {
  readonly format: 1;
  readonly distribution: string;
  readonly version: string;
  readonly variant: Variant;
  /** Left out for Linux, the first one. */
  readonly platform?: Platform;
  readonly arch: string;
  /** Hash that the wheel was checked against; null if only the index's own hash was. */
  readonly wheelSha256: string | null;
  readonly files: readonly UnpackedFile[];
}

/** A complete library in the cache. */
export interface Library {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Hash of the manifest: equal for equal contents. */
  readonly id: string;
  /** Changes when somebody writes to a file, without anything having to be read: sizes and times of all files. */
  readonly stamp: string;
}

const manifestName = 'manifest.json';

/** Where the cache is: `--dir`, else `$G2D_CACHE_DIR`, else `$XDG_CACHE_HOME/g2d-native`, else `~/.cache/g2d-native`. */
export function cacheLocation(dir?: string, env: NodeJS.ProcessEnv = process.env): CacheLocation {
  const chosen = dir ?? env['G2D_CACHE_DIR'];
  if (chosen) return { path: resolve(chosen), explicit: true };
  const base = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
  return { path: join(base, 'g2d-native'), explicit: false };
}

/** The cache inside a project: for a machine where the user's own cannot be written. */
export function projectCache(project: string): CacheLocation {
  return { path: join(project, 'node_modules', '.cache', 'g2d-native'), explicit: false };
}

/** With those around it. Node's own way of doing so never ends below `/proc`. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (existsSync(folder) && statSync(folder).isDirectory()) return;
    const around = dirname(folder);
    if (systemCode(error) !== 'ENOENT' || existsSync(around)) throw error;
    await makeFolder(around);
    await makeFolder(folder);
  }
}

/** True when files can be created below this folder, which is created if it is missing. */
export async function isWritable(folder: string): Promise<boolean> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
    // access() does not see every reason, so a folder is made for certainty.
    await rmdir(await mkdtemp(join(folder, '.probe-')));
    return true;
  } catch (error) {
    if (isNotWritable(error) || systemCode(error) === 'EEXIST') return false;
    if (systemCode(error) === 'ENOSPC') throw diskFull(folder, error);
    throw error;
  }
}

/** The error for a chosen cache folder that cannot be written. */
export function cacheNotWritable(folder: string, cause?: unknown): NativeError {
  return new NativeError(
    'G2D_NATIVE_CACHE_NOT_WRITABLE',
    `The cache folder ${folder} cannot be written and does not hold a complete installation. Make it writable, or choose ` +
      'another one with --dir or G2D_CACHE_DIR.',
    { folder },
    { cause },
  );
}

/** The error for a chosen cache folder whose content somebody else decides. */
export function cacheNotSafe(strange: Strange): NativeError {
  return new NativeError(
    'G2D_NATIVE_CACHE_NOT_SAFE',
    `${strange.path} ${strange.why}, and what lies there would run as you. Let its owner close it (chmod -R go-w), or choose another ` +
      'cache with --dir or G2D_CACHE_DIR.',
    { path: strange.path },
  );
}

/** A file or folder of the cache that somebody else could have changed. */
export interface Strange {
  readonly path: string;
  /** A part of a sentence. */
  readonly why: string;
  /** Whether it is ours, so that we can close it. */
  readonly isOurs: boolean;
}

/**
 * The files and folders of a cache that others than we and root own or can write: what lies in them is loaded into our programs. Those that
 * are not there are nobody's.
 */
export function strangeIn(paths: readonly string[], user = process.geteuid?.()): Strange[] {
  // Where there are no such users, nobody can tell.
  if (user === undefined) return [];
  return paths.flatMap((path): Strange[] => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return [];
    const isOurs = found.uid === user;
    if (!isOurs && found.uid !== 0)
      return [{ path, why: `belongs to another user (number ${found.uid})`, isOurs }];
    return (found.mode & OTHERS_WRITE) === 0 ? [] : [{ path, why: 'can be written by other users', isOurs }];
  });
}

const OTHERS_WRITE = 0o022;

/** Takes the right to write from all others. */
export function closeToOthers(paths: readonly string[]): void {
  for (const path of paths) chmodSync(path, statSync(path).mode & 0o7777 & ~OTHERS_WRITE);
}

/** All that a cache holds of a library and an add-on, from the outside to the inside. */
export function partsOf(cache: string, folder: string, addon: string): string[] {
  const files = readLibrary(folder)?.manifest.files ?? [];
  const inside = files.flatMap(({ path }) => {
    const steps = path.split('/');
    return steps.map((_, i) => join(folder, ...steps.slice(0, i + 1)));
  });
  const addons = join(cache, 'addons');
  return [
    ...new Set([
      cache,
      folder,
      join(folder, manifestName),
      ...inside,
      addons,
      dirname(addon),
      addon,
      `${addon}.sha256`,
    ]),
  ];
}

/** A library folder if it is complete: its manifest is readable and every file has its size. Reads no contents. */
export function readLibrary(folder: string): Library | null {
  try {
    const text = readFileSync(join(folder, manifestName), 'utf8');
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.format !== 1 || manifest.files.length === 0) return null;
    const stats = manifest.files.map((file) => statSync(join(folder, file.path)));
    if (manifest.files.some((file, index) => stats[index]!.size !== file.bytes)) return null;
    const stamp = createHash('sha256').update(
      stats.map(({ size, mtimeMs, ino }) => `${size} ${mtimeMs} ${ino}`).join(),
    );
    return {
      folder,
      manifest,
      id: createHash('sha256').update(text).digest('hex'),
      stamp: stamp.digest('hex'),
    };
  } catch {
    return null;
  }
}

/** What a library is for. */
export const targetOf = ({ manifest: { platform = 'linux', arch } }: Pick<Library, 'manifest'>) => ({
  platform,
  arch,
});

/** The files whose SHA-256 differs from the manifest. Empty: the library is as it was unpacked. */
export async function brokenFiles(library: Library): Promise<string[]> {
  const broken: string[] = [];
  for (const file of library.manifest.files) {
    const actual = await sha256File(join(library.folder, file.path)).catch(() => null);
    if (actual !== file.sha256) broken.push(file.path);
  }
  return broken;
}

/** Hex SHA-256 of a file, read as a stream. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** Writes the manifest into a filled staging folder and puts the folder in its place in one step. */
export async function publishLibrary(staged: string, folder: string, manifest: Manifest): Promise<Library> {
  await writeFile(join(staged, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  // A damaged folder in the way is renamed, not emptied: a process that has it loaded keeps its files.
  const old = `${staged}-replaced`;
  await rename(folder, old).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
  await rename(staged, folder);
  await rm(old, { recursive: true, force: true });
  const library = readLibrary(folder);
  if (!library) throw new Error(`${folder} is incomplete right after it was written`);
  return library;
}

/**
 * Puts a finished binary and its hash in their place. The hash goes first: a binary without a matching hash is not used.
 *
 * @param staged In a folder of {@link withStaging}.
 */
export async function publishBinary(staged: string, file: string, sha256: string): Promise<void> {
  await writeFile(`${staged}.sha256`, `${sha256}\n`);
  await mkdir(dirname(file), { recursive: true });
  await rename(`${staged}.sha256`, `${file}.sha256`);
  await rename(staged, file);
}

/** Makes a library incomplete for everybody, so that it is installed again. */
export async function forgetLibrary(library: Library): Promise<void> {
  await rm(join(library.folder, manifestName), { force: true });
}

/**
 * Runs `work` with a new folder inside the cache that disappears afterwards. Folders of processes that were killed are
 * removed first.
 */
export async function withStaging<T>(cache: string, work: (folder: string) => Promise<T>): Promise<T> {
  const staging = join(cache, 'staging');
  await mkdir(staging, { recursive: true });
  await removeStale(staging);
  const folder = await mkdtemp(join(staging, `${hostname()}-${process.pid}-`));
  try {
    return await work(folder);
  } finally {
    // pip may still be writing for a moment after it was told to stop.
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }).catch(() => {});
  }
}

async function removeStale(staging: string): Promise<void> {
  for (const name of await readdir(staging)) {
    const owner = /^(.*)-(\d+)-[^-]+$/.exec(name);
    // A folder of another machine (a shared home) is not ours to judge.
    if (owner && owner[1] === hostname() && !isAlive(Number(owner[2]))) {
      await rm(join(staging, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }).catch(
        () => {},
      );
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

const lockPath = (folder: string) => join(folder, '.g2d-native.lock');

/** True while {@link withLock} is at work in this folder, here or elsewhere, or its owner was killed. */
export function isLocked(folder: string): boolean {
  return existsSync(lockPath(folder));
}

/**
 * Runs `work` while no other installer holds the lock of this folder. The lock saves a second download; that nothing
 * half-written is used does not rest on it but on {@link publishLibrary}. A lock whose owner died is taken over after
 * five seconds.
 *
 * @param onWait Called once if another one holds the lock.
 */
export async function withLock<T>(
  folder: string,
  { onWait, signal }: { onWait?: () => void; signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(folder, { recursive: true });
  // It listens for signals from its import on, which a program that only loads TensorFlow should not get.
  const { default: lockfile } = await import('proper-lockfile');
  const acquire = () =>
    lockfile.lock(folder, {
      lockfilePath: lockPath(folder),
      stale: 5_000,
      update: 1_000,
      // Held up for longer than that, we go on: the other installer then does the same work in a folder of its own.
      onCompromised: () => {},
    });
  let waited = false;
  let release: (() => Promise<void>) | null = null;
  while (!release) {
    try {
      release = await acquire();
    } catch (error) {
      if (systemCode(error) !== 'ELOCKED') throw error;
      if (!waited) onWait?.();
      waited = true;
      await setTimeout(250, undefined, signal ? { signal } : {});
    }
  }
  try {
    return await work();
  } finally {
    await release().catch(() => {});
  }
}

/**
 * Checks that a disk has room before anything is downloaded.
 *
 * @param free Asks for the free bytes of the disk that holds a folder.
 * @throws {NativeError} `G2D_NATIVE_DISK_FULL`
 */
export async function assertFreeSpace(
  folder: string,
  neededBytes: number,
  free: (folder: string) => Promise<number> = freeBytes,
): Promise<void> {
  const available = await free(folder);
  if (available >= neededBytes) return;
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  throw new NativeError(
    'G2D_NATIVE_DISK_FULL',
    `The installation needs ${gigabytes(neededBytes)} GB for a moment, but the disk that holds ${folder} has ` +
      `${gigabytes(available)} GB left. Free some space, or choose another disk with --dir.`,
    { folder, neededBytes, availableBytes: available },
  );
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
