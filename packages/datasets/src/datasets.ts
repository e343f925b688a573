import type { AnyDataset } from '@g2d/core';
import { avMnist } from './av-mnist.js';
import { cremaD } from './crema-d.js';
import { iemocap } from './iemocap.js';
import { misMe } from './mis-me.js';
import { multipleFeatures } from './multiple-features.js';
import { smallAvMnist } from './small-av-mnist.js';
import { urFunny } from './ur-funny.js';
import { vggSound } from './vgg-sound.js';
import { watch } from './watch.js';

/** Every dataset of this package: configurations, commands, help and tables know them from here. */
export const datasets: readonly AnyDataset[] = [
  cremaD,
  avMnist,
  vggSound,
  urFunny,
  iemocap,
  misMe,
  smallAvMnist,
  multipleFeatures,
  watch,
];
