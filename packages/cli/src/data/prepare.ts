import { availableParallelism } from 'node:os';
import { OptionError, type AnyDataset } from '@g2d/core';
import { datasets } from '@g2d/datasets';
import { createProgress } from '@g2d/runs';
import { defineCommand, type Output } from '../command.js';
import { datasetAndFolder, parseWhole, required } from './arguments.js';
import { datasetOptions, findDataset } from './datasets.js';
import { findFfmpeg } from './prepare/ffmpeg.js';
import { prepareClips } from './prepare/prepare-clips.js';

/** What `--json` prints. */
export interface PrepareReport {
  readonly dataset: string;
  readonly folder: string;
  readonly prepared: number;
  readonly finishedBefore: number;
  /** Clips that the dataset's table names. */
  readonly withoutVideo: readonly string[];
  readonly broken: readonly { readonly id: string; readonly reason: string }[];
  readonly warnings: readonly { readonly id: string; readonly warning: string }[];
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
      help: 'one JSON object: {"dataset", "folder", "prepared", "finishedBefore", "withoutVideo": [id], "broken": [{"id", "reason"}], "warnings": [{"id", "warning"}]}',
    },
  },
  details: `Exit code: 0; 1 if a clip is broken (all of them are listed at the end); 2 for an error, such as no ffmpeg.

Example: g2d data prepare crema-d data/crema-d`,
  async run({ values, positionals }, { out, err }) {
    const [dataset, root] = datasetAndFolder(positionals);
    const definition = await clipDataset(dataset, { err });
    required('<folder>', root, 'the folder of the dataset');
    const perSecond = parseWhole('fps', values.fps, 1);
    const jobs = parseWhole('jobs', values.jobs, 1);
    const { clips, withoutVideo } = definition.clips(
      datasetOptions(definition, { root, official: false, settings: {} }),
      { framesPerSecond: perSecond, ...(values.videos !== undefined && { videos: values.videos }) },
    );
    const ffmpeg = await findFfmpeg(values.ffmpeg);

    let prepared = 0;
    let finishedBefore = 0;
    let done = 0;
    const broken: { id: string; reason: string }[] = [];
    const warnings: { id: string; warning: string }[] = [];
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
          if (result.state === 'prepared' && result.warning !== undefined)
            warnings.push({ id, warning: result.warning });
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
      warnings: warnings.sort(byId),
    };
    out(values.json ? `${JSON.stringify(report)}\n` : formatPrepare(report));
    return broken.length > 0 ? 1 : 0;
  },
});

/** @throws {OptionError} If there is no such dataset, or it is not made from videos. */
async function clipDataset(
  name: string | undefined,
  output: Pick<Output, 'err'>,
): Promise<AnyDataset & { readonly clips: NonNullable<AnyDataset['clips']> }> {
  const fromVideos = datasets.filter(({ clips }) => clips).map((each) => each.name);
  const accepted = fromVideos.join(', ');
  const details = { option: 'dataset', value: name, accepted };
  if (name === undefined) throw new OptionError(`No dataset is named. It can be ${accepted}.`, details);
  const definition = await findDataset(name, output);
  const { clips } = definition;
  // Not a copy: a definition is a function.
  if (clips) return definition as typeof definition & { readonly clips: typeof clips };
  throw new OptionError(`"${name}" is not made from videos here; the dataset can be ${accepted}.`, details);
}

function formatPrepare({ prepared, finishedBefore, withoutVideo, broken, warnings }: PrepareReport): string {
  const counts = [
    `${prepared} prepared`,
    `${finishedBefore} finished before`,
    ...(withoutVideo.length > 0 ? [`${withoutVideo.length} without a video`] : []),
    `${broken.length} broken`,
  ];
  return [
    `${counts.join(', ')}\n`,
    ...(warnings.length > 0 ? ['\nWarnings:\n'] : []),
    ...warnings.map(({ id, warning }) => `  ${id}: ${warning}\n`),
    ...(broken.length > 0 ? ['\nBroken:\n'] : []),
    ...broken.map(({ id, reason }) => `  ${id}: ${reason}\n`),
  ].join('');
}
