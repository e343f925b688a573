import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { G2DError, OptionError } from '@g2d/core';
import { writeFileAtomic } from '@g2d/formats/node';
import { lock } from 'proper-lockfile';

/** A folder of several runs of one experiment, held by this process. */
export interface RunGroup {
  readonly path: string;
  /** True if an interrupted run with the same configuration goes on. */
  readonly resumed: boolean;
  /** Path of the folder of one of its runs. */
  run(name: string): string;
  /** Writes `summary.json`: the group is complete. */
  finish(summary: object): void;
  /** Gives the folder free for other processes. */
  release(): Promise<void>;
}

/** Marks a folder as ours in its `config.json`: no other folder is ever moved or deleted. */
const KIND = 'g2d-run-group';
const SUMMARY = 'summary.json';
/** A lock of a process that died counts as free after this time. */
const STALE_MS = 10_000;

const writeJson = (path: string, value: unknown): void =>
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);

async function tryLock(path: string, patient: boolean): Promise<(() => Promise<void>) | undefined> {
  try {
    return await lock(path, {
      lockfilePath: `${path}.lock`,
      realpath: false,
      stale: STALE_MS,
      update: STALE_MS / 5,
      // Long enough to tell a running process from one that was killed.
      retries: patient ? { retries: STALE_MS / 500 + 4, factor: 1, minTimeout: 500 } : 0,
      onCompromised: () =>
        process.emitWarning(
          `The lock on ${path} was lost (was the machine asleep?). Do not start a second run there.`,
        ),
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return undefined;
    throw error;
  }
}

function readConfig(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Throws unless a path is free, an empty folder, or the folder of an experiment. */
function assertOurs(path: string): void {
  if (!existsSync(path)) return;
  const names = statSync(path).isDirectory() ? readdirSync(path) : undefined;
  const ours = names?.length === 0 || (readConfig(path) as { kind?: unknown } | undefined)?.kind === KIND;
  if (ours) return;
  const what = names
    ? `holds files that are not of an experiment (${names.slice(0, 3).join(', ')})`
    : 'is a file';
  throw new OptionError(`${path} ${what}, and is left alone. Give a folder of its own for the runs.`, {
    option: 'out',
    value: path,
    accepted: 'a new or empty folder, or one of an earlier experiment',
  });
}

/** The folder, ready to be written: an interrupted experiment of the same configuration, or a new one. */
function prepare(folder: string, config: unknown): boolean {
  assertOurs(folder);
  const resumed = !existsSync(join(folder, SUMMARY)) && isDeepStrictEqual(readConfig(folder), config);
  if (resumed) return true;
  if (existsSync(folder)) {
    const previous = `${folder}.previous`;
    assertOurs(previous);
    rmSync(previous, { recursive: true, force: true });
    renameSync(folder, previous);
  }
  writeJson(join(folder, 'config.json'), config);
  return false;
}

/**
 * Opens the folder of an experiment for writing.
 *
 * A folder in use by another process is left alone: the first free one of `path-2`, `path-3`, … is taken. An
 * interrupted experiment with the same configuration goes on. A finished one, or one of another configuration, moves to
 * `path.previous`, in place of an older one.
 *
 * @param path For example `runs/av-mnist-small`.
 * @param config Everything that the results depend on; written to `config.json`.
 * @param options `onWait`: called when the folder seems to be in use, before up to 12 seconds are spent on finding out
 * whether its process is alive.
 * @throws {OptionError} If the path holds anything else than an experiment; nothing is touched then.
 * @throws {G2DError} With code `G2D_RUN_FOLDER` if the folder cannot be written.
 */
export async function openRunGroup(
  path: string,
  config: object,
  { onWait }: { readonly onWait?: () => void } = {},
): Promise<RunGroup> {
  const wanted = resolve(path);
  const plain = JSON.parse(JSON.stringify({ kind: KIND, ...config })) as unknown;
  try {
    mkdirSync(dirname(wanted), { recursive: true });
    for (let n = 1; ; n++) {
      const folder = n === 1 ? wanted : `${wanted}-${n}`;
      const held = n === 1 && existsSync(`${folder}.lock`);
      if (held) onWait?.();
      const release = await tryLock(folder, held);
      if (!release) continue;
      try {
        // What another process has finished while we waited is not moved aside.
        if (held && existsSync(join(folder, SUMMARY))) {
          await release();
          continue;
        }
        const resumed = prepare(folder, plain);
        return {
          path: folder,
          resumed,
          run: (name) => join(folder, name),
          finish: (summary) => writeJson(join(folder, SUMMARY), summary),
          release,
        };
      } catch (error) {
        await release();
        throw error;
      }
    }
  } catch (error) {
    if (G2DError.isInstance(error) || !(error instanceof Error)) throw error;
    throw new G2DError(
      'G2D_RUN_FOLDER',
      `${wanted} cannot be used for runs: ${error.message}. Choose another folder.`,
      { path: wanted },
      { cause: error },
    );
  }
}
