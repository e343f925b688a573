import type { AnyFusion } from '@g2d/core';
import { concatFusion } from './concat-fusion.js';
import { concatMlpFusion } from './concat-mlp-fusion.js';
import { crossAttentionFusion } from './cross-attention-fusion.js';
import { filmFusion } from './film-fusion.js';
import { gatedFusion } from './gated-fusion.js';
import { lateFusion } from './late-fusion.js';
import { sumFusion } from './sum-fusion.js';

/** Every fusion of this package: configurations, help and tables know them from here. */
export const fusions: readonly AnyFusion[] = [
  lateFusion,
  sumFusion,
  concatFusion,
  concatMlpFusion,
  filmFusion,
  gatedFusion,
  crossAttentionFusion,
];
