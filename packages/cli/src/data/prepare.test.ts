import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openNpy, readImage, readWav } from '@g2d/formats/node';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../main.js';
import type { PrepareReport } from './prepare.js';
import { runFfmpeg } from './prepare/ffmpeg.js';

// Made with the released extraction; test/fixtures/datasets/frames/NOTICE.txt says what the videos are.
const fixtures = fileURLToPath(new URL('../../../../test/fixtures/datasets/frames', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'g2d-prepare-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Video {
  readonly file: string;
  readonly per_second: Readonly<Record<string, readonly string[]>>;
  readonly block_means: { readonly file: string };
  readonly frames_at_1: readonly { readonly name: string; readonly rgb_mean: readonly number[] }[];
}
const { videos } = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as {
  readonly videos: readonly Video[];
};

const { cases } = JSON.parse(readFileSync(join(fixtures, 'broken.json'), 'utf8')) as {
  readonly cases: readonly {
    readonly id: string;
    readonly ops: readonly {
      readonly op: string;
      readonly path: string;
      readonly from?: string;
      readonly bytes?: number;
    }[];
    readonly environment?: { readonly PATH: string };
    readonly arguments?: { readonly per_second: number };
    readonly mentions?: readonly string[];
  }[];
};

let roots = 0;
/** A folder of CREMA-D with these videos: name → file, or content. */
function cremaD(content: Readonly<Record<string, string | Buffer>>): string {
  const root = join(folder, `root-${roots++}`);
  mkdirSync(join(root, 'VideoFlash'), { recursive: true });
  for (const [name, from] of Object.entries(content)) {
    const target = join(root, 'VideoFlash', name);
    if (typeof from === 'string') cpSync(join(fixtures, from), target);
    else writeFileSync(target, from);
  }
  return root;
}

async function prepare(...args: string[]) {
  let [stdout, stderr] = ['', ''];
  const code = await main(['data', 'prepare', ...args], {
    out: (text) => (stdout += text),
    err: (text) => (stderr += text),
  });
  return { code, stdout, stderr };
}

const report = async (...args: string[]): Promise<PrepareReport> =>
  JSON.parse((await prepare(...args, '--json')).stdout) as PrepareReport;

/**
 * Stands for ffmpeg: two frames and a sound for every video, or what the video's text says. Its log has the lines that are read.
 */
const FAKE = `#!${process.execPath}
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
if (args.includes('-h')) { console.log('-vf -vsync'); process.exit(0); }
const video = args[args.indexOf('-i') + 1].replace('file:', '');
appendFileSync(__filename + '.log', JSON.stringify(args) + '\\n');
const text = readFileSync(video, 'utf8');
if (text === 'bad') { console.error('file:' + video + ': Invalid data found when processing input'); process.exit(1); }
if (text === 'mute' && args.includes('0:a:0')) { console.error("Stream map '0:a:0' matches no streams."); process.exit(1); }
console.error('  Duration: 00:00:02.00, start: 0.000000');
console.error('[Parsed_showinfo_0 @ 0x1] config in time_base: 1/1000, frame_rate: ' + (text === 'rateless' ? '0/0' : '30000/1001'));
const frames = text === 'none' ? 0 : 58;
for (let n = 0; n < frames; n++) console.error('[Parsed_showinfo_0 @ 0x1] n:' + String(n).padStart(4) + ' pts:      0 pts_time:0');
if (text === 'half') { writeFileSync('frame-000001.jpg', 'half'); process.kill(process.pid, 'SIGKILL'); }
for (let n = 1; n <= (frames ? 2 : 0); n++) writeFileSync('frame-00000' + n + '.jpg', video + n);
if (args.includes('0:a:0')) writeFileSync('sound.wav', 'RIFF');
`;
function fakeFfmpeg(): string {
  const path = join(folder, `ffmpeg-${roots++}`);
  writeFileSync(path, FAKE);
  chmodSync(path, 0o755);
  return path;
}
const calls = (path: string): string[][] =>
  existsSync(`${path}.log`)
    ? readFileSync(`${path}.log`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as string[])
    : [];
const hidden = (root: string): string[] => readdirSync(root).filter((name) => name.startsWith('.'));

describe('g2d data prepare', () => {
  it('makes each clip once, by one process, and leaves nothing half-finished', async () => {
    const root = cremaD({
      'a_good.flv': Buffer.from('good'),
      'b_half.flv': Buffer.from('half'),
      'c.mp4': Buffer.from('x'),
    });
    const ffmpeg = fakeFfmpeg();
    // What a killed run of this machine left behind; no process has this number.
    mkdirSync(join(root, `.g2d-prepare-${hostname()}-99999999/clip-x`), { recursive: true });
    mkdirSync(join(root, '.g2d-prepare-elsewhere-1'));
    const first = await prepare('crema-d', root, '--ffmpeg', ffmpeg, '--jobs', '2');
    expect(first.code).toBe(1);
    expect(first.stdout).toBe(
      '2 prepared, 0 finished before, 1 broken\n\nBroken:\n  b_half: b_half.flv: ffmpeg was ended before it had finished, from outside or for taking too long\n',
    );
    expect(readdirSync(join(root, 'Image-01-FPS'))).toEqual(['a_good', 'c']);
    expect(readdirSync(join(root, 'Image-01-FPS/a_good'))).toEqual(['00000.jpg', '00029.jpg']);
    expect(readdirSync(join(root, 'AudioWAV'))).toEqual(['a_good.wav', 'c.wav']);
    expect(hidden(root)).toEqual(['.g2d-prepare-elsewhere-1']);
    expect(calls(ffmpeg)).toHaveLength(3);

    // Only what is not there yet; the recording alone may be missing, or the frames alone.
    writeFileSync(join(root, 'VideoFlash/b_half.flv'), 'now good');
    rmSync(join(root, 'AudioWAV/a_good.wav'));
    rmSync(join(root, 'Image-01-FPS/c'), { recursive: true });
    mkdirSync(join(root, 'Image-01-FPS/c'));
    expect(await report('crema-d', root, '--ffmpeg', ffmpeg)).toEqual({
      dataset: 'crema-d',
      folder: root,
      prepared: 3,
      finishedBefore: 0,
      withoutVideo: [],
      broken: [],
      warnings: [],
    });
    expect(
      calls(ffmpeg)
        .slice(3)
        .filter((args) => !args.includes('0:a:0')),
    ).toHaveLength(1);
    expect(readdirSync(join(root, 'Image-01-FPS/c'))).toEqual(['00000.jpg', '00029.jpg']);
    expect(await prepare('crema-d', root, '--ffmpeg', ffmpeg)).toMatchObject({
      code: 0,
      stdout: '0 prepared, 3 finished before, 0 broken\n',
    });
    expect(calls(ffmpeg)).toHaveLength(6);
  });

  it('lists every broken clip at the end, with its reason', async () => {
    const root = cremaD({
      'bad.flv': Buffer.from('bad'),
      'empty.flv': 'broken_files/empty.flv',
      'lfs.flv': 'broken_files/lfs.flv',
      'mute.flv': Buffer.from('mute'),
      'none.flv': Buffer.from('none'),
      'rateless.flv': Buffer.from('rateless'),
    });
    const { broken } = await report('crema-d', root, '--ffmpeg', fakeFfmpeg());
    expect(broken).toEqual([
      { id: 'bad', reason: 'bad.flv: ffmpeg cannot read it (Invalid data found when processing input)' },
      { id: 'empty', reason: 'empty.flv: the file is empty' },
      { id: 'lfs', reason: 'lfs.flv: a Git LFS pointer, not the video: run git lfs pull in the clone' },
      { id: 'mute', reason: 'mute.flv: no sound track' },
      { id: 'none', reason: 'none.flv: no frame could be decoded' },
      {
        id: 'rateless',
        reason: 'rateless.flv: the video states 0 frames a second, of which 1 cannot be kept',
      },
    ]);
    expect(readdirSync(root)).toEqual(['VideoFlash']);
  });

  it('finds the program by a path from here, though each run has a folder of its own', async () => {
    const root = cremaD({ 'a.flv': Buffer.from('x') });
    const ffmpeg = relative(process.cwd(), fakeFfmpeg());
    expect(await prepare('crema-d', root, '--ffmpeg', ffmpeg)).toMatchObject({
      code: 0,
      stdout: '1 prepared, 0 finished before, 0 broken\n',
    });
  });

  it('leaves no timer behind that keeps the process alive, whether the program runs or not', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await expect(runFfmpeg(join(folder, 'nowhere'), [])).rejects.toThrow('ENOENT');
    expect(timers()).toBeLessThanOrEqual(before);
    expect((await runFfmpeg(process.execPath, ['--version'])).code).toBe(0);
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('leaves other files in a frame folder alone', async () => {
    const root = cremaD({ 'a.flv': Buffer.from('x') });
    mkdirSync(join(root, 'Image-01-FPS/a'), { recursive: true });
    writeFileSync(join(root, 'Image-01-FPS/a/00000.png'), 'somebody’s');
    const { broken } = await report('crema-d', root, '--ffmpeg', fakeFfmpeg());
    expect(broken[0]?.reason).toMatch(/a\.flv: the frames cannot be put in place: .*not empty/);
    expect(readdirSync(join(root, 'Image-01-FPS/a'))).toEqual(['00000.png']);
  });

  it('takes VGGSound’s clips from its table, into the folders of its splits', async () => {
    const root = join(folder, `root-${roots++}`);
    mkdirSync(join(root, 'video'), { recursive: true });
    writeFileSync(
      join(root, 'vggsound.csv'),
      'youtube_id,time,label,split\n-0abc,30,"playing bongo, drumming",train\nnovideo,1,x,train\nxyz,7,x,test\nold,7,x,val\n',
    );
    for (const name of ['-0abc_000030', 'xyz_000007', 'old_000007', 'unlisted_000001']) {
      writeFileSync(join(root, 'video', `${name}.mp4`), 'x');
    }
    expect(await report('vgg-sound', root, '--ffmpeg', fakeFfmpeg())).toMatchObject({
      prepared: 2,
      withoutVideo: ['novideo_000001'],
      broken: [],
    });
    expect(readdirSync(join(root, 'video/frames/train/Image-01-FPS/-0abc_000030'))).toHaveLength(2);
    expect(existsSync(join(root, 'audio/test/xyz_000007.wav'))).toBe(true);
    expect(existsSync(join(root, 'audio/val'))).toBe(false);
  });

  it.each<[problem: string, args: string[], message: RegExp]>([
    ['no dataset', [], /No dataset is named\. It can be crema-d, vgg-sound/],
    ['a dataset without videos', ['av-mnist', folder], /"av-mnist" is not made from videos here/],
    ['no folder', ['crema-d'], /<folder> is missing/],
    ['no videos', ['crema-d', folder], /CREMA-D is not complete .*VideoFlash\/\*\.flv.*--videos DIR/],
    ['no table', ['vgg-sound', folder], /VGGSound is not complete .*vggsound\.csv, .*\*\.mp4/],
    [
      'no frames a second',
      ['crema-d', folder, '--fps', '0'],
      /--fps is "0"; it must be a whole number of at least 1/,
    ],
    ['no ffmpeg', ['--ffmpeg', join(folder, 'nowhere')], /ffmpeg.*ENOENT.*Install it .* --ffmpeg PATH/],
    ['another program', ['--ffmpeg', process.execPath], /is not ffmpeg/],
  ])('exits with 2 and one sentence for %s', async (_, args, message) => {
    const root = cremaD({ 'a.flv': Buffer.from('x') });
    const { code, stdout, stderr } = await prepare(
      ...(args[0]?.startsWith('--') ? ['crema-d', root] : []),
      ...args,
    );
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(readdirSync(root)).toEqual(['VideoFlash']);
  });
});

/** The development dependency has a binary for Linux; elsewhere one on the PATH will do. */
function realFfmpeg(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    const path = require.resolve('@ffmpeg-installer/linux-x64/ffmpeg');
    // Without install scripts it may not be executable.
    if ((statSync(path).mode & 0o111) === 0) chmodSync(path, 0o755);
    return path;
  } catch {
    try {
      execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
      return 'ffmpeg';
    } catch {
      return undefined;
    }
  }
}
const ffmpeg = realFfmpeg();

/** Means of 12 × 12 pixels, `[rows, columns, 3]`. */
async function blockMeans(path: string): Promise<number[]> {
  const { width, height, pixels } = await readImage(path);
  const [rows, columns] = [Math.floor(height / 12), Math.floor(width / 12)];
  const means = Array.from({ length: rows * columns * 3 }, () => 0);
  for (let y = 0; y < rows * 12; y++) {
    for (let x = 0; x < columns * 12; x++) {
      for (let c = 0; c < 3; c++) {
        const block = (Math.floor(y / 12) * columns + Math.floor(x / 12)) * 3 + c;
        means[block] = (means[block] as number) + (pixels[(y * width + x) * 3 + c] as number) / 144;
      }
    }
  }
  return means;
}

describe.skipIf(ffmpeg === undefined)('g2d data prepare with a real ffmpeg', () => {
  const program = ffmpeg as string;

  it.each(videos.map((video) => [video.file, video] as const))(
    'makes the reference’s frames of %s',
    async (file, video) => {
      const name = file.replace('video/', '');
      const stem = name.replace(/\.\w+$/, '');
      const root = cremaD({ [name]: file });
      // The re-encoded one has no sound track; the dataset's own recording is there then.
      if (name.endsWith('.mp4')) {
        mkdirSync(join(root, 'AudioWAV'));
        writeFileSync(join(root, 'AudioWAV', `${stem}.wav`), 'as it was');
      }
      for (const [perSecond, names] of Object.entries(video.per_second)) {
        expect(await report('crema-d', root, '--ffmpeg', program, '--fps', perSecond)).toMatchObject({
          prepared: 1,
          broken: [],
          warnings: [],
        });
        expect(readdirSync(join(root, `Image-0${perSecond}-FPS`, stem)).sort()).toEqual(names);
      }
      const frames = join(root, 'Image-01-FPS', stem);
      const means = await Promise.all(
        readdirSync(frames)
          .sort()
          .map((frame) => blockMeans(join(frames, frame))),
      );
      const golden = openNpy(join(fixtures, video.block_means.file));
      const expected = golden.all();
      golden.close();
      const deviations = means
        .flat()
        .map((mean, i) => Math.abs(mean - (expected[i] as number)))
        .sort((a, b) => a - b);
      expect(deviations).toHaveLength(expected.length);
      // Measured: 0.40, 1.8, 13 for the FLV clip.
      expect(deviations.reduce((sum, deviation) => sum + deviation, 0) / deviations.length).toBeLessThan(0.5);
      expect(deviations[Math.floor(0.99 * deviations.length)]).toBeLessThan(4);
      expect(deviations.at(-1)).toBeLessThan(25);
      for (const { name: frame, rgb_mean } of video.frames_at_1) {
        const { pixels } = await readImage(join(frames, frame));
        rgb_mean.forEach((expectedMean, c) => {
          const sum = pixels.reduce((total, value, i) => (i % 3 === c ? total + value : total), 0);
          // Measured: 0.094 at most.
          expect(Math.abs(sum / (pixels.length / 3) - expectedMean)).toBeLessThan(0.5);
        });
      }
      const wav = join(root, 'AudioWAV', `${stem}.wav`);
      const sound = (): unknown => {
        const { sampleRate, channels } = readWav(wav);
        return [sampleRate, channels.length, (channels[0] as Float32Array).length / 16_000];
      };
      const own = name.endsWith('.mp4');
      const made = [16_000, 1, expect.closeTo(2.27, 1)];
      expect(own ? readFileSync(wav, 'utf8') : sound()).toEqual(own ? 'as it was' : made);
    },
  );

  it.each(cases.map((broken) => [broken.id, broken] as const))('copes with %s', async (_, broken) => {
    const root = cremaD({ '1001_DFA_ANG_XX.flv': 'video/1001_DFA_ANG_XX.flv' });
    for (const { op, path, from = '', bytes = 0 } of broken.ops) {
      const target = join(root, 'VideoFlash', path);
      if (op === 'truncate') truncateSync(target, bytes);
      else if (op === 'copy') cpSync(join(fixtures, from), target);
      else throw new Error(`unknown operation ${op}`);
    }
    const perSecond = String(broken.arguments?.per_second ?? 1);
    const path = process.env['PATH'];
    if (broken.environment) process.env['PATH'] = broken.environment.PATH;
    const { code, stdout, stderr } = await prepare(
      'crema-d',
      root,
      '--fps',
      perSecond,
      ...(broken.environment ? [] : ['--ffmpeg', program]),
    ).finally(() => (process.env['PATH'] = path));
    for (const mention of broken.mentions ?? []) {
      expect(`${stdout}${stderr}`.toLowerCase()).toContain(mention.toLowerCase());
    }
    // As many frames as OpenCV decodes.
    const early = broken.id === 'flv-truncated';
    expect(code).toBe(early ? 0 : broken.environment ? 2 : 1);
    expect(stdout.includes('1001_DFA_ANG_XX: the video ends early: 23 of about 67 frames')).toBe(early);
    expect(stdout.includes('Broken:\n  1001_DFA_ANG_XX: ')).toBe(!early && !broken.environment);
    const made = readdirSync(early ? join(root, 'Image-01-FPS/1001_DFA_ANG_XX') : root);
    expect(made).toEqual([early ? '00000.jpg' : 'VideoFlash']);
  });

  it('refuses what is no video, has no sound, or has fewer frames a second', async () => {
    const root = cremaD({ 'text.flv': 'broken_files/text.flv', 'silent.mp4': 'video/made_25fps.mp4' });
    const { broken } = await report('crema-d', root, '--ffmpeg', program, '--fps', '30');
    expect(broken.map(({ id }) => id)).toEqual(['silent', 'text']);
    expect(broken[0]?.reason).toBe('silent.mp4: no sound track');
    expect(broken[1]?.reason).toMatch(/text\.flv: ffmpeg cannot read it \(Invalid data/);
    mkdirSync(join(root, 'AudioWAV'));
    writeFileSync(join(root, 'AudioWAV/silent.wav'), '');
    const { broken: again } = await report('crema-d', root, '--ffmpeg', program, '--fps', '30');
    expect(again[0]?.reason).toMatch(/states 25 frames a second, of which 30 cannot be kept/);
    expect(readdirSync(root).sort()).toEqual(['AudioWAV', 'VideoFlash']);
  });
});
