import { availableParallelism } from 'node:os';
import { OptionError } from '@g2d/core';
import { createProgress } from '@g2d/runs';
import { defineCommand } from '../command.js';
import { datasetAndFolder, parseWhole, required } from './arguments.js';
import type { ClipList } from './prepare/clip.js';
import { cremaDClips } from './prepare/crema-d-clips.js';
import { findFfmpeg } from './prepare/ffmpeg.js';
import { prepareClips } from './prepare/prepare-clips.js';
import { vggSoundClips } from './prepare/vgg-sound-clips.js';

const clipLists: Readonly<Record<string, (root: string, perSecond: number, videos?: string) => ClipList>> = {
  'crema-d': cremaDClips,
  'vgg-sound': vggSoundClips,
};

/** What `--json` prints. */
export interface PrepareReport {
  readonly dataset: string;
  readonly folder: string;
  readonly prepared: number;
  readonly finishedBefore: number;
  /** Clips that the dataset's table names. */
  readonly withoutVideo: readonly string[];
  readonly broken: readonly { readonly id: string; readonly reason: string }[];
  readonly remarks: readonly { readonly id: string; readonly remark: string }[];
}

/** `g2d data prepare`. */
export const dataPrepare = defineCommand({
  usage: '<dataset> <folder> [options]',
  description: `Makes frames and sound from the original videos, as the loaders need them, with your ffmpeg. A clip that is finished is not made again, and a half-finished one does not count: stop it at any time and call it again.

  crema-d    VideoFlash/*.flv → Image-01-FPS/<clip>/*.jpg, and AudioWAV/<clip>.wav where the dataset's own is not there
  vgg-sound  video/*.mp4 (or the archives' folders) and vggsound.csv → video/frames/<split>/Image-01-FPS/<clip>/*.jpg and
             audio/<split>/<clip>.wav

Frames are the ones that the reference's extraction keeps; sound is 16-bit PCM of 16,000 Hz.`,
  options: {
    videos: { value: 'DIR', help: 'where the videos are (default: as above)' },
    fps: {
      value: 'N',
      default: '1',
      help: 'frames to keep of every second (default: 1, as the reference)',
    },
    jobs: {
      value: 'N',
      default: String(availableParallelism()),
      help: 'clips at the same time (default: one for each processor)',
    },
    ffmpeg: { value: 'PATH', default: 'ffmpeg', help: 'the program (default: ffmpeg on the PATH)' },
    json: {
      help: 'one JSON object: {"dataset", "folder", "prepared", "finishedBefore", "withoutVideo": [id], "broken": [{"id", "reason"}], "remarks": [{"id", "remark"}]}',
    },
  },
  details: `Exit code: 0; 1 if a clip is broken (all of them are listed at the end); 2 for an error, such as no ffmpeg.

Example: g2d data prepare crema-d data/crema-d`,
  async run({ values, positionals }, { out }) {
    const [dataset, root] = datasetAndFolder(positionals);
    const clipsOf = clipListOf(dataset);
    required('<folder>', root, 'the folder of the dataset');
    const perSecond = parseWhole('fps', values.fps, 1);
    const jobs = parseWhole('jobs', values.jobs, 1);
    const { clips, withoutVideo } = clipsOf(root, perSecond, values.videos);
    const ffmpeg = await findFfmpeg(values.ffmpeg);

    let prepared = 0;
    let finishedBefore = 0;
    let done = 0;
    const broken: { id: string; reason: string }[] = [];
    const remarks: { id: string; remark: string }[] = [];
    const progress = createProgress(clips.length);
    try {
      progress.stage(`preparing clips: ${clips.length}`);
      await prepareClips(clips, {
        root,
        ffmpeg,
        perSecond,
        jobs,
        onClip: ({ id }, result) => {
          if (result.state === 'broken') broken.push({ id, reason: result.reason });
          else if (result.state === 'finished before') finishedBefore += 1;
          else prepared += 1;
          if (result.state === 'prepared' && result.remark !== undefined)
            remarks.push({ id, remark: result.remark });
          progress.advance(1);
          done += 1;
          // Without a terminal a stage is a line: ten of them.
          if (done % Math.ceil(clips.length / 10) === 0)
            progress.stage(`preparing clips: ${done} of ${clips.length}`);
        },
      });
    } finally {
      progress.stop();
    }
    const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);
    const report: PrepareReport = {
      dataset: dataset as string,
      folder: root,
      prepared,
      finishedBefore,
      withoutVideo,
      broken: broken.sort(byId),
      remarks: remarks.sort(byId),
    };
    out(values.json ? `${JSON.stringify(report)}\n` : formatPrepare(report));
    return broken.length > 0 ? 1 : 0;
  },
});

function clipListOf(dataset: string | undefined): (typeof clipLists)[string] {
  if (dataset !== undefined && Object.hasOwn(clipLists, dataset)) {
    return clipLists[dataset] as (typeof clipLists)[string];
  }
  const accepted = Object.keys(clipLists).join(', ');
  throw new OptionError(
    dataset === undefined
      ? `No dataset is named. It can be ${accepted}.`
      : `"${dataset}" is not made from videos here; the dataset can be ${accepted}.`,
    { option: 'dataset', value: dataset, accepted },
  );
}

function formatPrepare({ prepared, finishedBefore, withoutVideo, broken, remarks }: PrepareReport): string {
  const counts = [
    `${prepared} prepared`,
    `${finishedBefore} finished before`,
    ...(withoutVideo.length > 0 ? [`${withoutVideo.length} without a video`] : []),
    `${broken.length} broken`,
  ];
  return [
    `${counts.join(', ')}\n`,
    ...(remarks.length > 0 ? ['\nRemarks:\n'] : []),
    ...remarks.map(({ id, remark }) => `  ${id}: ${remark}\n`),
    ...(broken.length > 0 ? ['\nBroken:\n'] : []),
    ...broken.map(({ id, reason }) => `  ${id}: ${reason}\n`),
  ].join('');
}
