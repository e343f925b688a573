// Errors and checks
export {
  DatasetNotFoundError,
  FileFormatError,
  G2DError,
  OptionError,
  ShapeError,
  UnknownModalityError,
} from './errors.js';
export { assertSameShape, assertShape } from './assert.js';
export { perModality, type PerModality } from './per-modality.js';

// Random streams and initial weights
export { deriveSeed, randomStream, type RandomStream } from './random.js';
export { kaimingNormal, xavierNormal } from './initializers.js';

// Losses and scores
export { crossEntropy } from './cross-entropy.js';
export { klDivergence } from './kl-divergence.js';
export { trueClassProbability } from './true-class-probability.js';

// Training
export { accelerate } from './accelerate.js';
export { orderedGradients, type NamedGradient } from './gradients.js';
export { registerTrainingKernels } from './kernels/register.js';
export { SGD, type SGDOptions } from './sgd.js';
export { stepDecay } from './step-decay.js';

// Evaluation and files
export { accuracy, confusionMatrix } from './metrics.js';
export { decodeSafetensors, encodeSafetensors, type NamedArray } from './safetensors.js';
