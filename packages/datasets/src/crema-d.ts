import { defineDataset } from '@g2d/core';
import { join } from 'node:path';
import { checkCremaD } from './crema-d/check.js';
import { openCremaD } from './crema-d/open.js';
import { cremaDOptions } from './crema-d/options.js';
import { cremaDVideos } from './crema-d/videos.js';

/**
 * CREMA-D: actors who say a sentence in one of six emotions, as sound and video.
 *
 * `audio` `[257, 188, 1]`: at 22,050 Hz, repeated to three seconds, ln(|STFT| + 1e-7). `video` `[T, 224, 224, 3]`: the frames that the
 * released code draws of each clip, resized; with `random` a random resized crop and flip of each. Classes are in the released code's
 * order: NEU, HAP, SAD, FEA, DIS, ANG.
 *
 * A clip is left out, and named in `dropped`, if its sound or its frames are missing. The released code repeats a sound three times
 * only, so that one below a second gives a narrower spectrogram; here it is repeated until there are three seconds.
 *
 * @throws {DatasetNotFoundError} If a list is missing or no clip is left; the message says how to get the data.
 * @throws {FileFormatError} If a list cannot be used (it names the line); reading a sample throws it for a damaged file.
 * @throws {OptionError} If an option has a value that is not accepted, or there is no such split.
 * @example
 * const train = await cremaD({ root: 'data/crema-d', split: 'train' });
 * const byActor = await cremaD({ root: 'data/crema-d', split: 'test', splits: { by: 'actor', seed: 1 } });
 * @see G2D, Sec. 4.1; Cao et al., CREMA-D (2014); the lists: Peng et al., OGM-GE (2022)
 */
export const cremaD = defineDataset({
  name: 'crema-d',
  label: 'CREMA-D',
  summary: 'actors who say a sentence in one of six emotions, as sound and video',
  source: {
    paper: 'Cao et al., CREMA-D, 2014; its lists: Peng et al., OGM-GE, 2022',
    code: 'CheyneyComputerScience/CREMA-D',
  },
  task: 'classification',
  modalities: ['audio', 'video'],
  options: cremaDOptions,
  open: openCremaD,
  check: ({ root, frames, framesPerSecond }, onProgress) =>
    checkCremaD(root, { frames, framesPerSecond, onProgress }),
  clips: cremaDVideos,
  soundFile: ({ root }, id) => join(root, 'AudioWAV', `${id}.wav`),
  benchmark: {
    classes: 6,
    modalities: {
      video: { shape: [1, 224, 224, 3], encoder: 'resnet18' },
      audio: { shape: [257, 188, 1], encoder: 'resnet18' },
    },
    scope: 'conv',
  },
});
