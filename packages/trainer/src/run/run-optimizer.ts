import type { OptimizerOptions } from '../optimizer-options.js';
import type { RunConfig } from './config-schema.js';

/** The optimizer's settings of a run. What is not given is absent, as the optimizers expect it. */
export const optimizerOf = ({ optimizer }: Pick<RunConfig, 'optimizer'>): OptimizerOptions =>
  JSON.parse(JSON.stringify(optimizer)) as OptimizerOptions;
