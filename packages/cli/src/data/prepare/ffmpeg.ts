import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { G2DError } from '@g2d/core';
import { withAbsolutePath } from '@g2d/runs/internal';

/** A program that can be used, and how it wants to be told to keep every decoded frame. */
export interface Ffmpeg {
  readonly path: string;
  readonly everyFrame: readonly [option: string, value: string];
}

/** What a run of it gave. */
interface FfmpegRun {
  /** `null`: it was ended, since it took too long. */
  readonly code: number | null;
  readonly log: string;
}

/** No clip of these datasets takes a tenth of it. */
const LONGEST_MS = 300_000;

/**
 * Looks for a program.
 *
 * @param name A path, or a name on the PATH.
 * @throws {G2DError} `G2D_FFMPEG` if there is none, or it is something else.
 */
export async function findFfmpeg(name: string): Promise<Ffmpeg> {
  // Each run has a folder of its own, which a relative path would be looked for in; a mere name is one of the PATH.
  const path = /[\\/]/.test(name) ? resolve(name) : name;
  const run = await runFfmpeg(path, ['-hide_banner', '-h', 'long']).catch((cause: NodeJS.ErrnoException) => {
    throw new G2DError(
      'G2D_FFMPEG',
      `The program ffmpeg, which decodes the videos, cannot be started as "${path}" (${cause.code ?? cause.message}). Install it so that it ` +
        'is on the PATH (https://ffmpeg.org/download.html, or your system’s packages), or give its path with --ffmpeg PATH.',
      { path },
      { cause },
    );
  });
  if (run.code !== 0 || !run.log.includes('-vf')) {
    throw new G2DError(
      'G2D_FFMPEG',
      `"${path}" is not ffmpeg: it has no option -vf. Give its path with --ffmpeg PATH.`,
      {
        path,
      },
    );
  }
  // The name of the option since version 5.1; the old one goes away.
  const everyFrame = run.log.includes('-fps_mode')
    ? (['-fps_mode', 'passthrough'] as const)
    : (['-vsync', '0'] as const);
  return { path, everyFrame };
}

/** Runs it without asking anything, in `cwd`; rejects only if it cannot be started. */
export function runFfmpeg(path: string, args: readonly string[], cwd?: string): Promise<FfmpegRun> {
  return new Promise((done, reject) => {
    const child = spawn(path, args, {
      ...(cwd !== undefined && { cwd }),
      // Not one that lies in the current folder, unless its path is given.
      env: withAbsolutePath(process.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Not the `timeout` of spawn: its timer goes on when the program cannot be started, and keeps this process alive.
    const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.stderr.on('data', (piece: Buffer) => pieces.push(piece));
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      done({ code, log: Buffer.concat(pieces).toString('utf8') });
    });
  });
}
