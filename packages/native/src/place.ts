import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Addon } from './build-addon.js';
import { readLibrary, type Library } from './cache.js';
import { isNotWritable, NativeError } from './errors.js';
import type { TfjsNode } from './project.js';

/** What was put into a project's package, and with which Node it passed the self-test. Kept beside the add-on. */
export interface Placed {
  readonly format: 1;
  readonly library: string;
  /** The library's files as they were when the self-test passed. */
  readonly stamp: string;
  readonly addon: string;
  readonly tensorflow: string;
  readonly variant: 'cpu' | 'gpu';
  /** What the self-test computed on. */
  readonly device: 'cpu' | 'gpu';
  /** Versions of Node (`v20.20.2`) with which the self-test passed. */
  readonly tested: readonly string[];
}

/** The add-on's place in the npm package: where tfjs-node looks for it. */
export function bindingFile(tfjs: Pick<TfjsNode, 'folder'>): string {
  return join(tfjs.folder, 'lib', 'napi-v8', 'tfjs_binding.node');
}

/** The link to the library in the npm package. */
export function linkFile(tfjs: Pick<TfjsNode, 'folder'>): string {
  return join(tfjs.folder, 'deps');
}

/** Where the library of tfjs-node's own installer is kept. */
const keptLibrary = (tfjs: Pick<TfjsNode, 'folder'>): string => `${linkFile(tfjs)}.tfjs-node`;

/** tfjs-node's own installer makes a folder, where we make a link. */
const isOwn = (link: string): boolean => existsSync(link) && !lstatSync(link).isSymbolicLink();

const recordFile = (tfjs: Pick<TfjsNode, 'folder'>) => join(tfjs.folder, 'lib', 'napi-v8', 'g2d-native.json');

/** Our note in a package, or null if tfjs-node was installed in another way or not at all. */
export function readPlaced(tfjs: Pick<TfjsNode, 'folder'>): Placed | null {
  try {
    const placed = JSON.parse(readFileSync(recordFile(tfjs), 'utf8')) as Placed;
    return placed.format === 1 ? placed : null;
  } catch {
    return null;
  }
}

/** True when the library is the one that passed the self-test in this package and nobody has written to it since. */
export function isAsTested(tfjs: Pick<TfjsNode, 'folder'>, library: Library): boolean {
  const placed = readPlaced(tfjs);
  return placed?.library === library.id && placed.stamp === library.stamp;
}

/** True when the package has exactly this library and this add-on. */
export function isPlaced(tfjs: TfjsNode, library: Library, addon: Addon): boolean {
  try {
    if (!lstatSync(linkFile(tfjs)).isSymbolicLink() || readlinkSync(linkFile(tfjs)) !== library.folder)
      return false;
    const binding = readFileSync(bindingFile(tfjs));
    return createHash('sha256').update(binding).digest('hex') === addon.sha256;
  } catch {
    return false;
  }
}

/**
 * Links the library into the package and copies the add-on there. The add-on is a real file because its search path is
 * relative to itself. Each is made under another name first and renamed, so a killed process leaves the old or the new.
 *
 * @param onNote Told what was moved out of the way.
 * @throws {NativeError} `G2D_NATIVE_PROJECT_NOT_WRITABLE`
 */
export async function place(
  tfjs: TfjsNode,
  library: Library,
  addon: Addon,
  onNote: (line: string) => void = () => {},
): Promise<void> {
  const link = linkFile(tfjs);
  const binding = bindingFile(tfjs);
  const temporary = (file: string) => `${file}.g2d-${process.pid}`;
  try {
    await mkdir(dirname(binding), { recursive: true });
    // Its add-on goes with its library: each is of no use without the other.
    if (isOwn(link) && existsSync(binding)) await copyFile(binding, join(link, basename(binding)));
    await copyFile(addon.file, temporary(binding));
    await rename(temporary(binding), binding);
    await rm(temporary(link), { force: true });
    await symlink(library.folder, temporary(link), 'dir');
    if (isOwn(link)) {
      // Not ours to delete.
      const kept = freeName(keptLibrary(tfjs));
      await rename(link, kept);
      onNote(`${tfjs.name} had a TensorFlow of its own; it was kept as ${kept}`);
    }
    await rename(temporary(link), link);
  } catch (error) {
    throw notWritable(tfjs, error);
  }
}

/** True when what lies in the package is what passed the self-test there, with this Node. */
export function hasPassed(tfjs: TfjsNode): boolean {
  const placed = readPlaced(tfjs);
  const library = readLibrary(linkFile(tfjs));
  if (!placed?.tested.includes(process.version) || !library || !isAsTested(tfjs, library)) return false;
  const binding = existsSync(bindingFile(tfjs)) ? readFileSync(bindingFile(tfjs)) : '';
  return createHash('sha256').update(binding).digest('hex') === placed.addon;
}

/**
 * Takes out again what {@link place} put there, if it did, and puts back what was moved out of the way for it: a program that loads the package must not meet what
 * does not work.
 *
 * @throws {NativeError} `G2D_NATIVE_PROJECT_NOT_WRITABLE`
 */
export async function takeOut(tfjs: TfjsNode): Promise<void> {
  const link = linkFile(tfjs);
  if (!lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  try {
    for (const file of [recordFile(tfjs), bindingFile(tfjs), link]) await rm(file, { force: true });
    const kept = keptLibrary(tfjs);
    const binding = join(kept, basename(bindingFile(tfjs)));
    if (!existsSync(binding)) return;
    await rename(binding, bindingFile(tfjs));
    await rename(kept, link);
  } catch (error) {
    throw notWritable(tfjs, error);
  }
}

/** Remembers what is placed and with which Node versions it works. */
export async function writePlaced(tfjs: TfjsNode, placed: Placed): Promise<void> {
  const file = recordFile(tfjs);
  try {
    await writeFile(`${file}.${process.pid}`, `${JSON.stringify(placed, null, 2)}\n`);
    await rename(`${file}.${process.pid}`, file);
  } catch (error) {
    throw notWritable(tfjs, error);
  }
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let count = 2; existsSync(name); count++) name = `${wanted}-${count}`;
  return name;
}

/** The error for a folder of the project that cannot be written. */
export function projectNotWritable(folder: string, cause?: unknown): NativeError {
  return new NativeError(
    'G2D_NATIVE_PROJECT_NOT_WRITABLE',
    `${folder} cannot be written, but the add-on and the link to TensorFlow belong there. Run this as the user who owns ` +
      'node_modules.',
    { folder },
    { cause },
  );
}

function notWritable(tfjs: TfjsNode, error: unknown): unknown {
  return isNotWritable(error) ? projectNotWritable(tfjs.folder, error) : error;
}
