// On-the-fly gradient modulation, with and without generalization enhancement
export { ogm, ogmGe, type OgmGeOptions, type OgmOptions } from './ogm.js';
export { ogmCoefficients, ogmRatios, type OgmComparison } from './ogm-coefficients.js';
export { enhanceGradient, type GradientNoise } from './gradient-noise.js';
