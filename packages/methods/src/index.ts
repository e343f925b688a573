// G2D, alone and stacked
export { g2dDistillation } from './g2d-distillation.js';
export { modalityPrioritization, type PrioritizationOptions } from './modality-prioritization.js';
export { ume, type UmeOptions } from './ume.js';
export { umt, type UmtOptions } from './umt.js';

// On-the-fly gradient modulation, with and without generalization enhancement
export { ogm, ogmGe, type OgmGeOptions, type OgmOptions } from './ogm.js';
export { ogmCoefficients, ogmRatios, type OgmComparison } from './ogm-coefficients.js';
export { enhanceGradient, type GradientNoise } from './gradient-noise.js';

// Several backward passes in a step
export { mmPareto, type MmParetoOptions } from './mm-pareto.js';
export { paretoScale, paretoWeights, type GradientProducts, type ParetoWeights } from './pareto.js';
export { separateHeads } from './separate-heads.js';

// One step for each modality in turn
export { mla } from './mla.js';
export type { MlaOptions } from './mla-options.js';
export { projectionStrength, updatedProjection, type ProjectionForm } from './mla-projection.js';
export { sharedHeadFusion, type SharedHeadOptions, type SharedHeadWeights } from './shared-head.js';
export { projectFeatures } from './project-features.js';

// Frozen encoders
export { linearProbe, type LinearProbeOptions } from './linear-probe.js';
export { copyEncoders } from './copy-encoders.js';

// Early stopping of each modality
export { mses } from './mses.js';
export type { MsesOptions } from './mses-options.js';
export { watchLoss, type LossWatch, type StoppingRule } from './early-stopping.js';
