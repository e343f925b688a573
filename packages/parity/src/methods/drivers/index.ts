import type { Driver } from '../method-case.js';
import { agmDriver } from './agm.js';
import { mlaDriver } from './mla.js';
import { mmParetoDriver } from './mm-pareto.js';
import { msesDriver } from './mses.js';
import { mslrDriver } from './mslr.js';
import { pmrDriver } from './pmr.js';

/** How the cases of each method are run. */
export const drivers: readonly Driver[] = [
  agmDriver,
  mlaDriver,
  mmParetoDriver,
  msesDriver,
  mslrDriver,
  pmrDriver,
];
