import { join } from 'node:path';
import { defineDataset } from '@g2d/core';
import { z } from 'zod';
import { openAvMnist } from './av-mnist/open.js';
import { buildSmallAvMnist } from './small-av-mnist/build.js';
import { DEGRADATION, LEAST_DEGRADED, MOST_DEGRADED } from './small-av-mnist/degradation.js';

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
    imageComponents: z
      .int()
      .min(MOST_DEGRADED.imageComponents)
      .max(LEAST_DEGRADED.imageComponents)
      .optional()
      .describe(
        `how many principal components of a picture are kept: fewer leave less to see (default ${DEGRADATION.imageComponents})`,
      ),
    signalToNoise: z
      .number()
      .min(MOST_DEGRADED.signalToNoise)
      .max(LEAST_DEGRADED.signalToNoise)
      .optional()
      .describe(
        `decibels of the spoken digits over the noise: lower is louder noise (default ${DEGRADATION.signalToNoise})`,
      ),
  }),
  // Without a default in the settings: runs of before they could be said are known by the same settings.
  async open({
    root,
    draw,
    split,
    imageComponents = DEGRADATION.imageComponents,
    signalToNoise = DEGRADATION.signalToNoise,
  }) {
    const named = [
      `av-mnist-small-${draw}`,
      ...(imageComponents === DEGRADATION.imageComponents ? [] : [`${imageComponents}-components`]),
      ...(signalToNoise === DEGRADATION.signalToNoise ? [] : [`${signalToNoise}-dB`]),
    ];
    const out = join(root, 'built', named.join('-'));
    return openAvMnist({
      ...(await buildSmallAvMnist({ sources: root, out, draw, imageComponents, signalToNoise })),
      official: false,
      split,
    });
  },
  views: { image: { kind: 'picture' } },
});
