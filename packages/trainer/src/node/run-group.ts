import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { lock } from 'proper-lockfile';
import { RunFolder, writeJson } from './run-folder.js';

/** A folder of several runs of one experiment, held by this process. */
export interface RunGroup {
  readonly path: string;
  /** True if an interrupted run with the same configuration goes on. */
  readonly resumed: boolean;
  /** The folder of one of its runs. */
  run(name: string): RunFolder;
  /** Writes `summary.json`: the group is complete. */
  finish(summary: object): void;
  /** Gives the folder free for other processes. */
  release(): Promise<void>;
}

/** A lock of a process that died counts as free after this time. */
const STALE_MS = 10_000;

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

/**
 * Opens the folder of an experiment for writing.
 *
 * A folder in use by another process is left alone: the first free one of `path-2`, `path-3`, … is taken. An
 * interrupted experiment with the same configuration goes on; anything else that is there moves to `path.previous`
 * (an older one of that name is deleted).
 *
 * @param path For example `runs/av-mnist-small`.
 * @param config Everything that the results depend on; written to `config.json`.
 */
export async function openRunGroup(path: string, config: object): Promise<RunGroup> {
  const wanted = resolve(path);
  mkdirSync(dirname(wanted), { recursive: true });
  let folder = wanted;
  let release = await tryLock(folder, existsSync(`${folder}.lock`));
  for (let n = 2; !release; n++) {
    folder = `${wanted}-${n}`;
    release = await tryLock(folder, false);
  }

  const configPath = join(folder, 'config.json');
  const plain = JSON.parse(JSON.stringify(config)) as unknown;
  const resumed =
    existsSync(configPath) &&
    !existsSync(join(folder, 'summary.json')) &&
    isDeepStrictEqual(JSON.parse(readFileSync(configPath, 'utf8')), plain);
  if (!resumed) {
    if (existsSync(folder)) {
      rmSync(`${folder}.previous`, { recursive: true, force: true });
      renameSync(folder, `${folder}.previous`);
    }
    writeJson(configPath, plain);
  }
  return {
    path: folder,
    resumed,
    run: (name) => new RunFolder(join(folder, name)),
    finish: (summary) => writeJson(join(folder, 'summary.json'), summary),
    release,
  };
}
