import type { AnyEncoder } from '@g2d/core';
import { flat } from './flat.js';
import { mlp } from './mlp.js';
import { lstm } from './lstm.js';
import { mobileNetV2 } from './mobilenet-v2.js';
import { resnet18 } from './resnet18.js';
import { smallAudioEncoder } from './small-audio-encoder.js';
import { smallImageEncoder } from './small-image-encoder.js';
import { tabularMlp } from './tabular-mlp.js';
import { tateEncoder } from './tate-encoder.js';
import { textCnn } from './text-cnn.js';
import { transformer } from './transformer.js';

/** Every encoder of this package: configurations, help and tables know them from here. */
export const encoders: readonly AnyEncoder[] = [
  resnet18,
  mobileNetV2,
  transformer,
  lstm,
  textCnn,
  tabularMlp,
  mlp,
  flat,
  tateEncoder,
  smallAudioEncoder,
  smallImageEncoder,
];
