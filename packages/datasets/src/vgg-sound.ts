import { defineDataset } from '@g2d/core';
import { join } from 'node:path';
import { checkVggSound } from './vgg-sound/check.js';
import { openVggSound } from './vgg-sound/open.js';
import { vggSoundOptions } from './vgg-sound/options.js';
import { vggSoundVideos } from './vgg-sound/videos.js';

/**
 * VGGSound: ten-second clips of videos, by what is heard in them; 309 classes.
 *
 * `audio` `[129, 626, 1]`: at 16,000 Hz, repeated if it is shorter than ten seconds, five seconds of it from a start that is drawn from
 * 0 to 80,000, ln(|STFT| + 1e-7). The start comes from `random`, or from the seed and the sample's id; the released code draws it anew each
 * time, for tests too. `video` `[T, 224, 224, 3]`: the frames that the released code draws of each clip, in the order drawn, resized; with
 * `random` a random resized crop and flip of each.
 *
 * A clip is left out, and named in `dropped`, if its sound is missing or empty, or there are too few frames.
 *
 * @throws {DatasetNotFoundError} If the table is missing, no clip is left, or a class of the test split has no training clip; the
 * message says how to get the data.
 * @throws {FileFormatError} If the table cannot be used (it names the line); reading a sample throws it for a damaged file.
 * @throws {OptionError} If an option has a value that is not accepted, or there is no such split.
 * @example
 * const train = await vggSound({ root: 'data/vggsound', split: 'train' });
 * train.classNames.length; // 309
 * @see G2D, Sec. 4.1; Chen et al., VGGSound (2020)
 */
export const vggSound = defineDataset({
  name: 'vgg-sound',
  label: 'VGGSound',
  summary: 'ten-second clips of videos, by what is heard in them; 309 classes',
  source: { paper: 'Chen et al., VGGSound, 2020', code: 'hche11/VGGSound' },
  task: 'classification',
  modalities: ['audio', 'video'],
  options: vggSoundOptions,
  open: openVggSound,
  check: ({ root, csv, frames, framesPerSecond }, onProgress) =>
    checkVggSound(root, { csv, frames, framesPerSecond, onProgress }),
  clips: vggSoundVideos,
  soundFile: ({ root, split }, id) => join(root, 'audio', split === 'test' ? 'test' : 'train', `${id}.wav`),
  benchmark: {
    classes: 309,
    modalities: {
      video: { shape: [3, 224, 224, 3], encoder: 'resnet18' },
      audio: { shape: [129, 626, 1], encoder: 'resnet18' },
    },
    scope: 'conv',
  },
});
