import { join } from 'node:path';
import { defineDataset } from '@g2d/core';
import { z } from 'zod';
import { openAvMnist } from './av-mnist/open.js';
import { buildSmallAvMnist } from './small-av-mnist/build.js';

/**
 * The small AV-MNIST, built from free recordings and pictures the first time it is opened: see `buildSmallAvMnist`.
 *
 * `audio` `[56, 56, 1]`, `image` `[28, 28, 1]`.
 *
 * @throws {DatasetNotFoundError} If a source file is missing.
 * @throws {OptionError} If an option has a value that is not accepted, or the folder of the set holds something else.
 * @example
 * const train = await smallAvMnist({ root: 'data', split: 'train' });
 */
export const smallAvMnist = defineDataset({
  name: 'small-av-mnist',
  label: 'Small AV-MNIST',
  summary: 'a small real AV-MNIST of free data, built in seconds: 1,000 / 1,000 / 2,000 pairs; 10 classes',
  task: 'classification',
  modalities: ['audio', 'image'],
  options: z.strictObject({
    root: z
      .string()
      .describe(
        'the folder with the recordings and images: `data` in the repository; the set is built beside them',
      ),
    draw: z
      .enum(['main', 'second'])
      .default('main')
      .describe("which pictures: 'second' takes others, to confirm a result on data it was not found on"),
  }),
  async open({ root, draw, split }) {
    const out = join(root, 'built', `av-mnist-small-${draw}`);
    return openAvMnist({
      ...(await buildSmallAvMnist({ sources: root, out, draw })),
      official: false,
      split,
    });
  },
  views: { image: { kind: 'picture' } },
});
