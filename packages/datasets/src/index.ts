// Datasets
export { avMnist, type AvMnistOptions } from './av-mnist.js';
export {
  buildSmallAvMnist,
  type BuildSmallAvMnistOptions,
  type BuiltSmallAvMnist,
} from './small-av-mnist/build.js';
export { smallAvMnistSound, type SmallAvMnistSound } from './small-av-mnist/sound.js';
export type { SmallAvMnistPair } from './small-av-mnist/pairs.js';
export type { DatasetSource, MultimodalDataset, Sample, SampleOptions, Split, Task } from './dataset.js';

// Data of your own
export { fromSamples, type FromSamplesOptions, type OwnRead, type OwnSample } from './from-samples.js';
export type { Values } from './pipeline/nested-values.js';
export { splitByFraction, type SplitByFractionOptions } from './splits.js';

// Around a dataset
export { inMemory } from './in-memory.js';
export { decodedCache, type DecodedCacheOptions } from './decoded-cache.js';
export { missingModalities, type MissingModalitiesOptions } from './missing-modalities.js';
export { presenceMask, type MaskSampler, type PresenceMaskOptions } from './presence-mask.js';

// From samples to batches of tensors
export { batches, type Batch, type BatchesOptions, type DroppedSample } from './batches.js';
export type { Augmentation } from './augmentation.js';
export { randomAffineCrop, type RandomAffineCropOptions } from './transforms/random-affine-crop.js';
