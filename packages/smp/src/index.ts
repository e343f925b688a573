export { modalityConfidence } from './modality-confidence.js'; // Eq. 5
export { regressionConfidence, type RegressionConfidenceOptions } from './regression-confidence.js';
export type { PresenceOption } from './mean-over-present.js';
export { rankModalities } from './rank-modalities.js';
export { prioritizedModalities, type PrioritizedModalitiesOptions } from './prioritized-modalities.js'; // Eq. 6
export { modulationCoefficients } from './modulation-coefficients.js'; // Eq. 7, Table 6
export { modulateGradients } from './modulate-gradients.js'; // Eq. 8
export { byLayers, byPrefix, type ModalityOf, type WithWeights } from './modality-of.js';
export type { Ranking, SmpOptions } from './smp-options.js';
export type { Scope } from './scope.js';
export type { SmpState } from './smp-state.js';
export {
  SequentialModalityPrioritization,
  type OptimizerGradients,
  type SmpUpdate,
} from './sequential-modality-prioritization.js';
export { PrioritizedOptimizer } from './prioritized-optimizer.js';
