// Datasets
export { avMnist } from './av-mnist.js';
export type { AvMnistOptions } from './av-mnist/options.js';
export { cremaD } from './crema-d.js';
export type { CremaDOptions, CremaDSplits } from './crema-d/options.js';
export { vggSound } from './vgg-sound.js';
export type { VggSoundOptions } from './vgg-sound/options.js';
export type { ClipDataset } from './clips/clip-dataset.js';
export { misMe } from './mis-me.js';
export type { MisMeDataset } from './mis-me/open.js';
export type { MisMeOptions } from './mis-me/options.js';
export { urFunny } from './ur-funny.js';
export type { UrFunnyDataset } from './ur-funny/open.js';
export type { UrFunnyOptions } from './ur-funny/options.js';
export { iemocap } from './iemocap.js';
export type { IemocapDataset, IemocapOptions } from './iemocap/options.js';
export { smallAvMnist } from './small-av-mnist.js';
export {
  buildSmallAvMnist,
  type BuildSmallAvMnistOptions,
  type BuiltSmallAvMnist,
} from './small-av-mnist/build.js';
export { smallAvMnistSound, type SmallAvMnistSound } from './small-av-mnist/sound.js';
export type { SmallAvMnistPair } from './small-av-mnist/pairs.js';
export { multipleFeatures } from './multiple-features.js';
export type { MultipleFeaturesOptions } from './multiple-features/options.js';
export { watch } from './watch.js';
export type { WatchOptions } from './watch/open.js';

// All of them
export { datasets } from './datasets.js';

// Data of your own, and batches of them: what runs in browsers too
export * from './anywhere.js';

// Around a dataset
export { fingerprint } from './fingerprint.js';
export { decodedCache, type DecodedCacheOptions } from './decoded-cache.js';
export { maskTable, readMask } from './mask-file.js';
export {
  missingModalities,
  type MaskedDataset,
  type MissingModalitiesOptions,
} from './missing-modalities.js';
export {
  missingShare,
  presenceMask,
  SAMPLERS,
  type MaskSampler,
  type PresenceMaskOptions,
} from './presence-mask.js';

// From samples to batches of tensors
export { batches } from './batches.js';

// What programs around the datasets need
export { frameFileName, frameNumbers } from './transforms/frame-numbers.js';
