import { cpmNetDriver } from './cpm-net.js';
import { craDriver } from './cra.js';
import { misMeDriver } from './mis-me.js';
import { mminDriver } from './mmin.js';
import { tateDriver } from './tate.js';
import type { SystemDriver } from '../missing-case.js';

/** How the cases of each system are run. */
export const systemDrivers: readonly SystemDriver[] = [
  craDriver,
  mminDriver,
  cpmNetDriver,
  tateDriver,
  misMeDriver,
];
