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
export { deriveSeed, randomStream, type RandomState, type RandomStream } from './random.js';
export { kaimingNormal, xavierNormal } from './initializers.js';

// Losses and scores
export { crossEntropy } from './cross-entropy.js';
export { klDivergence } from './kl-divergence.js';
export { trueClassProbability } from './true-class-probability.js';

// Training
export { accelerate } from './accelerate.js';
export { withDropoutSeed } from './dropout-seed.js';
export { freeze, type FrozenModel } from './freeze.js';
export type { Precision } from './kernels/bfloat16.js';
export { bfloat16Problem } from './kernels/bfloat16-problem.js';
export { orderedGradients, type NamedGradient } from './gradients.js';
export { gradientCosine, gradientDot, gradientNorm, scaleGradients } from './gradient-lists.js';
export { scaleGradient, stopGradient } from './gradient-flow.js';
export { registerTrainingKernels } from './kernels/register.js';
export type { Optimizer } from './optimizers/optimizer.js';
export { SGD, type SGDOptions } from './optimizers/sgd.js';
export { Adam, type AdamOptions } from './optimizers/adam.js';
export { AdamW } from './optimizers/adam-w.js';
export { stepDecay, type StepDecayOptions } from './schedules/step-decay.js';
export { cosineAnnealing } from './schedules/cosine-annealing.js';
export { linearWarmUp } from './schedules/linear-warm-up.js';

// Evaluation and files
export {
  accuracy,
  classScores,
  confusionMatrix,
  expectedCalibrationError,
  macroF1,
  meanAbsolutePercentageError,
  rSquared,
  type ClassScores,
} from './metrics.js';
export { ELEMENT_BYTES, float32Values, type ElementType } from './float32-values.js';
export { decodeSafetensors, encodeSafetensors, type NamedArray } from './safetensors.js';
