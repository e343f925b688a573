// Training
export { accelerate } from './accelerate.js';
export type { Precision } from './kernels/bfloat16.js';
export { bfloat16Problem } from './kernels/bfloat16-problem.js';
export { nextDropout, withDropoutSeed, type DropoutDraw, type DropoutShare } from './dropout-seed.js';
export { withSharedStatistics } from './shared-statistics.js';
export { registerTrainingKernels } from './kernels/register.js';

// Inference
export { freeze, type FrozenModel } from './freeze.js';
