import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

const DAY = 24 * 60 * 60 * 1000;

/** What the names of all temporary folders of a file begin with, and those of this machine. */
const names = (file: string): { readonly any: string; readonly here: string } => {
  const any = `.${basename(file)}.writing-`;
  return { any, here: `${any}${hostname()}-` };
};

/**
 * Makes a folder beside `file` for what is written before it is complete; nobody else's. What killed processes left there is removed.
 *
 * @returns The folder; remove it.
 */
export function temporaryFolder(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  removeAbandoned(file);
  return mkdtempSync(join(dirname(file), `${names(file).here}${process.pid}-`));
}

/** Removes temporary folders of processes of this machine that run no more, and of any that was not written to for a day. */
function removeAbandoned(file: string): void {
  const { any, here } = names(file);
  for (const name of readdirSync(dirname(file))) {
    if (!name.startsWith(any)) continue;
    const folder = join(dirname(file), name);
    const pid = name.startsWith(here) ? /^(\d+)-[^-]+$/.exec(name.slice(here.length))?.[1] : undefined;
    if ((pid !== undefined && !isRunning(Number(pid))) || Date.now() - lastWritten(folder) > DAY) {
      try {
        rmSync(folder, { recursive: true, force: true });
      } catch {
        // Somebody else's, or being removed by another process: it is in nobody's way.
      }
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, but is somebody else's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** When anything in a folder changed last, in milliseconds. A folder that is gone meanwhile has nothing to remove. */
function lastWritten(folder: string): number {
  try {
    return Math.max(
      ...[folder, ...readdirSync(folder).map((name) => join(folder, name))].map(
        (path) => statSync(path).mtimeMs,
      ),
    );
  } catch {
    return Infinity;
  }
}
