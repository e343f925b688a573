import { avMnist } from '../av-mnist.js';
import { cremaD } from '../crema-d.js';
import type { MultimodalDataset } from '@g2d/core';
import { decodedCache } from '../decoded-cache.js';
import { iemocap } from '../iemocap.js';
import { misMe } from '../mis-me.js';
import { missingModalities } from '../missing-modalities.js';
import { urFunny } from '../ur-funny.js';
import { vggSound } from '../vgg-sound.js';

/**
 * What `source: { module: '@g2d/datasets', name }` can name: every dataset of this package is added here. A list apart from the
 * package's index, so that workers start without TensorFlow.js.
 */
export const ownDatasets: Readonly<Record<string, (options: never) => unknown>> = {
  avMnist,
  misMe,
  cremaD,
  vggSound,
  urFunny,
  iemocap,
};

/** Those that wrap another dataset, whose own source is `inner` among the options. */
export const ownWrappers: Readonly<
  Record<string, (dataset: MultimodalDataset<string>, options: never) => MultimodalDataset<string>>
> = { decodedCache, missingModalities };
