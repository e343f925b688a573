// What of this package runs anywhere, but `batches`, which has threads where there is Node.
export type { BatchesOptions, DroppedSample } from './pass.js';
export type { Batch } from './batch.js';
export type { Augmentation } from './augmentation.js';
export { randomAffineCrop, type RandomAffineCropOptions } from './transforms/random-affine-crop.js';
export { fromSamples, type FromSamplesOptions, type OwnRead, type OwnSample } from './from-samples.js';
export type { Values } from './pipeline/nested-values.js';
export { inMemory } from './in-memory.js';
export { someSamples } from './some-samples.js';
export { splitByFraction, type SplitByFractionOptions } from './splits.js';
export { withClassNames } from './with-class-names.js';
export {
  smallAvMnistFromParts,
  type SmallAvMnistParts,
  type SmallAvMnistSplit,
} from './small-av-mnist/from-parts.js';
