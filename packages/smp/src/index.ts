export { modalityConfidence } from './modality-confidence.js'; // Eq. 5
export { rankModalities } from './rank-modalities.js';
export { prioritizedModalities } from './prioritized-modalities.js'; // Eq. 6
export { modulationCoefficients } from './modulation-coefficients.js'; // Eq. 7
export { modulateGradients } from './modulate-gradients.js'; // Eq. 8
export { byPrefix, type ModalityOf } from './modality-of.js';
export {
  SequentialModalityPrioritization,
  type OptimizerGradients,
  type SmpOptions,
} from './sequential-modality-prioritization.js';
