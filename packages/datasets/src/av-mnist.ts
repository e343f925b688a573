import { defineDataset } from '@g2d/core';
import { checkAvMnist } from './av-mnist/check.js';
import { openAvMnist } from './av-mnist/open.js';
import { avMnistOptions } from './av-mnist/options.js';

/**
 * AV-MNIST: handwritten digits reduced to a few principal components, and spectrograms of spoken digits.
 *
 * Both inputs are the stored numbers / 255 as float32, channels last: `image` `[H, W, 1]` (zero-mean, about −0.8 to
 * 1.2) and `audio` `[H, W, 1]` in [0, 1]. Sizes come from the files: 28 × 28 and 112 × 112 in the published set. Only
 * the labels are read at once; rows are read from the files when they are asked for.
 *
 * @throws {DatasetNotFoundError} If a file is missing; the message says how to get it.
 * @throws {FileFormatError} If a file is damaged or the files do not belong together; reading a row throws it too if
 * the row holds NaN or infinity.
 * @throws {OptionError} If `validationRows` leaves nothing for the split.
 * @example
 * const test = await avMnist({ root: 'data/avmnist', split: 'test' });
 * test.shapes.image; // [28, 28, 1]
 * @see G2D, Sec. 4.1; Vielzeuf et al., CentralNet (2018); Liang et al., MultiBench (2021)
 */
export const avMnist = defineDataset({
  name: 'av-mnist',
  label: 'AV-MNIST',
  summary: 'digits, written and spoken; 10 classes',
  source: {
    paper: 'Vielzeuf et al., CentralNet, 2018; Liang et al., MultiBench, 2021',
    code: 'pliang279/MultiBench',
  },
  task: 'classification',
  modalities: ['audio', 'image'],
  options: avMnistOptions,
  open: openAvMnist,
  check: ({ root }, onProgress) => checkAvMnist(root, { onProgress }),
  views: { image: { kind: 'picture' }, audio: { kind: 'picture' } },
  benchmark: {
    classes: 10,
    modalities: {
      audio: { shape: [112, 112, 1], encoder: 'resnet18' },
      image: { shape: [28, 28, 1], encoder: 'resnet18' },
    },
    scope: 'conv',
  },
});
