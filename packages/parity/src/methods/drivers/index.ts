import type { Driver } from '../method-case.js';
import { agmDriver } from './agm.js';
import { diMmlDriver } from './di-mml.js';
import { dlmgDriver } from './dlmg.js';
import { mlaDriver } from './mla.js';
import { mmParetoDriver } from './mm-pareto.js';
import { msesDriver } from './mses.js';
import { mslrDriver } from './mslr.js';
import { pmrDriver } from './pmr.js';
import { reconBoostDriver } from './recon-boost.js';

/** How the cases of each method are run. */
export const drivers: readonly Driver[] = [
  agmDriver,
  diMmlDriver,
  dlmgDriver,
  mlaDriver,
  mmParetoDriver,
  msesDriver,
  mslrDriver,
  pmrDriver,
  reconBoostDriver,
];
