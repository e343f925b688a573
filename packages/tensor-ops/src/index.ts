// Errors and checks
export { assertSameShape, assertShape } from './assert.js';

// Random streams and initial weights
export { deriveSeed, randomStream } from './random.js';
export { randomWords } from './random-words.js';
export { kaimingNormal, xavierNormal } from './initializers.js';

// Losses and scores
export { assertCrossEntropyOptions, crossEntropy, type CrossEntropyOptions } from './cross-entropy.js';
export { binaryCrossEntropy, type BinaryCrossEntropyOptions } from './binary-cross-entropy.js';
export { klDivergence } from './kl-divergence.js';
export { bernoulliDivergence } from './bernoulli-divergence.js';
export { trueClassProbability } from './true-class-probability.js';
export { assertRegressionOutput, regressionValue } from './regression-value.js';
export { labelSetProbability } from './label-set-probability.js';
export { sampleConfidence, totalOverPresent } from './sample-confidence.js'; // Eq. 5
export { warnOfProbabilities } from './warn-of-probabilities.js';

// Values of tensors
export { readTogether } from './read-together.js';
export { valuesOf } from './values-of.js';

// Training
export { orderedGradients } from './gradients.js';
export { gradientCosine, gradientDot, gradientNorm, scaleGradients } from './gradient-lists.js';
export { clipGradientNorm, clipGradientValue } from './clip-gradients.js';
export { scaleGradient, stopGradient } from './gradient-flow.js';
export { hessianProduct } from './second-order/hessian-product.js';
export { usesPlainKernels } from './second-order/plain-kernels.js';
export { SGD, type SGDOptions } from './optimizers/sgd.js';
export { Adam, type AdamOptions } from './optimizers/adam.js';
export { AdamW } from './optimizers/adam-w.js';
export { createOptimizer } from './optimizers/create-optimizer.js';
export { stepOptimizer } from './optimizers/step-optimizer.js';
export { assertParts, partsOf } from './model-parts.js';
export { joinRecords, joinRows } from './join-rows.js';
export { learningRateAt, partFactorsAt } from './schedules/learning-rate-at.js';
export { stepDecay, type StepDecayOptions } from './schedules/step-decay.js';
export { cosineAnnealing } from './schedules/cosine-annealing.js';
export { linearDecay } from './schedules/linear-decay.js';
export { linearWarmUp } from './schedules/linear-warm-up.js';

export {
  NO_PLATEAU,
  reducedRate,
  watchPlateau,
  type PlateauOptions,
  type PlateauState,
} from './schedules/reduce-on-plateau.js';

// Evaluation and saved arrays
export {
  accuracy,
  classScores,
  confusionMatrix,
  macroF1,
  meanAbsolutePercentageError,
  rSquared,
  type ClassScores,
} from './metrics.js';
export {
  measureClasses,
  measureLabelSets,
  measureValues,
  predictedSet,
  probabilitiesOf,
  sigmoidsOf,
  type ClassMetrics,
  type Head,
  type LabelSetMetrics,
  type SplitMetrics,
  type ValueMetrics,
} from './measure.js';
