import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { frameFileName, frameNumbers } from '@g2d/datasets';
import { isThere, makeFolder } from '@g2d/formats/node';
import type { Clip } from '@g2d/core';
import { runFfmpeg, type Ffmpeg } from './ffmpeg.js';

/** What became of a clip. */
export type ClipResult =
  | { readonly state: 'finished before' }
  /** `warning`: it is used, but something was odd. */
  | { readonly state: 'prepared'; readonly warning?: string }
  | { readonly state: 'broken'; readonly reason: string };

interface PrepareOptions {
  readonly ffmpeg: Ffmpeg;
  /** Frames to keep of every second. */
  readonly perSecond: number;
  /** Where half-finished work lies, on the same disk as the results. */
  readonly workFolder: string;
}

const SAMPLE_RATE = 16_000;
const FRAME = /^frame-\d+\.jpg$/;
const SOUND = 'sound.wav';

/** True if nothing is left to do for a clip. */
const isFinished = ({ frames, sound }: Clip): boolean => hasFrames(frames) && isThere(sound);

const hasFrames = (folder: string): boolean =>
  isThere(folder) && readdirSync(folder).some((name) => name.endsWith('.jpg'));

/**
 * Makes the frames and, if it is not there, the sound of one clip with one run of ffmpeg.
 *
 * Frames are those of the released code's extraction, named by their number; sound is 16-bit PCM of 16,000 Hz with the video's
 * channels. Results appear at once, by a rename, so that a half-written one is never seen; a broken clip leaves nothing.
 */
export async function prepareClip(
  clip: Clip,
  { ffmpeg, perSecond, workFolder }: PrepareOptions,
): Promise<ClipResult> {
  if (isFinished(clip)) return { state: 'finished before' };
  const broken = (reason: string): ClipResult => ({
    state: 'broken',
    reason: `${basename(clip.video)}: ${reason}`,
  });
  const unusable = await reasonAgainst(clip.video).catch((error: Error) => error.message);
  if (unusable !== undefined) return broken(unusable);
  const needsSound = !isThere(clip.sound);
  const folder = mkdtempSync(join(workFolder, 'clip-'));
  try {
    const { code, log } = await runFfmpeg(
      ffmpeg.path,
      [
        '-hide_banner',
        '-nostdin',
        '-nostats',
        '-loglevel',
        'info',
        '-threads',
        '1',
        // Names with a colon or a leading dash are file names too.
        '-i',
        `file:${clip.video}`,
        '-map',
        '0:v:0',
        ...ffmpeg.everyFrame,
        '-vf',
        frameFilter(perSecond),
        '-qmin',
        '1',
        '-q:v',
        '1',
        'frame-%06d.jpg',
        ...(needsSound ? ['-map', '0:a:0', '-c:a', 'pcm_s16le', '-ar', String(SAMPLE_RATE), SOUND] : []),
      ],
      folder,
    );
    if (code !== 0) return broken(failure(code, log));
    const numbers = numbersOf(log, perSecond);
    if (typeof numbers === 'string') return broken(numbers);
    const frames = readdirSync(folder).filter((name) => FRAME.test(name));
    if (frames.length !== numbers.length) {
      return broken(`ffmpeg wrote ${frames.length} frames instead of ${numbers.length}`);
    }
    if (needsSound && !isThere(join(folder, SOUND))) return broken('no sound');

    if (needsSound) move(join(folder, SOUND), clip.sound);
    if (!hasFrames(clip.frames)) {
      const named = join(folder, 'named');
      mkdirSync(named);
      frames.sort().forEach((name, i) => {
        renameSync(join(folder, name), join(named, frameFileName(numbers[i] as number)));
      });
      try {
        move(named, clip.frames);
      } catch (error) {
        // Another program may have been faster, which is as good.
        if (!hasFrames(clip.frames))
          return broken(`the frames cannot be put in place: ${(error as Error).message}`);
      }
    }
    const warning = endedEarly(log);
    return { state: 'prepared', ...(warning !== undefined && { warning }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function move(from: string, to: string): void {
  makeFolder(dirname(to));
  renameSync(from, to);
}

/** What can be seen without decoding. */
async function reasonAgainst(video: string): Promise<string | undefined> {
  const file = await open(video);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64), 0, 64, 0);
    if (bytesRead === 0) return 'the file is empty';
    if (buffer.toString('latin1').startsWith('version https://git-lfs')) {
      return 'a Git LFS pointer, not the video: run git lfs pull in the clone';
    }
    return undefined;
  } finally {
    await file.close();
  }
}

/**
 * Keeps the frames that `frameNumbers` names. Only ffmpeg knows the rate before it decodes, so the rule is written out for it here, and
 * `numbersOf` holds the result against `frameNumbers`.
 *
 * `showinfo` tells the rate and every decoded frame. The first `setpts` puts the verdict into the time stamp's last bit, since
 * `select` does not know the rate. The detour over RGB makes the colours right: straight to a JPEG's full range they come out
 * 1.2 levels too bright on average.
 */
function frameFilter(perSecond: number): string {
  const rate = 'trunc(FR)';
  const step = `trunc(${rate}/${perSecond})`;
  const second = `mod(N,${rate})`;
  return [
    'showinfo',
    `setpts='2*N+not(mod(${second},${step}))*lt(${second},${step}*${perSecond})'`,
    "select='mod(pts,2)'",
    "setpts='N/(FR*TB)'",
    'format=rgb24',
    'scale=out_range=pc:flags=accurate_rnd+full_chroma_inp+full_chroma_int',
    'format=yuvj420p',
  ].join(',');
}

/** Which frames were kept, or what is wrong. */
function numbersOf(log: string, perSecond: number): readonly number[] | string {
  const rate = rateOf(log);
  const decoded = decodedFrames(log);
  if (decoded === 0) return 'no frame could be decoded';
  if (rate < perSecond) {
    return `the video states ${rate} frames a second, of which ${perSecond} cannot be kept`;
  }
  return frameNumbers(rate, decoded, perSecond);
}

function rateOf(log: string): number {
  const [, frames, seconds] = /config in time_base:.*frame_rate: *(\d+)\/(\d+)/.exec(log) ?? [];
  return Number(frames ?? 0) / (Number(seconds ?? 1) || 1);
}

function decodedFrames(log: string): number {
  return (log.match(/\] n: *\d+ pts:/g) ?? []).length;
}

/** The container promises so many seconds; a tenth may be missing, since sound can be longer than the picture. */
function endedEarly(log: string): string | undefined {
  const [, hours, minutes, seconds] = /Duration: (\d+):(\d+):([\d.]+)/.exec(log) ?? [];
  if (hours === undefined) return undefined;
  const promised = Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * rateOf(log));
  const decoded = decodedFrames(log);
  return decoded < 0.9 * promised
    ? `the video ends early: ${decoded} of about ${promised} frames`
    : undefined;
}

function failure(code: number | null, log: string): string {
  if (code === null) return 'ffmpeg was ended before it had finished, from outside or for taking too long';
  const [, stream] = /Stream map '0:([av]):0' matches no streams/.exec(log) ?? [];
  if (stream !== undefined) return stream === 'a' ? 'no sound track' : 'no video track';
  const lines = log.split('\n').filter((line) => line.trim() !== '' && !line.includes('showinfo'));
  const last = (lines.at(-1) ?? '').replace(/^.*file:.*?\.\w+: /, '');
  return `ffmpeg cannot read it (${last.slice(0, 200)})`;
}
