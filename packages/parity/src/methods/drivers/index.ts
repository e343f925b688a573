import type { Driver } from '../method-case.js';
import { mlaDriver } from './mla.js';
import { mmParetoDriver } from './mm-pareto.js';
import { msesDriver } from './mses.js';

/** How the cases of each method are run. */
export const drivers: readonly Driver[] = [mlaDriver, mmParetoDriver, msesDriver];
