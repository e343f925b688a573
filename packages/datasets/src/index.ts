// Datasets
export { avMnist, type AvMnistOptions } from './av-mnist.js';
export { checkAvMnist, type CheckAvMnistOptions } from './av-mnist-check.js';
export { cremaD, type CremaDOptions } from './crema-d.js';
export { checkCremaD, type CheckCremaDOptions } from './crema-d-check.js';
export type { CremaDParts } from './crema-d/parts.js';
export { vggSound, type VggSoundOptions } from './vgg-sound.js';
export { checkVggSound, type CheckVggSoundOptions } from './vgg-sound-check.js';
export type { ClipDataset } from './clips/clip-dataset.js';
export { misMe, type MisMeDataset, type MisMeOptions } from './mis-me.js';
export { checkMisMe, type CheckMisMeOptions } from './mis-me-check.js';
export { urFunny, type UrFunnyDataset, type UrFunnyOptions } from './ur-funny.js';
export { checkUrFunny, type CheckUrFunnyOptions } from './ur-funny/check.js';
export { iemocap } from './iemocap.js';
export { checkIemocap, type CheckIemocapOptions } from './iemocap/check.js';
export type {
  GcnetOptions,
  IemocapDataset,
  IemocapOptions,
  MlaOptions,
  MminOptions,
} from './iemocap/options.js';
export type { DatasetCheck } from './dataset-check.js';
export {
  buildSmallAvMnist,
  type BuildSmallAvMnistOptions,
  type BuiltSmallAvMnist,
} from './small-av-mnist/build.js';
export { smallAvMnistSound, type SmallAvMnistSound } from './small-av-mnist/sound.js';
export type { SmallAvMnistPair } from './small-av-mnist/pairs.js';

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
export type { Batch } from './batch.js';
export { batches, type BatchesOptions, type DroppedSample } from './batches.js';
export type { Augmentation } from './augmentation.js';
export { randomAffineCrop, type RandomAffineCropOptions } from './transforms/random-affine-crop.js';

// What programs around the datasets need
export { frameFileName, frameNumbers } from './transforms/frame-numbers.js';
export { readVggSoundTable, type VggSoundRow } from './vgg-sound/table.js';
