// Datasets
export { avMnist, type AvMnistOptions } from './av-mnist.js';
export {
  buildSmallAvMnist,
  type BuildSmallAvMnistOptions,
  type BuiltSmallAvMnist,
} from './small-av-mnist/build.js';
export { smallAvMnistSound, type SmallAvMnistSound } from './small-av-mnist/sound.js';
export type { SmallAvMnistPair } from './small-av-mnist/pairs.js';
export type { MultimodalDataset, Sample, Split } from './dataset.js';

// From samples to batches of tensors
export { batches, type Augmentation, type Batch, type BatchesOptions } from './batches.js';
export { inMemory } from './in-memory.js';
export { randomAffineCrop, type RandomAffineCropOptions } from './transforms/random-affine-crop.js';
