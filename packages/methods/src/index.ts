// All of them, for whoever has a name
export { methods } from './methods.js';

// G2D, alone and stacked
export { joint } from './joint.js';
export { g2d } from './g2d.js';
export { g2dDistillation } from './g2d-distillation.js';
export { modalityPrioritization } from './modality-prioritization.js';
export { ume } from './ume.js';
export { umt } from './umt.js';

// On-the-fly gradient modulation, with and without generalization enhancement
export { ogm, ogmGe, ogmGeWithNoise } from './ogm.js';
export { ogmCoefficients, ogmRatios, type OgmComparison } from './ogm-coefficients.js';
export { enhanceGradient, type GradientNoise } from './gradient-noise.js';

// Each modality's share of the logits
export { agm } from './agm.js';
export { agmCoefficients } from './agm-coefficients.js';

// Losses that count by how well each head generalizes
export { gradientBlending } from './gradient-blending.js';
export { blendWeights, type HeadLosses } from './blend-weights.js';

// Branches that have to do without each other
export { greedy } from './greedy.js';

// Encoders that go back towards their beginning
export { diagnosingRelearning } from './diagnosing-relearning.js';

// Modalities weighed by how sure they are of a sample
export { qmf } from './qmf.js';

// A learned weight for the logits of each head
export { olm } from './olm.js';

// The classes' mean features
export { pmr } from './pmr.js';
export { prototypeLogits } from './prototypes.js';

// Several backward passes in a step
export { mmPareto } from './mm-pareto.js';
export { paretoScale, paretoWeights, type GradientProducts, type ParetoWeights } from './pareto.js';
export { separateHeads } from './separate-heads.js';

// One step for each modality in turn
export { mla } from './mla.js';
export { projectionStrength, updatedProjection } from './mla-projection.js';
export { sharedHeadFusion, type SharedHeadOptions } from './shared-head.js';
export type { SharedHeadWeights } from './shared-head-weights.js';
export { projectFeatures } from './project-features.js';

// Modalities in turn, epoch by epoch
export { reconBoost } from './recon-boost.js';

// Modalities of a sample, matched with each other
export { dlmg } from './dlmg.js';
export { fittedWeights, type MatchingWeights } from './matching-weights.js';

// Encoders that learn alone
export { diMml } from './di-mml.js';

// Missing modalities
export { cra } from './cra.js';
export type { ImputedOutputs } from './cra-fusion.js';
export { imaginationTarget, mmin } from './mmin.js';
export type { ImaginedOutputs } from './mmin-fusion.js';
export { tate } from './tate.js';

// Latent vectors of samples
export { cpmNet } from './cpm-net.js';
export { fitLatents, type FittedLatents, type LatentFit } from './cpm-net-fit.js';
export { decodersOf } from './cpm-net-fusion.js';
export { classScores, type KnownLatents } from './latent-classes.js';

// A regression with a normalized head
export { misMe } from './mis-me.js';

// Frozen encoders
export { linearProbe } from './linear-probe.js';
export { copyEncoders } from './copy-encoders.js';

// Learning rates and early stopping of each modality
export { mslr } from './mslr.js';
export { mses } from './mses.js';
export { watchLoss, type LossWatch, type StoppingRule } from './early-stopping.js';
